#!/usr/bin/env python3
"""drain.py FILE [INI]: feeds the lines of FILE to drain3, and says how many clusters it made."""
import sys

from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig

config = TemplateMinerConfig()
if len(sys.argv) > 2:
    config.load(sys.argv[2])
config.profiling_enabled = False
miner = TemplateMiner(config=config)
with open(sys.argv[1], encoding="utf-8", errors="replace") as lines:
    for line in lines:
        miner.add_log_message(line.rstrip("\n"))
print(len(miner.drain.clusters))
