#!/usr/bin/env python3
"""The simulator and the verifier as people use them: `tacit sim quote` writes files, `tacit verify quote`
judges them. Honest quotes are trusted with the root, refused without; every fault is refused with exit
code 1 and the row that `tacit sim faults` names.

usage: sim_cli.py TACIT        prints TAP"""
import json
import subprocess
import sys
import tempfile

TACIT = sys.argv[1]
ZEROS = '00' * 64


class Claims:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, ok, claim, why=''):
        self.count += 1
        self.failed += not ok
        print(f'{"ok" if ok else "not ok"} {self.count} - {claim}', flush=True)
        if not ok and why:
            print('# ' + str(why).replace('\n', '\n# '), flush=True)


def run(*args):
    return subprocess.run([TACIT, *args], capture_output=True, text=True, timeout=60)


def verify(prefix, *more):
    """Exit code and the JSON of a verification of PREFIX.quote."""
    done = run('verify', 'quote', prefix + '.quote', '--collateral', prefix + '.collateral.json',
               '--report-data', ZEROS, '--json', *more)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode, {'verdict': 'no JSON', 'rows': [], 'stderr': done.stderr}


def first_refusal(verdict):
    for row in verdict['rows']:
        if row.get('required', True) and row['result'] != 'passed':
            return row['id']
    return None


def main():
    claims = Claims()
    with tempfile.TemporaryDirectory() as work:
        sim, prefix = work + '/sim', work + '/x'
        root = ('--trust-root', prefix + '.root.pem')

        claims.check(run('sim', 'init', sim).returncode == 0, 'a platform is made')
        claims.check(run('sim', 'init', sim).returncode == 2, 'a platform is not made twice')
        for body, version in (('td10', '4'), ('td10', '5'), ('td15', '5'), ('td15ex', '5'),
                              ('sgx', '3'), ('sgx', '4'), ('sgx', '5')):
            name = f'version {version} {body}'
            done = run('sim', 'quote', sim, '--out', prefix, '--body', body, '--quote-version',
                       version)
            code, verdict = verify(prefix, *root)
            claims.check(done.returncode == 0 and code == 0 and verdict['verdict'] == 'trusted'
                         and verdict['simulated'], f'{name} is trusted, as SIMULATED', verdict)
            code, verdict = verify(prefix)
            claims.check(code == 1 and first_refusal(verdict) == 'tdx.pck.root',
                         f'{name} is refused without the root', verdict)
        for line in run('sim', 'faults').stdout.splitlines():
            fault, row = line.split()[:2]
            if not row.startswith('tdx.'):
                continue
            done = run('sim', 'quote', sim, '--out', prefix, '--fault', fault)
            code, verdict = verify(prefix, *root)
            claims.check(done.returncode == 0 and code == 1 and first_refusal(verdict) == row,
                         f'{fault} is refused by {row}', (done.stderr, verdict))
        run('sim', 'quote', sim, '--out', prefix)
        server = subprocess.Popen([TACIT, 'sim', 'serve', sim, '--listen', '127.0.0.1:0'],
                                  stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().split()[-1]
            done = run('verify', 'quote', prefix + '.quote', '--pccs', url, '--json', *root)
            claims.check(done.returncode == 0, 'its service gives collateral that verifies',
                         done.stdout + done.stderr)
        finally:
            server.terminate()
            claims.check(server.wait(timeout=20) == 0, 'and stops when it is told to')
        run('sim', 'fault', sim, 'td-debug')
        run('sim', 'quote', sim, '--out', prefix)
        code, verdict = verify(prefix, *root)
        claims.check(code == 1 and first_refusal(verdict) == 'tdx.policy.debug',
                     'a kept fault holds for later commands', verdict)
        run('sim', 'fault', sim, 'none')
        run('sim', 'quote', sim, '--out', prefix)
        claims.check(verify(prefix, *root)[0] == 0, 'and ends with none')
        done = run('sim', 'quote', sim, '--fault', 'no-such-fault')
        claims.check(done.returncode == 2 and 'no-such-fault' in done.stderr,
                     'an unknown fault is named in the error')
        done = run('sim', 'quote', sim, '--body', 'td15', '--quote-version', '4')
        claims.check(done.returncode == 2 and done.stderr, 'a body that a version lacks is refused')
    print(f'1..{claims.count}')
    return 1 if claims.failed else 0


if __name__ == '__main__':
    sys.exit(main())
