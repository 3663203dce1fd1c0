#!/usr/bin/env python3
"""Garbage of every kind at every endpoint gets a documented error and harms nobody; and what people asked and
were answered is found nowhere afterwards: no log, metric, error, database or other file."""
import json
import os
import random
import socket
import ssl
import sys

from stack import MOCK, Claims, Stack, ask, connect, wait_until

claim = Claims()
CANARY = 'CANARY-7f3a91-PROMPT'
ANSWER_CANARY = 'CANARY-7f3a91-ECHO'


def servers(stack):
    """(name, url, a good key) of the gateway and of one node."""
    yield 'gateway', stack.url, stack.key
    yield 'node', stack.state()['nodes'][0]['url'], stack.text('node-1.token')


def pids(stack):
    state = stack.state()
    return [state['gateway']['pid']] + [n['pid'] for n in state['nodes']]


def is_error(reply):
    error = reply.json()['error']
    return isinstance(error['message'], str) and error['message'] and isinstance(error['type'], str) and \
        set(error) <= {'message', 'type', 'param', 'code'}


PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/models', '/v1/signature/x', '/v1/attestation/report',
         '/v1/health', '/healthz', '/metrics', '/v1/check_api_key', '/', '/v1', '/v1/', '/%00', '/../../etc/passwd',
         '/v1/signature/', '/v1/signature/' + 'a' * 5000, '/v1/models/x', '/v1/embeddings', '/v1/moderations']
BODIES = [b'', b'{', b'null', b'[]', b'{}', b'"x"', b'\xff\xfe\x00', b'{"a":1,"a":2}', b'[' * 5000, b'{"model":' + b'1' * 400,
          b'{"model":"mock","messages":[]} trailing', b'{"model":{"x":1},"messages":"y"}', b'{"model":"mock"}',
          b'{"model":"mock","messages":[{"role":"user","content":"' + CANARY.encode() + b'"}],"max_tokens":-5}',
          b'{"model":"mock","messages":[{"role":"user","content":"' + CANARY.encode() + b'"}],"stream":"yes"}',
          b'{"model":"mock","messages":[{"role":"user","content":"\\ud800"}]}',
          b'{"model":"mock","messages":[{"role":"user","content":"' + CANARY.encode() + b'"}],"n":1e999}',
          b'{"model":"no\\u0000pe","messages":[]}']


@claim
def every_method_path_and_body_is_answered_in_form(stack):
    before = pids(stack)
    for name, url, key in servers(stack):
        for path in PATHS:
            for method in ('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'BREW'):
                reply = ask(url, path, b'{' if method != 'GET' else None, key, method)
                assert reply.status < 500 or reply.status == 501, (name, method, path[:60], reply.status, reply.body[:300])
                if reply.status >= 400 and method != 'HEAD':
                    assert is_error(reply), (name, method, path[:60], reply.body[:300])
        for body in BODIES:
            for path in ('/v1/chat/completions', '/v1/completions'):
                reply = ask(url, path, body, key)
                assert 400 <= reply.status < 500 and is_error(reply), (name, body[:60], reply.status, reply.body[:300])
                assert CANARY.encode() not in reply.body, reply.body
    assert pids(stack) == before, 'a process died'


@claim
def missing_and_bad_keys_are_401(stack):
    for name, url, _ in servers(stack):
        body = {'model': 'mock', 'messages': [{'role': 'user', 'content': CANARY}]}
        for value in (None, 'Bearer', 'Bearer ', 'Bearer x', 'Basic eDp5', 'Bearer sk-' + '0' * 32, 'Bearer ' + 'k' * 4000):
            reply = ask(url, '/v1/chat/completions', body, headers={'authorization': value} if value else {})
            assert reply.status == 401 and is_error(reply), (name, value, reply.status, reply.body)


@claim
def a_body_beyond_the_limit_is_413(stack):
    for name, url, key in servers(stack):
        c = connect(url)
        c.putrequest('POST', '/v1/chat/completions')
        c.putheader('authorization', 'Bearer ' + key)
        c.putheader('content-length', str(100 * 1024 * 1024))
        c.endheaders()
        try:
            reply = c.getresponse()
            assert reply.status == 413, (name, reply.status)
            assert json.loads(reply.read())['error']['type']
        finally:
            c.close()


def raw(url, data, close_early=False):
    host, _, port = url.split('//', 1)[1].partition(':')
    plain = socket.create_connection((host, int(port)), timeout=20)
    s = ssl._create_unverified_context().wrap_socket(plain, server_hostname=host)
    out = b''
    try:
        s.sendall(data)
        if not close_early:
            s.settimeout(15)
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                out += piece
    except OSError:
        pass
    finally:
        s.close()
    return out


RAW = [b'\x00' * 100 + b'\r\n\r\n', b'GET\r\n\r\n', b'GET / HTTP/1.1\r\n\r\n', b'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
       b'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', b'GET / HTTP/1.1\nHost: x\n\n',
       b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
       b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
       b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n', b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
       b'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
       b'GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n', b'GET / HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n',
       b'GET / HTTP/1.1\r\nHost: x\r\nX: ' + b'a' * 100000 + b'\r\n\r\n', b'GET /' + b'a' * 100000 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
       b'GET / HTTP/1.1\r\nHost: x\r\n' + b'X: y\r\n' * 5000 + b'\r\n', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage' * 5,
       b'GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n', b'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n']


@claim
def broken_http_is_refused_or_closed(stack):
    before = pids(stack)
    for name, url, _ in servers(stack):
        for data in RAW:
            answer = raw(url, data)
            if answer:
                status = int(answer.split(b' ', 2)[1])
                assert 400 <= status < 600, (name, data[:60], answer[:200])
            raw(url, data, close_early=True)
        rng = random.Random(2)
        for _ in range(40):
            raw(url, rng.randbytes(rng.randrange(1, 3000)), close_early=True)
        for _ in range(10):  # no TLS at all
            host, _, port = url.split('//', 1)[1].partition(':')
            with socket.create_connection((host, int(port)), timeout=5) as s:
                s.sendall(rng.randbytes(500))
        assert ask(url, '/v1/models', key=stack.key if name == 'gateway' else stack.text('node-1.token')).status == 200
    assert pids(stack) == before, 'a process died'


@claim
def tls_1_2_is_refused(stack):
    for name, url, _ in servers(stack):
        host, _, port = url.split('//', 1)[1].partition(':')
        context = ssl._create_unverified_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            with socket.create_connection((host, int(port)), timeout=10) as s, context.wrap_socket(s):
                raise AssertionError('%s spoke TLS 1.2' % name)
        except ssl.SSLError:
            pass


@claim
def strange_queries_of_the_report_are_refused(stack):
    for name, url, _ in servers(stack):
        for query in ('nonce=xyz', 'nonce=00', 'nonce=' + 'z' * 64, 'signing_algo=rsa', 'nonce=%zz', 'nonce=' + 'a' * 5000):
            reply = ask(url, '/v1/attestation/report?' + query)
            assert reply.status in (400, 414) and is_error(reply), (name, query[:40], reply.status, reply.body[:200])


@claim
def prompts_and_answers_are_found_nowhere(stack):
    text = '%s and %s' % (CANARY, ANSWER_CANARY)
    for name, url, key in servers(stack):
        for content in (text, 'mock:count 3 0 ' + text, 'mock:body ' + text, 'mock:crash 1 ' + text, 'mock:badjson ' + text,
                        'mock:close 1 ' + text, 'mock:error 500 ' + text):
            for stream in (False, True):
                wait_until(lambda: stack.chat('mock:count 1', key=key, url=url).status == 200, 60, 'serving')
                reply = stack.chat(content, stream, key, url)
                if not content.startswith('mock:body') and content != text:
                    assert CANARY.encode() not in reply.body, (name, content, reply.body)
        for path in ('/metrics', '/v1/metrics', '/v1/models', '/healthz', '/v1/health'):
            assert CANARY.encode() not in ask(url, path, key=key).body, (name, path)
    seen = 0
    for where, _, names in os.walk(stack.folder):
        for file in names:
            if not os.path.isfile(os.path.join(where, file)):
                continue  # the engine's socket
            with open(os.path.join(where, file), 'rb') as f:
                data = f.read()
            seen += 1
            for needle in (CANARY, ANSWER_CANARY):
                for form in (needle.encode(), needle.encode().hex().encode()):
                    assert form not in data, '%s is in %s' % (needle, os.path.join(where, file))
    assert seen > 8


@claim
def keys_are_found_only_where_they_were_handed_out(stack):
    key = stack.key.encode()
    token = stack.text('node-1.token').encode()
    allowed = {'api.key', 'up.out', 'node-1.token'}
    for where, _, names in os.walk(stack.folder):
        for file in names:
            if not os.path.isfile(os.path.join(where, file)):
                continue  # the engine's socket
            with open(os.path.join(where, file), 'rb') as f:
                data = f.read()
            if file not in allowed:
                assert key not in data and token not in data, os.path.join(where, file)
            if file in ('api.key', 'node-1.token'):
                assert os.stat(os.path.join(where, file)).st_mode & 0o077 == 0, file


sys.exit(claim.run(Stack(sys.argv[1], '--engine', MOCK, '--model-name', 'mock')))
