#!/usr/bin/env python3
"""corpus.py SAMPLES LINES OUT: a long log out of short samples, always the same one.

Writes OUT.log (whole lines), OUT.content (their messages alone) and OUT.parts/NAME.log (the lines of
each sample, as one container would write them). In the first two the samples come one after the
other, each whole, again and again. In each copy every digit of the message is another one, so that
no number, address or identifier comes twice as it does in a plain repetition; the header in front of
the message (time, level, process) stays as it is, because a time like 87:93 is none.
"""
import os
import random
import sys

SEED = 20260101


def sample(folder, name):
    """Pairs of header and message."""
    base = os.path.join(folder, name, name + "_2k.")
    with open(base + "log", encoding="utf-8", errors="replace", newline="") as f:
        lines = f.read().replace("\r\n", "\n").split("\n")
    with open(base + "content", encoding="utf-8", errors="replace", newline="") as f:
        messages = f.read().replace("\r\n", "\n").split("\n")
    pairs = []
    for line, message in zip(lines, messages):
        message = message.strip()
        at = line.rfind(message) if message else -1
        if line:
            pairs.append((line[:at], line[at:]) if at >= 0 else ("", line))
    return pairs


def main():
    folder, count, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    dice = random.Random(SEED)
    has = lambda name, kind: os.path.exists(os.path.join(folder, name, f"{name}_2k.{kind}"))
    names = sorted(n for n in os.listdir(folder) if has(n, "log") and has(n, "content"))
    if not names:
        sys.exit(f"corpus.py: no sample in {folder}: there should be NAME/NAME_2k.log and .content")
    samples = [(name, sample(folder, name)) for name in names]
    os.makedirs(out + ".parts", exist_ok=True)
    parts = {name: open(os.path.join(out + ".parts", name + ".log"), "w", encoding="utf-8") for name in names}
    written = 0
    with open(out + ".log", "w", encoding="utf-8") as log, open(out + ".content", "w", encoding="utf-8") as content:
        while written < count:
            for name, pairs in samples:
                for header, message in pairs[: count - written]:
                    message = "".join(dice.choice("0123456789") if c.isascii() and c.isdigit() else c for c in message)
                    log.write(header + message + "\n")
                    parts[name].write(header + message + "\n")
                    content.write(message + "\n")
                    written += 1
    for part in parts.values():
        part.close()


main()
