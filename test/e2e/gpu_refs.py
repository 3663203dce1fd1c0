#!/usr/bin/env python3
"""GPU evidence of nodes under the gateway's and the commands' eyes: references from files and from NVIDIA's
services as the simulator plays them. The engine is test/fakes/mock_engine.py.

usage: gpu_refs.py TACIT        prints TAP"""
import json
import os
import re
import subprocess
import sys
import time

from stack import MOCK, Claims, Stack, ask, wait_until

claim = Claims()


class GpuStack(Stack):
    """`tacit up` with two GPUs for its node, and NVIDIA's services for them."""

    def __init__(self, tacit, *options):
        super().__init__(tacit, '--engine', MOCK, '--model-name', 'mock', '--nodes', '1', *options)
        self.others = []
        self.service = None

    def spawn(self, name, *args):
        with open(os.path.join(self.folder, name + '.log'), 'wb') as log:
            self.others.append(subprocess.Popen([self.tacit, *args], stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=subprocess.STDOUT))
        return self.others[-1]

    def serve(self):
        self.service = self.spawn('serve', 'sim', 'serve', os.path.join(self.folder, 'sim'), '--gpus', '2', '--listen',
                                  '127.0.0.1:0')
        found = wait_until(lambda: re.search(r'http://\S+', self.text('serve.log')), 30, 'the services are there')
        self.service_url = found.group(0)

    def gateway(self, name, *trust):
        """One more gateway for the same node; its URL once it listens."""
        conf = os.path.join(self.folder, name + '.conf')
        lines = ['[gateway]', 'listen = 127.0.0.1:0', 'state = %s/%s' % (self.folder, name), '[tee]',
                 'provider = simulator', 'path = %s/sim' % self.folder, '[trust]', 'root = %s/sim/root.pem' % self.folder,
                 'collateral = %s/sim/collateral.json' % self.folder, *trust, '[node node-1]',
                 'url = ' + self.state()['nodes'][0]['url'], 'token_file = %s/node-1.token' % self.folder, 'model = mock']
        with open(conf, 'w') as f:
            f.write('\n'.join(lines) + '\n')
        self.spawn(name, 'gateway', '--config', conf)
        found = wait_until(lambda: re.search(r'"listening".*?"port":(\d+)', self.text(name + '.log')), 30,
                           'the gateway listens: ' + conf)
        return 'https://127.0.0.1:' + found.group(1)

    def gpu_lines(self):
        return ['gpu = required', 'gpu_root = %s/sim/gpu-device-root.pem' % self.folder,
                'gpu_rim_root = %s/sim/gpu-rim-root.pem' % self.folder]

    def end(self):
        for process in getattr(self, 'others', []):
            process.terminate()
        for process in getattr(self, 'others', []):
            process.wait(60)
        super().end()


def models(url):
    return [m['id'] for m in ask(url, '/v1/models').json()['data']]


def refusals(stack, name):
    return stack.text(name + '.log').count('lease_not_renewed')


def rows_of(out):
    return {(r['subject'], r['id']): r for r in json.loads(out)['rows']}


def services(stack):
    return ['--rim-service', stack.service_url, '--ocsp-service', stack.service_url, '--gpu-cache',
            os.path.join(stack.folder, 'cache')]


@claim
def every_gpu_of_a_node_is_judged_and_simulated(stack):
    code, out, err = stack.run('verify', 'report', '--up', stack.folder, '--json')
    assert code == 0, err
    assert json.loads(out)['simulated'] is True
    rows = rows_of(out)
    for device in 'gpu[0]', 'gpu[1]':
        for row in 'gpu.report.signature', 'gpu.chain.trust', 'gpu.rim.driver.signature', 'gpu.measurements':
            assert rows[device, row]['result'] == 'passed', rows[device, row]
        assert rows[device, 'gpu.chain.revocation']['result'] == 'not_run'


@claim
def a_conversation_rests_on_them(stack):
    code, out, err = stack.run('chat', '--up', stack.folder, '--full', 'mock:count 3')
    assert code == 0, err
    assert 'gpu[1]' in err and 'SIMULATED' in err, err


@claim
def without_their_roots_the_report_is_refused(stack):
    state = stack.state()
    code, out, err = stack.run('verify', 'report', '--url', stack.url, '--model', 'mock', '--trust-root',
                               state['trust_root'], '--collateral', state['collateral'], '--json')
    assert code == 1, err
    assert rows_of(out)['gpu[0]', 'gpu.chain.trust']['result'] == 'failed', out


@claim
def services_give_manifests_and_revocation(stack):
    stack.serve()
    state = stack.state()
    roots = ['--trust-root', state['trust_root'], '--collateral', state['collateral'], '--gpu-root', state['gpu_root'],
             '--gpu-rim-root', state['gpu_rim_root'], '--gpu', 'required']
    code, out, err = stack.run('verify', 'report', '--url', stack.url, '--model', 'mock', *roots, *services(stack), '--json')
    assert code == 0, out + err
    rows = rows_of(out)
    for row in 'gpu.chain.revocation', 'gpu.rim.driver.revocation', 'gpu.rim.vbios.revocation', 'gpu.measurements':
        assert rows['gpu[1]', row]['result'] == 'passed', rows['gpu[1]', row]
    names = sorted(os.listdir(os.path.join(stack.folder, 'cache')))
    assert sum(n.startswith('rim-') for n in names) == 2 and sum(n.startswith('ocsp-') for n in names) >= 7, names
    for name in names:
        assert os.stat(os.path.join(stack.folder, 'cache', name)).st_mode & 0o777 == 0o600, name


@claim
def a_gateway_fetches_them_for_its_lease(stack):
    url = stack.gateway('fetching', *stack.gpu_lines(), 'gpu_rim_url = ' + stack.service_url,
                        'gpu_ocsp_url = ' + stack.service_url)
    wait_until(lambda: models(url) == ['mock'], 30, 'the node is leased:\n' + stack.text('fetching.log'))
    assert len(os.listdir(os.path.join(stack.folder, 'fetching', 'gpu'))) >= 9


@claim
def a_gateway_holds_gpus_to_its_policy(stack):
    policy = os.path.join(stack.folder, 'policy.json')
    with open(policy, 'w') as f:
        json.dump({'devices': {'arch': ['BLACKWELL']}}, f)
    url = stack.gateway('picky', *stack.gpu_lines(), 'gpu_rims = %s/sim/gpu-rim' % stack.folder, 'gpu_policy = ' + policy)
    wait_until(lambda: refusals(stack, 'picky') > 0, 30, 'the node is judged')
    assert '"err":"TACIT_UNTRUSTED"' in stack.text('picky.log')
    assert models(url) == []


@claim
def verify_gpu_fetches_and_then_needs_the_service_no_more(stack):
    nonce, sim = '5a' * 32, os.path.join(stack.folder, 'sim')
    code, out, err = stack.run('sim', 'gpu', sim, '--nonce', nonce, '--count', '2')
    assert code == 0, err
    evidence = os.path.join(stack.folder, 'evidence.json')
    with open(evidence, 'w') as f:
        f.write(out)
    command = ['verify', 'gpu', evidence, '--nonce', nonce, '--trust-root', sim + '/gpu-device-root.pem', '--rim-root',
               sim + '/gpu-rim-root.pem', '--brief']
    code, out, err = stack.run(*command, *services(stack))
    assert code == 0 and 'TRUSTED' in out, out + err
    stack.service.terminate()
    stack.service.wait(30)
    code, out, err = stack.run(*command, *services(stack))
    assert code == 0, out + err
    code, out, err = stack.run(*command, '--rim-service', stack.service_url)
    assert code == 1 and 'manifest NV_GPU_DRIVER' in err and 'gpu.rim.driver.format' in out, out + err


@claim
def a_gateway_without_the_service_gives_no_lease(stack):
    url = stack.gateway('cut-off', *stack.gpu_lines(), 'gpu_rim_url = ' + stack.service_url, 'gpu_ocsp_url = none')
    wait_until(lambda: refusals(stack, 'cut-off') > 0, 30, 'the node is judged')
    assert '"err":"TACIT_IO"' in stack.text('cut-off.log'), 'it would end a lease at once'
    assert models(url) == []


@claim
def a_node_without_gpus_is_refused_where_they_are_required(stack):
    bare = GpuStack(sys.argv[1], '--gpus', '0')
    try:
        assert 'gpu_root' not in bare.state()
        url = bare.gateway('wanting', 'gpu = required')
        wait_until(lambda: refusals(bare, 'wanting') > 0, 30, 'the node is judged')
        time.sleep(0.5)
        assert models(url) == []
        assert models(bare.url) == ['mock']
        code, out, err = bare.run('verify', 'report', '--up', bare.folder, '--gpu', 'required', '--json')
        assert code == 1 and rows_of(out)['node', 'gpu.payload']['result'] == 'not_run', out + err
    finally:
        bare.end()


sys.exit(claim.run(GpuStack(sys.argv[1], '--gpus', '2')))
