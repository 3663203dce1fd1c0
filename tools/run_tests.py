#!/usr/bin/env python3
"""Runs every test that Meson knows and counts claims: each cmocka function, each end-to-end claim, each
fuzz target's replay. Prints failures whole, the reason of each skip, and last of all one line:
`N passed, N failed` (and `, N skipped`). Exit status 0 only if nothing failed and something passed.

A test program speaks TAP on its output (cmocka does when asked). One that does not counts as one claim.
A program that dies, runs past its time limit, announces more than it delivers, or exits with an error
though every line was ok, counts as one failure more."""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time

LINE = re.compile(r'^(not )?ok\b(?:\s+(\d+))?(?:\s*-)?\s*([^#]*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$', re.I)
PLAN = re.compile(r'^1\.\.(\d+)\s*(?:#\s*SKIP\b\s*(.*))?$', re.I)

Claim = collections.namedtuple('Claim', 'result name why')
Outcome = collections.namedtuple('Outcome', 'test claims seconds output')


def read_tap(text):
    """Claims in TAP text, and the plan (None when there is none)."""
    claims, plan, before = [], None, []
    for line in text.split('\n'):
        m = PLAN.match(line)
        if m:
            plan = int(m.group(1))
            if plan == 0:
                claims.append(Claim('skipped', '', m.group(2) or 'no reason given'))
            continue
        m = LINE.match(line)
        if not m:
            if line.strip():
                before.append(line.strip().lstrip('# '))
            continue
        name, word, why = m.group(3), (m.group(4) or '').upper(), m.group(5)
        if word == 'SKIP':
            # cmocka puts the function's name where the reason should be, and the reason on a line before.
            reason = re.sub(r'^skipped:?\s*', '', before[-1] if before else '') if not name else why
            claims.append(Claim('skipped', name or why, reason or 'no reason given'))
        else:
            claims.append(Claim('failed' if m.group(1) else 'passed', name, ''))
        before = []
    return claims, plan


def judge(text, status, is_late, limit):
    claims, plan = read_tap(text)
    if not claims and plan is None:
        if status == 77:
            return [Claim('skipped', '', text.strip().split('\n')[-1] or 'no reason given')]
        if status == 0 and not is_late:
            return [Claim('passed', '', '')]
    bad = None
    if is_late:
        bad = 'ran past its limit of %d s and was stopped' % limit
    elif status < 0:
        bad = 'died of %s' % signal.Signals(-status).name
    elif plan is not None and plan > len(claims):
        bad = 'announced %d claims, delivered %d' % (plan, len(claims))
    elif status not in (0, 77) and not any(c.result == 'failed' for c in claims):
        bad = 'exited with status %d' % status
    return claims + ([Claim('failed', '(the program)', bad)] if bad else [])


def run_one(test, env, scale, build):
    limit = max(1, test['timeout'] or 300) * scale
    start = time.monotonic()
    child = subprocess.Popen(test['cmd'], cwd=test['workdir'] or build, env=dict(env, **test['env']), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    is_late = False
    try:
        output = child.communicate(timeout=limit)[0]
    except subprocess.TimeoutExpired:
        is_late = True
        os.killpg(child.pid, signal.SIGTERM)
        try:
            output = child.communicate(timeout=5)[0]
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output = child.communicate()[0]
    try:
        os.killpg(child.pid, signal.SIGKILL)  # whatever it left behind
    except ProcessLookupError:
        pass
    text = output.decode('utf-8', 'replace')
    return Outcome(test, judge(text, child.returncode, is_late, limit), time.monotonic() - start, text)


def report(outcome, is_verbose):
    name = outcome.test['name']
    count = collections.Counter(c.result for c in outcome.claims)
    word = 'FAIL' if count['failed'] else 'skip' if not count['passed'] else 'ok'
    extra = ''.join(', %d %s' % (count[k], k) for k in ('failed', 'skipped') if count[k])
    print('%-4s %-40s %4d passed%s  %.1f s' % (word, name, count['passed'], extra, outcome.seconds))
    if is_verbose or count['failed']:
        print('---- output of %s: %s' % (name, ' '.join(outcome.test['cmd'])))
        print(outcome.output.rstrip())
        for claim in outcome.claims:
            if claim.result == 'failed':
                print('---- failed: %s: %s%s' % (name, claim.name, ': ' + claim.why if claim.why else ''))
    sys.stdout.flush()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--build', default='build/asan', help='Meson build folder (already compiled)')
    p.add_argument('--suite', action='append', help='only tests of this suite; may be repeated')
    p.add_argument('--not-suite', action='append', default=[], help='no tests of this suite')
    p.add_argument('--match', help='only tests whose name matches this expression')
    p.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    p.add_argument('--scale', type=float, default=1.0, help='multiplies time limits')
    p.add_argument('--no-total', action='store_true', help='leave the closing line to the caller')
    p.add_argument('--count-to', metavar='FILE', help='write the three numbers here')
    p.add_argument('--verbose', action='store_true')
    a = p.parse_args()

    tests = json.loads(subprocess.run(['meson', 'introspect', '--tests', a.build], check=True, capture_output=True).stdout)
    suites = lambda t: {s.split(':')[-1] for s in t['suite']}
    tests = [t for t in tests if (not a.suite or suites(t) & set(a.suite)) and not suites(t) & set(a.not_suite)
             and (not a.match or re.search(a.match, t['name']))]
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT='TAP', PYTHONUNBUFFERED='1')
    env.setdefault('ASAN_OPTIONS', 'abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1')
    env.setdefault('UBSAN_OPTIONS', 'halt_on_error=1:print_stacktrace=1')
    env.setdefault('TSAN_OPTIONS', 'halt_on_error=1:second_deadlock_stack=1')
    outcomes = []
    for together in (True, False):
        group = sorted((t for t in tests if bool(t.get('is_parallel', True)) == together), key=lambda t: -t.get('priority', 0))
        with concurrent.futures.ThreadPoolExecutor(max(1, a.jobs) if together else 1) as pool:
            for done in concurrent.futures.as_completed([pool.submit(run_one, t, env, a.scale, a.build) for t in group]):
                outcomes.append(done.result())
                report(outcomes[-1], a.verbose)
    with open(os.path.join(a.build, 'test-output.txt'), 'w', encoding='utf-8') as log:
        for o in outcomes:
            log.write('==== %s (%.2f s)\n%s\n' % (o.test['name'], o.seconds, o.output))

    skips = [(o.test['name'], c) for o in outcomes for c in o.claims if c.result == 'skipped']
    for name, claim in sorted(skips):
        print('skipped: %s%s: %s' % (name, ': ' + claim.name if claim.name else '', claim.why))
    for o in outcomes:
        for claim in o.claims:
            if claim.result == 'failed':
                print('failed: %s: %s%s' % (o.test['name'], claim.name, ': ' + claim.why if claim.why else ''))
    count = collections.Counter(c.result for o in outcomes for c in o.claims)
    if a.count_to:
        with open(a.count_to, 'w') as f:
            f.write('%d %d %d\n' % (count['passed'], count['failed'], count['skipped']))
    if not a.no_total:
        print('%d passed, %d failed%s' % (count['passed'], count['failed'],
                                          ', %d skipped' % count['skipped'] if count['skipped'] else ''))
    return 0 if count['failed'] == 0 and count['passed'] > 0 else 1


sys.exit(main())
