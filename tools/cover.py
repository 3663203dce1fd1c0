#!/usr/bin/env python3
"""Reads gcovr's table: prints line coverage by folder, and fails where a folder that judges input is below 90 %."""
import collections
import re
import sys

WANTED = {'base': 90, 'codec': 90, 'crypto': 90, 'attest': 90, 'http': 90}

lines = collections.defaultdict(lambda: [0, 0])
with open(sys.argv[1], encoding='utf-8') as f:
    for row in f:
        m = re.match(r'src/(\w+)/\S+\s+(\d+)\s+(\d+)\s+\d+%', row)
        if m:
            lines[m[1]][0] += int(m[2])
            lines[m[1]][1] += int(m[3])
            lines['all'][0] += int(m[2])
            lines['all'][1] += int(m[3])
bad = False
for folder, (total, hit) in sorted(lines.items()):
    percent = 100 * hit / max(1, total)
    is_bad = percent < WANTED.get(folder, 0)
    bad = bad or is_bad
    print('%-10s %5.1f %%  %6d of %6d lines%s' % (folder, percent, hit, total, '  BELOW %d' % WANTED[folder] if is_bad else ''))
sys.exit(1 if bad or not lines else 0)
