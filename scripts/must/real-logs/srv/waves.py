"""How often a client acts: waves of load, with quiet times, the same in every run."""

import math
import random
import time

START = time.monotonic()
CHANCE = random.Random(7)


def pause(mean_rate):
    """Sleeps until the next action; `mean_rate` is in actions per second, averaged over waves."""
    passed = time.monotonic() - START
    # A day in ten minutes, a rush in one: between a tenth of the mean and about twice the mean.
    wave = 1.0 + 0.6 * math.sin(passed / 600 * 2 * math.pi) + 0.4 * math.sin(passed / 60 * 2 * math.pi)
    rate = mean_rate * max(wave, 0.1)
    time.sleep(min(CHANCE.expovariate(rate), 5.0))
