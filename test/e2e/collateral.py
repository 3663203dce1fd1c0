#!/usr/bin/env python3
"""Collateral, evidence and the doctor as people use them, with the simulator as platform and as Intel's service.

usage: collateral.py TACIT        prints TAP"""
import json
import os
import re
import subprocess
import sys
import tempfile

TACIT = sys.argv[1]


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
    return subprocess.run([TACIT, *args], capture_output=True, text=True, timeout=120)


def as_json(done):
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {'rows': [], 'verdict': 'no JSON: ' + done.stderr}


def results(verdict):
    return {row['id']: row['result'] for row in verdict['rows']}


def attest(claims, sim, quote):
    done = run('attest', '--tee', 'simulator', '--tee-path', sim, '--report-data', 'aabb')
    evidence = as_json(done)
    claims.check(done.returncode == 0 and evidence.get('simulated') is True, 'attest prints evidence', done.stderr)
    claims.check(evidence.get('report_data', '') == 'aabb' + '00' * 62, 'short report data is padded')
    claims.check(isinstance(evidence.get('event_log'), list), 'evidence has the event log')
    done = run('attest', '--tee', 'simulator', '--tee-path', sim, '--quote', quote)
    claims.check(done.returncode == 0 and os.path.getsize(quote) > 1000, 'attest writes a bare quote', done.stderr)
    done = run('attest', '--report-data', 'xyz')
    claims.check(done.returncode == 2, 'bad report data is bad usage')


def doctor(claims, sim, url, root):
    common = ('--tee', 'simulator', '--tee-path', sim)
    done = run('doctor', *common, '--trust-root', root, '--pccs', url, '--json')
    verdict = as_json(done)
    claims.check(done.returncode == 0 and verdict['verdict'] == 'trusted' and verdict['simulated'],
                 'the doctor finds a healthy simulated machine', done.stdout + done.stderr)
    claims.check(results(verdict).get('doctor.event_log') == 'passed', 'its event log replays')
    done = run('doctor', *common, '--pccs', url, '--json')
    claims.check(done.returncode == 1, 'without the root the doctor refuses', done.stdout)
    done = run('doctor', '--tee', 'dstack', '--tee-path', '/nowhere/dstack.sock')
    claims.check(done.returncode == 2 and '/nowhere/dstack.sock' in done.stdout, 'the doctor says what is missing')


def collateral(claims, work, url, root, quote):
    out, cache = work + '/collateral.json', work + '/cache'
    done = run('collateral', 'fetch', '--pccs', url, '--quote', quote, '--trust-root', root, '--out', out)
    claims.check(done.returncode == 0, 'collateral is fetched for a quote', done.stderr)
    claims.check(run('collateral', 'check', out, '--trust-root', root).returncode == 0, 'and verifies')
    done = run('collateral', 'check', out, '--json')
    claims.check(done.returncode == 1 and as_json(done)['verdict'] == 'refused', 'but not to Intel\'s root')
    done = run('collateral', 'show', out, '--trust-root', root)
    claims.check('all of it until' in done.stdout, 'show says until when it is valid', done.stdout)
    done = run('collateral', 'check', out, '--trust-root', root, '--at', '2099-01-01T00:00:00Z')
    claims.check(done.returncode == 1, 'it expires')
    text = open(out).read()
    changed = work + '/changed.json'
    open(changed, 'w').write(text.replace('UpToDate', 'UpToDatE', 1))
    done = run('collateral', 'check', changed, '--trust-root', root, '--json')
    claims.check(results(as_json(done)).get('collateral.tcb_info') == 'failed', 'a changed letter is refused', done.stdout)
    done = run('collateral', 'fetch', '--pccs', url, '--quote', quote)
    claims.check(done.returncode == 2 and done.stdout == '', 'what does not verify is not printed')
    done = run('collateral', 'fetch', '--pccs', url, '--fmspc', '00906ed50000', '--trust-root', root)
    claims.check(done.returncode == 2 and 'TCB info of platform 00906ed50000' in done.stderr,
                 'a document that cannot be had is named', done.stderr)
    for step in ('fetched', 'kept'):
        done = run('verify', 'quote', quote, '--pccs', url, '--collateral-cache', cache, '--trust-root', root)
        claims.check(done.returncode == 0, f'a quote is verified with {step} collateral', done.stdout + done.stderr)
    claims.check(len(os.listdir(cache)) == 1, 'one file is kept for the platform')


def offline(claims, work, root, quote):
    done = run('verify', 'quote', quote, '--pccs', 'http://127.0.0.1:9', '--collateral-cache', work + '/cache',
               '--trust-root', root)
    claims.check(done.returncode == 0, 'kept collateral serves while the server is away', done.stdout + done.stderr)


def main():
    claims = Claims()
    with tempfile.TemporaryDirectory() as work:
        sim, root, quote = work + '/sim', work + '/sim/root.pem', work + '/quote'
        run('sim', 'init', sim)
        server = subprocess.Popen([TACIT, 'sim', 'serve', sim, '--listen', '127.0.0.1:0'], stdout=subprocess.PIPE,
                                  text=True)
        try:
            line = server.stdout.readline()
            found = re.search(r'http://[0-9.:]+', line)
            claims.check(found is not None, 'the simulator serves as a PCCS', line)
            url = found.group(0)
            attest(claims, sim, quote)
            doctor(claims, sim, url, root)
            collateral(claims, work, url, root, quote)
        finally:
            server.terminate()
            server.wait(timeout=30)
        offline(claims, work, root, quote)
    print(f'1..{claims.count}')
    return 1 if claims.failed else 0


if __name__ == '__main__':
    sys.exit(main())
