#!/usr/bin/env python3
"""One chat, byte for byte: what was received hashes to what the node signed, directly and through the
gateway, streamed and whole; and every change of it is refused by the row that should refuse it."""
import json
import os
import shutil
import subprocess
import sys

from stack import Claims, Stack, ask, engine_path, events_of, sha256, skip_all, text_of

claim = Claims()
QUESTION = 'What is the capital of France?'


def check_signed(stack, url, key, stream):
    body = json.dumps({'model': stack.model, 'messages': [{'role': 'user', 'content': QUESTION}], 'temperature': 0,
                       **({'stream': True} if stream else {})}).encode()
    reply = ask(url, '/v1/chat/completions', body, key)
    assert reply.status == 200, reply.body
    if stream:
        events, done = events_of(reply.body)
        assert done and 'Paris' in text_of(events), reply.body
        chat_id = events[0]['id']
    else:
        chat_id = reply.json()['id']
        assert 'Paris' in reply.json()['choices'][0]['message']['content']
    for algo in ('ecdsa', 'ed25519'):
        signed = ask(url, '/v1/signature/%s?signing_algo=%s' % (chat_id, algo), key=key)
        assert signed.status == 200, signed.body
        text = signed.json()['text']
        assert text == ':'.join([stack.model, sha256(body), sha256(reply.body)]), (algo, text)
        assert signed.json()['signing_algo'] == algo
    return reply


def node_of(stack):
    return stack.state()['nodes'][0]['url'], stack.text('node-1.token')


@claim
def streamed_through_the_gateway_hashes_to_what_was_signed(stack):
    check_signed(stack, stack.url, stack.key, True)


@claim
def whole_through_the_gateway_hashes_to_what_was_signed(stack):
    reply = check_signed(stack, stack.url, stack.key, False)
    again = json.dumps(reply.json(), separators=(',', ':'), ensure_ascii=False).encode()
    assert again == reply.body, 'a JavaScript round trip would change the bytes'


@claim
def streamed_directly_from_the_node_hashes_to_what_was_signed(stack):
    check_signed(stack, *node_of(stack), True)


@claim
def whole_directly_from_the_node_hashes_to_what_was_signed(stack):
    check_signed(stack, *node_of(stack), False)


def saved(stack, name):
    return os.path.join(stack.folder, name)


def trust(stack):
    state = stack.state()
    return ['--trust-root', state['trust_root'], '--collateral', state['collateral'], '--gpu', 'required',
            '--gpu-root', state['gpu_root'], '--gpu-rim-root', state['gpu_rim_root'], '--rim', state['gpu_rims']]


@claim
def tacit_chat_verifies_and_says_simulated(stack):
    code, out, err = stack.run('chat', '--up', stack.folder, '--save', saved(stack, 'exchange'), '--temperature', '0',
                               QUESTION)
    assert code == 0, err
    assert 'Paris' in out and 'TRUSTED' in err and 'SIMULATED' in err, (out, err)


@claim
def tacit_chat_verifies_a_whole_answer_with_ed25519_as_json(stack):
    code, out, err = stack.run('chat', '--up', stack.folder, '--no-stream', '--algo', 'ed25519', '--json', QUESTION)
    assert code == 0, err
    verdict = json.loads(out)
    assert verdict['verdict'] == 'trusted' and verdict['simulated'] is True and verdict['answer']
    assert all(r['result'] == 'passed' for r in verdict['rows'] if r['required'])


@claim
def tacit_chat_verifies_a_node_directly(stack):
    url, _ = node_of(stack)
    code, out, err = stack.run('chat', '--url', url, '--direct', '--model', stack.model, '--api-key-file',
                               saved(stack, 'node-1.token'), *trust(stack), QUESTION)
    assert code == 0, err
    assert 'TRUSTED' in err


@claim
def nothing_is_sent_to_a_server_without_a_trusted_root(stack):
    code, out, err = stack.run('chat', '--url', stack.url, '--model', stack.model, '--api-key-file',
                               saved(stack, 'api.key'), '--collateral', stack.state()['collateral'], QUESTION)
    assert code == 1 and out == '' and 'REFUSED' in err and 'Nothing was sent' in err, (code, out, err)


def verify(stack, folder, *options):
    code, out, err = stack.run('verify', 'chat', folder, '--json', *trust(stack), *options)
    assert code in (0, 1), (code, err)
    verdict = json.loads(out)
    assert (code == 0) == (verdict['verdict'] == 'trusted')
    return {r['id'] for r in verdict['rows'] if r['required'] and r['result'] != 'passed'}


@claim
def the_saved_exchange_verifies_offline(stack):
    assert verify(stack, saved(stack, 'exchange')) == set()


def changed(stack, name, change):
    folder = saved(stack, 'changed')
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(saved(stack, 'exchange'), folder)
    path = os.path.join(folder, name)
    with open(path, 'rb') as f:
        data = f.read()
    with open(path, 'wb') as f:
        f.write(change(data))
    return folder


def flip(at, bit=0):
    return lambda data: data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]


@claim
def every_flipped_byte_of_the_answer_is_refused_by_its_hash(stack):
    size = os.path.getsize(os.path.join(saved(stack, 'exchange'), 'response'))
    for at in range(0, size, max(1, size // 40)):
        assert 'chat.response_hash' in verify(stack, changed(stack, 'response', flip(at))), at


@claim
def every_flipped_byte_of_the_question_is_refused_by_its_hash(stack):
    path = os.path.join(saved(stack, 'exchange'), 'request.json')
    with open(path, 'rb') as f:
        data = f.read()
    inside = data.index(b'capital')
    for at in range(inside, inside + 7):
        assert verify(stack, changed(stack, 'request.json', flip(at))) == {'chat.request_hash'}, at


@claim
def another_model_name_is_refused_by_its_row(stack):
    name = stack.model.encode()
    folder = changed(stack, 'request.json', lambda d: d.replace(b'"' + name + b'"', b'"other"', 1))
    rows = verify(stack, folder)
    assert 'chat.model' in rows and 'chat.request_hash' in rows, rows


@claim
def another_nonce_is_refused_by_its_row(stack):
    nonce = json.loads(open(os.path.join(saved(stack, 'exchange'), 'session.json')).read())['nonce']
    other = ('0' if nonce[0] != '0' else '1') + nonce[1:]
    assert 'report.nonce' in verify(stack, saved(stack, 'exchange'), '--nonce', other)


@claim
def another_tls_key_is_refused_by_its_row(stack):
    assert 'report.tls' in verify(stack, saved(stack, 'exchange'), '--tls-spki', '00' * 32)


@claim
def a_flipped_signature_is_refused_by_its_row(stack):
    def change(data):
        signed = json.loads(data)
        s = signed['signature']
        at = 10
        signed['signature'] = s[:at] + ('0' if s[at] != '0' else '1') + s[at + 1:]
        return json.dumps(signed).encode()
    assert verify(stack, changed(stack, 'signature.json', change)) == {'chat.signature'}


@claim
def a_truncated_stream_is_refused(stack):
    rows = verify(stack, changed(stack, 'response', lambda d: d[:d.rindex(b'data: [DONE]')]))
    assert 'chat.complete' in rows and 'chat.response_hash' in rows, rows


@claim
def a_flipped_quote_is_refused(stack):
    def change(data):
        report = json.loads(data)
        q = report['model_attestations'][0]['intel_quote']
        at = 2 * 300
        report['model_attestations'][0]['intel_quote'] = q[:at] + ('0' if q[at] != '0' else '1') + q[at + 1:]
        return json.dumps(report).encode()
    assert verify(stack, changed(stack, 'report.json', change)), 'a changed quote was trusted'


@claim
def curl_with_http_2_gets_streamed_and_whole_answers(stack):
    features = subprocess.run(['curl', '--version'], capture_output=True, text=True).stdout
    if 'HTTP2' not in features:
        return 'this curl has no HTTP/2'
    for stream in (True, False):
        body = json.dumps({'model': stack.model, 'messages': [{'role': 'user', 'content': QUESTION}], 'stream': stream})
        run = subprocess.run(['curl', '-sk', '--http2', '-w', '\n%{http_version} %{http_code}', stack.url +
                              '/v1/chat/completions', '-H', 'authorization: Bearer ' + stack.key, '-H',
                              'content-type: application/json', '-d', body], capture_output=True, text=True, timeout=60)
        answer, last = run.stdout.rsplit('\n', 1)
        assert last == '2 200', run.stdout
        assert ('[DONE]' in answer) == stream


@claim
def curl_accepts_the_key_that_was_printed_and_no_other(stack):
    printed = open(stack.output).read()
    pin = printed.split("--pinnedpubkey '", 1)[1].split("'", 1)[0]
    for value, code in ((pin, 0), ('sha256//' + 'A' * 43 + '=', 90)):
        run = subprocess.run(['curl', '-sk', '--pinnedpubkey', value, stack.url + '/v1/health'], capture_output=True)
        assert run.returncode == code, (value, run.returncode)


@claim
def stopping_leaves_nothing_behind(stack):
    state = stack.state()
    pids = [state['gateway']['pid']] + [n['pid'] for n in state['nodes']]
    assert stack.stop() == 0, stack.logs()
    assert not [p for p in pids if os.path.exists('/proc/%d' % p)]
    assert not os.path.exists(os.path.join(stack.folder, 'up.json'))
    assert not os.path.exists(os.path.join(stack.folder, 'api.key'))


if engine_path() is None:
    skip_all('the engine is not built; run: make engine')
sys.exit(claim.run(Stack(sys.argv[1])))
