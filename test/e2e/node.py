#!/usr/bin/env python3
"""One node alone, beside test/fakes/mock_engine.py which it supervises as it does llama-server: its endpoints,
exact hashes, and what it does when engine or client misbehave."""
import atexit
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid

from stack import MOCK, Claims, ask, children_of, connect, events_of, sha256, text_of, wait_until

claim = Claims()
TOKEN = 'node-token-0123456789'
MODEL = 'test/mock'
CANARY = 'CANARY-' + uuid.uuid4().hex


class Node:
    """`tacit node` in a folder of its own."""

    def __init__(self, tacit, engine=None, gpu=False):
        self.tacit = os.path.abspath(tacit)
        self.folder = tempfile.mkdtemp(prefix='tacit-node-test-')
        atexit.register(self.end)
        self.write('token', TOKEN + '\n')
        self.write('model.gguf', 'weights of no use')
        engine = engine or ('kind = llama-server\nbinary = %s\nmodel_file = %s/model.gguf\n' % (MOCK, self.folder))
        self.conf = ('[node]\nlisten = 127.0.0.1:0\nmodel = %s\nworkers = 2\nmax_outstanding = 8\n[engine]\n%s'
                     'between_timeout = 2s\nfirst_byte_timeout = 5s\n[tee]\nprovider = simulator\npath = %s/sim\n'
                     '[token test]\nfile = %s/token\n' % (MODEL, engine, self.folder, self.folder))
        if gpu:
            self.conf += '[gpu]\nprovider = simulator\npath = %s/gpu\ncount = 2\n' % self.folder
        self.write('node.conf', self.conf)
        self.err = open(os.path.join(self.folder, 'err'), 'wb')
        self.process = subprocess.Popen([self.tacit, 'node', '--config', self.folder + '/node.conf'],
                                        stdout=subprocess.PIPE, stderr=self.err)
        line = self.process.stdout.readline().decode()
        assert line.startswith('listening on '), 'the node did not start: ' + self.log()
        self.url = line.split()[2]
        wait_until(lambda: ask(self.url, '/healthz').status == 200, 30, 'the node is ready')

    def write(self, name, text):
        with open(os.path.join(self.folder, name), 'w') as f:
            f.write(text)

    def log(self):
        with open(os.path.join(self.folder, 'err'), 'rb') as f:
            return f.read().decode()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, path, body=None, key=TOKEN, **kw):
        return ask(self.url, path, body, key, **kw)

    def body(self, text, stream, **fields):
        return json.dumps(dict(model=MODEL, messages=[{'role': 'user', 'content': text}], stream=stream, **fields)).encode()

    def chat(self, text, stream=False, headers=None, **fields):
        return self.ask('/v1/chat/completions', self.body(text, stream, **fields), headers=headers)

    def error(self, reply, status, kind):
        assert reply.status == status, (reply.status, reply.body)
        e = reply.json()['error']
        assert e['type'] == kind and e['param'] is None and e['code'] is None and e['message'], e
        return e['message']

    def metric(self, name):
        return float(re.search(r'^%s (\S+)$' % name, self.ask('/metrics').body.decode(), re.M).group(1))


def check_signatures(node, chat_id, request, response):
    """The signed text names exactly these bytes, for both algorithms and in the receipt."""
    for algo in ('ecdsa', 'ed25519'):
        r = node.ask('/v1/signature/%s?signing_algo=%s' % (chat_id, algo))
        assert r.status == 200, r.body
        s = r.json()
        assert s['text'] == '%s:%s:%s' % (MODEL, sha256(request), sha256(response)), (s['text'], response)
        assert s['signing_algo'] == algo
    receipt = node.ask('/v1/internal/receipt/' + chat_id).json()
    assert [s['signing_algo'] for s in receipt['signatures']] == ['ecdsa', 'ed25519']
    assert all(s['text'] == receipt['signatures'][0]['text'] for s in receipt['signatures'])
    return receipt


@claim
def open_endpoints_need_no_token(node):
    assert node.ask('/', key=None).body == b'{}'
    version = node.ask('/version', key=None).json()
    assert version['type'] == 'proxy' and version['version']
    health = node.ask('/healthz', key=None).json()
    assert health['status'] == 'ok' and health['engine'] == 'ready' and health['tee'] == 'SIMULATED', health
    assert 'tacit_node_outstanding' in node.ask('/metrics', key=None).body.decode()
    models = node.ask('/v1/models', key=None).json()
    assert [m['id'] for m in models['data']] == [MODEL]
    engine = node.ask('/v1/metrics', key=None)
    assert engine.status == 200 and engine.body == b'mock_requests_total 1\n', engine.body


@claim
def what_is_not_in_the_table_is_refused_here(node):
    for path in ('/nope', '/v1/embeddings/x', '/slots', '/props', '/v1/signature/', '/v1/../metrics'):
        node.error(node.ask(path), 404, 'not_found')
    r = node.ask('/v1/models', b'{}')
    assert r.status == 405 and r.headers['allow'] == 'GET', (r.status, r.headers)


@claim
def a_token_is_needed_where_it_counts(node):
    for path, body in (('/v1/chat/completions', b'{}'), ('/v1/completions', b'{}'), ('/v1/signature/x', None),
                       ('/v1/internal/receipt/x', None)):
        for value in (None, 'Bearer wrong-token-0123456789', 'Basic ' + TOKEN, 'Bearer', 'Bearer ', TOKEN):
            r = ask(node.url, path, body, headers={'authorization': value} if value else None)
            assert node.error(r, 401, 'unauthorized') == 'Invalid or missing Authorization header'


@claim
def a_stream_hashes_to_what_is_signed(node):
    request = b'{ "model" : "test/mock",\n "stream":true, "messages":[{"role":"user","content":"h\\u00e9llo"}] }'
    r = node.ask('/v1/chat/completions', request)
    assert r.status == 200 and r.headers['content-type'] == 'text/event-stream'
    events, done = events_of(r.body)
    assert done and text_of(events) == 'Hello there.'
    assert r.body.endswith(b'data: [DONE]\n\n')
    check_signatures(node, events[0]['id'], request, r.body)


@claim
def a_whole_reply_hashes_to_what_is_signed(node):
    request = node.body('hello', False)
    r = node.ask('/v1/chat/completions', request)
    reply = r.json()
    assert reply['object'] == 'chat.completion' and reply['choices'][0]['message']['content'] == 'Hello there.'
    assert reply['usage']['completion_tokens'] == 2
    check_signatures(node, reply['id'], request, r.body)


@claim
def completions_are_served_and_signed_too(node):
    for stream in (False, True):
        request = json.dumps({'model': MODEL, 'prompt': 'once', 'stream': stream}).encode()
        r = node.ask('/v1/completions', request)
        assert r.status == 200, r.body
        first = events_of(r.body)[0][0] if stream else r.json()
        check_signatures(node, first['id'], request, r.body)


@claim
def a_reply_survives_a_javascript_round_trip(node):
    r = node.chat('hello', stream=True, stream_options={'include_usage': True})
    for line in r.body.decode().split('\n\n')[:-2]:
        text = line[len('data: '):]
        assert json.dumps(json.loads(text), separators=(',', ':'), ensure_ascii=False) == text, text
        assert 'timings' not in text


@claim
def usage_is_shown_as_asked_and_always_in_the_receipt(node):
    for asked in (False, True):
        options = {'stream_options': {'include_usage': True}} if asked else {}
        request = node.body('mock:count 5', True, **options)
        r = node.ask('/v1/chat/completions', request)
        events, _ = events_of(r.body)
        assert sum(1 for e in events if e.get('usage')) == (1 if asked else 0), events
        receipt = check_signatures(node, events[0]['id'], request, r.body)
        assert receipt['usage']['completion_tokens'] == 5 and receipt['usage']['prompt_tokens'] == 7, receipt


@claim
def a_trusted_caller_may_name_the_request_hash(node):
    other = hashlib.sha256(b'what the client sent').hexdigest()
    r = node.chat('hello', headers={'x-request-hash': other})
    assert node.ask('/v1/signature/' + r.json()['id']).json()['text'].split(':')[1] == other
    for bad in ('12', 'z' * 64, other + 'ab'):
        request = node.body('hello', False)
        r = node.ask('/v1/chat/completions', request, headers={'x-request-hash': bad})
        assert node.ask('/v1/signature/' + r.json()['id']).json()['text'].split(':')[1] == sha256(request)


@claim
def the_signature_is_there_before_the_last_bytes(node):
    for _ in range(20):
        c = connect(node.url)
        c.request('POST', '/v1/chat/completions', node.body('hello', True), {'authorization': 'Bearer ' + TOKEN})
        r, body = c.getresponse(), b''
        while b'[DONE]' not in body:
            body += r.read1(65536)
        chat_id = json.loads(body.split(b'\n')[0][6:])['id']
        assert node.ask('/v1/signature/' + chat_id).status == 200
        c.close()


@claim
def an_id_is_minted_when_the_engine_gives_none(node):
    for stream in (False, True):
        request = node.body('mock:noid', stream)
        r = node.ask('/v1/chat/completions', request)
        chat_id = (events_of(r.body)[0][0] if stream else r.json())['id']
        assert re.fullmatch(r'chatcmpl-[0-9a-f]{24}', chat_id), chat_id
        check_signatures(node, chat_id, request, r.body)


@claim
def the_engine_gets_the_clients_bytes_and_what_it_must_be_told(node):
    r = node.chat('mock:body', temperature=0.25, user='somebody', priority=9, surprise={'a': 1})
    seen = json.loads(r.json()['choices'][0]['message']['content'])
    assert seen['stream'] is True and seen['stream_options']['include_usage'] is True
    assert seen['temperature'] == 0.25 and seen['cache_prompt'] is False
    assert 'priority' not in seen and 'surprise' not in seen, seen


@claim
def bad_requests_are_named(node):
    post = lambda body: node.ask('/v1/chat/completions', body)
    assert node.error(post(b'{"model":'), 400, 'bad_request').startswith('Invalid JSON')
    for body in (b'', b'[]', b'{}', b'{"model":"test/mock"}', b'{"model":"test/mock","messages":[]}',
                 b'{"model":"test/mock","model":"x","messages":[{"role":"user","content":"x"}]}',
                 b'\xff\xfe', b'{"model":"other","messages":[{"role":"user","content":"x"}]}'):
        node.error(post(body), 400, 'bad_request')
    for field in ('cache_salt', 'kv_transfer_params', 'chat_template', 'input_ids'):
        message = node.error(node.chat('x', **{field: 'y'}), 400, 'bad_request')
        assert field in message, message


@claim
def a_body_over_the_limit_is_refused(node):
    r = node.ask('/v1/chat/completions', b'x' * (10 * 1024 * 1024 + 1))
    assert node.error(r, 413, 'payload_too_large') == 'Request body too large. Maximum: 10485760 bytes'


@claim
def an_engines_error_is_passed_on_without_the_prompt(node):
    for status in (400, 404, 422):
        message = node.error(node.chat('mock:error %d %s' % (status, CANARY)), status, 'BadRequestError')
        assert CANARY not in message and 'validation error' in message, message
    assert node.chat('mock:error 500').status == 500


@claim
def an_engine_that_breaks_a_stream_ends_it_with_an_error_event(node):
    for text in ('mock:close 3', 'mock:nodone', 'mock:badjson', 'mock:errorevent', 'mock:stall 2'):
        r = node.chat(text, stream=True)
        assert r.status == 200, (text, r.body)
        events, done = events_of(r.body)
        assert not done and 'error' in events[-1] and events[-1]['error']['type'], (text, r.body)
        assert node.ask('/v1/signature/' + events[0]['id']).status == 404, text


@claim
def an_engine_that_breaks_a_whole_reply_gives_an_error(node):
    for text, status in (('mock:close 3', 503), ('mock:nodone', 502), ('mock:badjson', 502), ('mock:garbage', 502),
                         ('mock:stall 2', 504)):
        r = node.chat(text)
        assert r.status == status, (text, r.status, r.body)
        assert r.json()['error']['message']


@claim
def plain_json_from_the_engine_is_taken_for_a_whole_reply(node):
    request = node.body('mock:plain', False)
    r = node.ask('/v1/chat/completions', request)
    assert r.json()['choices'][0]['message']['content'] == 'plain'
    check_signatures(node, 'chatcmpl-plain', request, r.body)
    assert node.chat('mock:plain', stream=True).status == 502


@claim
def an_engine_killed_in_mid_answer_is_started_again(node):
    for stream in (True, False):
        r = node.chat('mock:crash 3 ' + CANARY, stream=stream)
        if stream:
            events, done = events_of(r.body)
            assert not done and 'error' in events[-1] and text_of(events[:-1]) == 'word0 word1 word2 '
        else:
            assert r.status == 503 and r.headers['retry-after'], (r.status, r.body)
        wait_until(lambda: node.ask('/healthz').status == 200, 20, 'the engine is back')
        assert node.chat('hello').status == 200
    assert node.metric('tacit_node_engine_crashes_total') == 2


@claim
def a_client_that_leaves_ends_the_engines_work(node):
    before = int(node.chat('mock:canceled').json()['choices'][0]['message']['content'])
    for stream in (True, False):
        c = connect(node.url)
        c.request('POST', '/v1/chat/completions', node.body('mock:count 2000 5', stream), {'authorization': 'Bearer ' + TOKEN})
        time.sleep(0.3)
        c.sock.close()
        c.close()
    canceled = lambda: int(node.chat('mock:canceled').json()['choices'][0]['message']['content'])
    wait_until(lambda: canceled() == before + 2, 10, 'the engine saw both leave')
    wait_until(lambda: node.metric('tacit_node_outstanding') == 0, 5, 'their places are free')


@claim
def a_slow_client_slows_the_engine(node):
    host, port = node.url.split('//')[1].split(':')
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    raw.connect((host, int(port)))
    c = connect(node.url, timeout=60)
    c.sock = ssl._create_unverified_context().wrap_socket(raw)
    c.request('POST', '/v1/chat/completions', node.body('mock:count 60000', True), {'authorization': 'Bearer ' + TOKEN})
    r = c.getresponse()
    progress = lambda: int(node.chat('mock:progress').json()['choices'][0]['message']['content'])

    def has_stalled():
        before = progress()
        time.sleep(0.7)
        return progress() == before

    wait_until(has_stalled, 20, 'the engine waits')
    assert 0 < progress() < 50000, 'nobody held the engine back: %d' % progress()
    events, done = events_of(r.read())
    assert done and text_of(events).endswith('word59999 ')
    c.close()


@claim
def one_too_many_is_told_to_come_again(node):
    held = []
    for _ in range(8):
        c = connect(node.url)
        c.request('POST', '/v1/chat/completions', node.body('mock:count 2000 20', True), {'authorization': 'Bearer ' + TOKEN})
        held.append(c)
    wait_until(lambda: node.metric('tacit_node_outstanding') == 8, 10, 'all are in')
    r = node.chat('hello')
    assert r.status in (429, 503) and int(r.headers['retry-after']) > 0, (r.status, r.headers)
    for c in held:
        c.sock.close()
        c.close()
    wait_until(lambda: node.chat('hello').status == 200, 10, 'there is room again')


@claim
def many_at_once_are_all_exact(node):
    def one(i):
        request = node.body('mock:count %d' % (i % 7 + 1), i % 2 == 0, user='u%d' % i)
        while True:
            r = node.ask('/v1/chat/completions', request)
            if r.status != 429:
                break
            time.sleep(0.05)
        chat_id = (events_of(r.body)[0][0] if i % 2 == 0 else r.json())['id']
        check_signatures(node, chat_id, request, r.body)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(one, range(60)))


@claim
def the_request_id_is_echoed_or_made(node):
    mine = str(uuid.uuid4())
    assert node.ask('/', headers={'x-request-id': mine}).headers['x-request-id'] == mine
    made = node.ask('/', headers={'x-request-id': 'not a uuid'}).headers['x-request-id']
    assert uuid.UUID(made).version == 4
    assert uuid.UUID(node.ask('/nope').headers['x-request-id'])


@claim
def http_2_gives_the_same(node):
    if shutil.which('curl') is None:
        return 'curl is not installed'
    request = node.body('hello', True)
    run = subprocess.run(['curl', '-sk', '--http2', '-w', '%{http_version}', '-H', 'authorization: Bearer ' + TOKEN, '-H',
                          'content-type: application/json', '--data-binary', '@-', node.url + '/v1/chat/completions'],
                         input=request, capture_output=True, timeout=30)
    assert run.returncode == 0 and run.stdout.endswith(b'\n\n2'), run
    body = run.stdout[:-1]
    check_signatures(node, events_of(body)[0][0]['id'], request, body)
    for _ in range(10):  # an answer that comes before the body is through
        run = subprocess.run(['curl', '-sk', '--http2', '-d', '{}', node.url + '/v1/chat/completions'], capture_output=True)
        assert run.returncode == 0 and json.loads(run.stdout)['error']['type'] == 'unauthorized', run


@claim
def the_report_obeys_its_query(node):
    nonce = os.urandom(32).hex()
    for algo in ('ecdsa', 'ed25519'):
        for tls in ('true', 'false'):
            r = node.ask('/v1/attestation/report?nonce=%s&signing_algo=%s&include_tls_fingerprint=%s' % (nonce, algo, tls),
                         key=None)
            assert r.status == 200 and r.headers['cache-control'] == 'no-store', r.body
            report = r.json()
            assert report['request_nonce'] == nonce and report['signing_algo'] == algo
            assert report['model_name'] == MODEL and report['nvidia_payload'] == ''
            assert ('tls_cert_fingerprint' in report) == (tls == 'true')
            inner = dict(report)
            assert inner.pop('all_attestations') == [inner]
            address = report['signing_address']
            assert node.ask('/v1/attestation/report?signing_algo=%s&signing_address=%s' % (algo, address.upper().replace('0X', '0x'))).status == 200
    bad = lambda query: node.ask('/v1/attestation/report?' + query)
    assert node.error(bad('nonce=zz'), 400, 'bad_request') == 'Nonce must be hex-encoded'
    assert node.error(bad('nonce=abcd'), 400, 'bad_request') == 'Nonce must be 32 bytes'
    assert node.error(bad('nonce=' + 'a' * 1000), 400, 'bad_request') == 'Nonce must be 32 bytes'
    assert node.error(bad('signing_algo=rsa'), 400, 'bad_request') == "Invalid signing algorithm. Must be 'ed25519' or 'ecdsa'"
    assert node.error(bad('signing_address=0x12'), 404, 'not_found') == 'Signing address not found on this server'
    node.error(bad('include_tls_fingerprint=maybe'), 400, 'bad_request')


@claim
def reports_without_a_nonce_are_kept_and_those_with_one_are_fresh(node):
    report = lambda query: node.ask('/v1/attestation/report' + query).json()
    first, second = report(''), report('')
    assert first['request_nonce'] == second['request_nonce'] and first['intel_quote'] == second['intel_quote']
    assert report('?signing_algo=ed25519')['intel_quote'] != first['intel_quote']
    a, b = os.urandom(32).hex(), os.urandom(32).hex()
    assert report('?nonce=' + a)['request_nonce'] == a and report('?nonce=' + b)['request_nonce'] == b


@claim
def many_who_ask_for_a_report_at_once_get_one_and_the_same(node):
    other = Node(node.tacit)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _: other.ask('/v1/attestation/report', key=None), range(6)))
    assert {r.status for r in replies} == {200} and len({r.body for r in replies}) == 1
    other.end()


@claim
def gpu_evidence_answers_the_same_nonce(node):
    other = Node(node.tacit, gpu=True)
    nonce = os.urandom(32).hex()
    report = other.ask('/v1/attestation/report?nonce=' + nonce).json()
    payload = json.loads(report['nvidia_payload'])
    assert payload['nonce'] == nonce and len(payload['evidence_list']) == 2, payload.keys()
    other.end()


@claim
def what_runs_is_in_the_event_log(node):
    events = {e['event']: e['event_payload'] for e in node.ask('/v1/attestation/report').json()['event_log']}
    digest = lambda path: hashlib.sha256(open(path, 'rb').read()).hexdigest()
    assert events['tacit-config'] == sha256(node.conf.encode())
    assert events['tacit-model-name'] == MODEL.encode().hex()
    assert events['tacit-engine-binary'] == digest(MOCK)
    assert events['tacit-model-file'] == digest(node.folder + '/model.gguf')


@claim
def a_verifier_trusts_the_report_with_the_simulators_root_only(node):
    def verify(*options):
        run = subprocess.run([node.tacit, 'verify', 'report', '--url', node.url, '--direct', '--model', MODEL, '--json', *options],
                             capture_output=True, text=True, timeout=60)
        return run.returncode, run.stdout + run.stderr

    sim = node.folder + '/sim'
    roots = [os.path.join(sim, n) for n in os.listdir(sim) if 'root' in n and n.endswith(('.pem', '.der', '.crt'))]
    collateral = [os.path.join(sim, n) for n in os.listdir(sim) if 'collateral' in n]
    assert roots and collateral, os.listdir(sim)
    code, text = verify('--trust-root', roots[0], '--collateral', collateral[0])
    assert code == 0, text[-3000:]
    code, text = verify('--collateral', collateral[0])
    assert code == 1, text[-3000:]


@claim
def garbage_on_the_wire_does_no_harm(node):
    host, port = node.url.split('//')[1].split(':')
    context = ssl._create_unverified_context()
    for junk in (b'\x00' * 100, b'GET / HTTP/1.1\r\n\r\n', b'GET / HTTP/9.9\r\nhost: x\r\n\r\n', b'POST /v1/chat/completions HTTP/1.1\r\n'
                 b'host: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n', b'A' * 70000):
        with socket.create_connection((host, int(port)), timeout=20) as raw, context.wrap_socket(raw) as s:
            s.sendall(junk)
            try:
                answer = s.recv(65536)
            except OSError:
                answer = b''
            assert answer == b'' or answer.split(b' ')[1] in (b'400', b'408', b'414', b'431', b'505'), answer
    assert node.ask('/healthz').status == 200


@claim
def prompts_are_in_no_log_metric_or_file(node):
    node.chat(CANARY)
    node.chat('mock:count 3 ' + CANARY, stream=True)
    everything = node.log() + node.ask('/metrics').body.decode()
    for folder, _, names in os.walk(node.folder):
        for name in names:
            with open(os.path.join(folder, name), 'rb') as f:
                everything += f.read().decode('latin-1')
    assert CANARY not in everything and TOKEN not in node.log() and 'word0' not in node.log()
    assert 'request_end' in node.log()


@claim
def a_running_stream_ends_whole_after_sigterm(node):
    children = children_of(node.process.pid)
    assert children
    c = connect(node.url)
    request = node.body('mock:count 40 25', True)
    c.request('POST', '/v1/chat/completions', request, {'authorization': 'Bearer ' + TOKEN})
    r = c.getresponse()
    body = r.read1(100)
    node.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    try:
        ask(node.url, '/healthz', timeout=3)
        raise AssertionError('it still takes connections')
    except OSError:
        pass
    body += r.read()
    assert body.endswith(b'data: [DONE]\n\n') and text_of(events_of(body)[0]).endswith('word39 '), body[-300:]
    assert node.process.wait(10) == 0, node.log()[-2000:]
    for pid in children:
        assert not os.path.exists('/proc/%d' % pid), 'the engine is still there'


@claim
def an_external_engine_is_used_and_watched(node):
    engine = subprocess.Popen([MOCK, '--alias', 'inner-name'], stdout=subprocess.PIPE)
    try:
        port = int(engine.stdout.readline())
        other = Node(node.tacit, engine='kind = external\nurl = http://127.0.0.1:%d\nmodel = inner-name\ncache_salt = true\n' % port)
        request = other.body('mock:body', False)
        r = other.ask('/v1/chat/completions', request, headers={'x-org-id': 'org-1'})
        check_signatures(other, r.json()['id'], request, r.body)
        seen = json.loads(r.json()['choices'][0]['message']['content'])
        assert seen['model'] == 'inner-name' and re.fullmatch('[0-9a-f]{64}', seen['cache_salt']), seen
        assert re.fullmatch('[0-9a-f]{32}', seen.get('rid') or seen.get('request_id')), seen
        assert r.json()['model'] == MODEL
        engine.kill()
        engine.wait()
        r = other.chat('hello')
        assert r.status == 503 and r.headers['retry-after'], (r.status, r.body)
        wait_until(lambda: other.ask('/healthz').status == 503, 25, 'its loss is seen')
    finally:
        engine.kill()
        engine.wait()


if __name__ == '__main__':
    sys.exit(claim.run(Node(sys.argv[1])))
