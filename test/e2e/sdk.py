#!/usr/bin/env python3
"""npm's `openai` package against a stack: starts the stack and hands over to sdk.mjs, which prints TAP."""
import os
import subprocess
import sys

from stack import ROOT, Stack, engine_path, skip_all

if engine_path() is None:
    skip_all('the engine is not built; run: make engine')
package = subprocess.run([os.path.join(ROOT, 'tools', 'npm.sh'), 'openai'], stdout=subprocess.PIPE, text=True)
if package.returncode != 0:
    skip_all('npm could not fetch the openai package')
stack = Stack(sys.argv[1])
run = subprocess.run(['node', os.path.join(ROOT, 'test', 'e2e', 'sdk.mjs'), package.stdout.strip(), stack.url + '/v1',
                         stack.key, stack.model],
                        env=dict(os.environ, NODE_TLS_REJECT_UNAUTHORIZED='0', NODE_NO_WARNINGS='1'))
stack.stop_quietly()
print(stack.complaints(), end='')
sys.exit(1 if stack.complaints() else run.returncode)
