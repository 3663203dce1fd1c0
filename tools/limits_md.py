#!/usr/bin/env python3
"""Writes docs/limits.md from src/base/limits.h, where every limit stands with its reason; or, with
--check, tells whether it is up to date."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(ROOT, 'src/base/limits.h'), encoding='utf-8') as f:
    text = f.read().split('enum {', 1)[1]
rows, why, last = [], '', ''
for m in re.finditer(r'/\*(.*?)\*/|(LIMIT_\w+)\s*=\s*([^,]+),', text, re.S):
    if m.group(1) is not None:
        why = ' '.join(m.group(1).split())
        continue
    last, why = why or last, ''
    rows.append('| `%s` | %s | %s |' % (m.group(2), m.group(3).strip().replace(' * ', ' × '), last))
page = ('# Limits\n\nMade by `tools/limits_md.py` from `src/base/limits.h`; sizes are octets. What goes beyond a limit is '
        'refused with an error that\nnames it; nothing is cut off in silence.\n\n| limit | value | reason |\n| --- | --- | --- |\n'
        + '\n'.join(rows) + '\n')
path = os.path.join(ROOT, 'docs/limits.md')
if '--check' in sys.argv:
    with open(path, encoding='utf-8') as f:
        if f.read() != page:
            sys.exit('docs/limits.md is not what src/base/limits.h says; run tools/limits_md.py')
else:
    with open(path, 'w', encoding='utf-8') as f:
        f.write(page)
