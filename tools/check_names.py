#!/usr/bin/env python3
"""Nothing in the tree names a package registry's or mirror's host, or a path of the machine it was
written on: packages come through the ordinary clients and their own settings. The names are put
together here from pieces so that this file passes its own check. Prints TAP."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOSTS = ['.'.join(p) for p in (
    ('registry', 'npmjs', 'org'), ('registry', 'yarnpkg', 'com'), ('npmmirror', 'com'), ('pypi', 'org'),
    ('files', 'pythonhosted', 'org'), ('crates', 'io'), ('deb', 'debian', 'org'), ('security', 'debian', 'org'),
    ('proxy', 'golang', 'org'), ('ghcr', 'io'), ('docker', 'io'), ('quay', 'io'), ('rubygems', 'org'))]
PATHS = ['/'.join(p) for p in (('', 'work', 'wt', ''), ('', 'work', 'shared'), ('', 'work', 'main'), ('', 'root', '.'))]


def main():
    listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT,
                            capture_output=True)
    names = [os.fsdecode(n) for n in listed.stdout.split(b'\0') if n]
    if listed.returncode != 0:  # an unpacked archive, not a clone
        names = [os.path.relpath(os.path.join(w, n), ROOT) for w, _, ns in os.walk(ROOT) for n in ns
                 if not os.path.relpath(w, ROOT).startswith(('build', '.git'))]
    found = []
    for name in names:
        try:
            with open(os.path.join(ROOT, name), 'rb') as f:
                data = f.read()
        except OSError:
            continue
        for word in HOSTS + PATHS:
            at = data.find(word.encode())
            if at >= 0:
                found.append('%s:%d: names %s' % (name, data.count(b'\n', 0, at) + 1, word))
    print('1..1')
    for text in found:
        print('# ' + text)
    print('%s 1 - house rule: no registry hosts, no local paths (%d files)' % ('not ok' if found else 'ok', len(names)))
    return 1 if found else 0


sys.exit(main())
