#!/usr/bin/env python3
"""A verifier that is not ours judges the simulator: the npm package of dcap-qvl accepts its quotes
if and only if it is given its root, over files and over `tacit sim serve`. Then every fault is run
through it: where it accepts what we refuse, the difference must be one that is known and listed
below with its reason.

usage: third_party_dcap.py TACIT        prints TAP; skipped without node, npm or npm's registry"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PACKAGE = '@phala/dcap-qvl@0.3.9'
SCRIPT = pathlib.Path(__file__).with_suffix('.mjs')

SHAPES = {
    'v4-td10': [],
    'v4-td10-processor': ['--processor-ca'],
    'v5-td10': ['--quote-version', '5', '--body', 'td10'],
    'v5-td15': ['--body', 'td15'],
    'v3-sgx': ['--quote-version', '3', '--body', 'sgx'],
}

# What dcap-qvl 0.3.9 accepts and we refuse, and why.
KNOWN = {fault: why for why, faults in {
    'checks no CRL: neither signature, dates, issuer nor form': [
        'crl-root-forged', 'crl-root-expired', 'crl-root-future', 'crl-pck-forged',
        'crl-pck-expired', 'crl-pck-future', 'crl-pck-of-root', 'crl-pck-unnumbered',
        'crl-pck-garbage'],
    'checks neither basic constraints, key usage nor names of certificates': [
        'ca-not-ca', 'ca-usage', 'ca-name', 'pck-name'],
    'takes TCB info and QE identity from any leaf under the root': [
        'tcb-signer-name', 'qe-identity-signer-name'],
    'does not look at the TDX module\'s identity': [
        'module-signer', 'module-attributes', 'module-unknown', 'module-list-absent'],
    'is lenient about lengths, types and text that it does not use': [
        'quote-stray-octet', 'quote-outer-type', 'quote-body-size', 'chain-text',
        'sgx-extension-stray'],
    'reads the CPUSVN octets instead of the components': ['sgx-extension-svn'],
    'takes the last of duplicate members, any nesting, any levels': [
        'collateral-duplicate', 'tcb-same-levels', 'tcb-nested'],
    'does not compare the PCE-ID': ['tcb-pce-id'],
    'does not look at the QE vendor': ['quote-vendor'],
    'ignores the second half of the QE report data': ['qe-binding-tail'],
    'does not look at XFAM': ['td-xfam'],
    'leaves status and report data to its caller': [
        'platform-out-of-date', 'platform-configuration', 'platform-hardening', 'qe-out-of-date',
        'report-data'],
}.items() for fault in faults}


def skip(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(77)


def package_folder():
    """node_modules with the package, in a cache outside the tree, made once."""
    cache = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache')
    folder = cache / 'tacit' / 'npm' / PACKAGE.split('/')[1]
    if (folder / 'node_modules' / '@phala' / 'dcap-qvl').is_dir():
        return folder
    for tool in ('node', 'npm'):
        if shutil.which(tool) is None:
            skip(f'{tool} is not installed')
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        subprocess.run(['npm', 'install', '--prefix', str(work), '--ignore-scripts', '--no-audit',
                        '--no-fund', '--no-save', PACKAGE], check=True, timeout=120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not folder.exists():
            work.rename(folder)
    except (subprocess.SubprocessError, OSError):
        skip(f'npm cannot install {PACKAGE}: its registry is not reachable')
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def judge(folder, lines):
    """{(name, root): (verdict, rest)} of what the package says."""
    done = subprocess.run(['node', str(SCRIPT), str(folder)], input='\n'.join(lines) + '\n',
                          capture_output=True, text=True, timeout=300, check=True)
    verdicts = {}
    for line in done.stdout.splitlines():
        name, root, verdict, rest = line.split(' ', 3)
        verdicts[(pathlib.Path(name).name, root)] = (verdict, rest)
    return verdicts


class Checks:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, ok, claim):
        self.count += 1
        self.failed += not ok
        print(f'{"ok" if ok else "not ok"} {self.count} - {claim}'.replace('#', ''))


def main():
    tacit = sys.argv[1]
    folder = package_folder()
    checks = Checks()
    with tempfile.TemporaryDirectory() as work:
        sim = f'{work}/sim'

        def run(*args):
            return subprocess.run([tacit, 'sim', *args], check=True, capture_output=True, text=True)

        run('init', sim)
        listed = [line.split(None, 2) for line in run('faults').stdout.splitlines()]
        faults = [name for name, row, _ in listed if row.startswith('tdx.')]
        for name, options in SHAPES.items():
            run('quote', sim, '--out', f'{work}/{name}', *options)
        for name in faults:
            run('quote', sim, '--out', f'{work}/{name}', '--fault', name)
        server = subprocess.Popen([tacit, 'sim', 'serve', sim, '--listen', '127.0.0.1:0'],
                                  stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().split()[-1]
            lines = [f'{work}/{name} {root}' for name in SHAPES for root in ('sim', 'intel')]
            lines += [f'{work}/{name} pccs {url}' for name in SHAPES]
            lines += [f'{work}/{name} sim' for name in faults]
            verdicts = judge(folder, lines)
        finally:
            server.terminate()
            server.wait(timeout=10)
    for name in SHAPES:
        checks.check(verdicts[(name, 'sim')] == ('accepted', 'UpToDate'),
                     f'{name} is accepted with the simulator\'s root')
        checks.check(verdicts[(name, 'pccs')] == ('accepted', 'UpToDate'),
                     f'{name} is accepted with collateral from the service')
        checks.check(verdicts[(name, 'intel')][0] == 'refused',
                     f'{name} is refused with Intel\'s root')
    for name in faults:
        verdict, rest = verdicts[(name, 'sim')]
        if name in KNOWN:
            checks.check(verdict == 'accepted', f'{name} passes {PACKAGE}, which {KNOWN[name]}')
        else:
            checks.check(verdict == 'refused', f'{name} is refused by {PACKAGE} too: {rest}')
    print(f'1..{checks.count}')
    return 1 if checks.failed else 0


if __name__ == '__main__':
    sys.exit(main())
