#!/usr/bin/env python3
"""Load and misbehaviour at once, against gateway and two nodes: clients that leave anywhere, read slowly or not
at all, half-open uploads, HTTP/2 streams reset by the hundred, engines that talk too much, a node killed and
the gateway drained under load. After each: nobody died, nothing is left running, memory is bounded, and
the ledger holds for every reply what its client got, neither less nor more."""
import concurrent.futures
import http.client
import json
import os
import random
import re
import signal
import socket
import sqlite3
import ssl
import struct
import sys
import threading
import time
import uuid

from stack import MOCK, Claims, Stack, ask, connect, events_of, sha256, text_of, wait_until

claim = Claims()
SEED = int(os.environ.get('CHAOS_SEED', '0')) or random.randrange(1, 1 << 32)
CLIENTS = 8
PROMPT_TOKENS = 7  # the mock's
# A sanitizer keeps freed memory for a while: not here, where memory is measured.
os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=4:malloc_context_size=12'


def pids(stack):
    state = stack.state()
    return [state['gateway']['pid']] + [n['pid'] for n in state['nodes']]


def rss_kib(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'^VmRSS:\s+(\d+)', f.read(), re.M).group(1))


def ledger(stack):
    """{inference id: (input tokens, output tokens, stop reason)}"""
    db = sqlite3.connect('file:%s/gateway/gateway.db?mode=ro' % stack.folder, uri=True, timeout=10)
    try:
        return {r[0]: r[1:] for r in db.execute(
            'SELECT inference_id, input_tokens, output_tokens, stop_reason FROM usage')}
    finally:
        db.close()


def charge_of(chat_id):
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, chat_id))


def outstanding(stack):
    total = 0
    for n in stack.state()['nodes']:
        text = ask(n['url'], '/metrics').body.decode()
        total += int(float(re.search(r'^tacit_node_outstanding (\S+)$', text, re.M).group(1)))
    return total


def quiet(stack):
    def is_quiet():
        try:
            return outstanding(stack) == 0
        except OSError:
            return False
    wait_until(is_quiet, 30, 'no request is left at the nodes')


def no_sanitizer_spoke(stack):
    assert not stack.complaints(), stack.complaints()


class Client:
    """A chat over a socket of its own that can be left at any point, with a reset if wanted."""

    def __init__(self, stack, content, stream, url=None, key=None):
        self.stack, self.is_stream = stack, stream
        self.body = json.dumps({'model': stack.model, 'stream': stream,
                                'messages': [{'role': 'user', 'content': content}]}).encode()
        host, _, port = (url or stack.url).split('//', 1)[1].partition(':')
        self.plain = socket.create_connection((host, int(port)), timeout=60)
        self.head = ('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\n'
                     'content-type: application/json\r\ncontent-length: %d\r\n\r\n' % (key or stack.key, len(self.body))).encode()

    def shake(self):
        self.s = ssl._create_unverified_context().wrap_socket(self.plain, server_hostname='localhost')
        return self

    def send(self, size=None):
        self.s.sendall((self.head + self.body)[:size])
        return self

    def reply(self):
        self.r = http.client.HTTPResponse(self.s, method='POST')
        self.r.begin()
        return self.r

    def read_all(self):
        """(status, exact body, whether it ended as HTTP says it must)"""
        r = self.reply()
        pieces, ended = [], True
        try:
            while not pieces or pieces[-1]:
                pieces.append(r.read1(65536))
        except (http.client.IncompleteRead, OSError):
            ended = False
        self.s.close()
        return r.status, b''.join(pieces), ended

    def leave(self, reset=True):
        s = getattr(self, 's', self.plain)
        if reset:
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            except OSError:
                pass
        if getattr(self, 'r', None):
            self.r.close()
        s.close()


def check_whole(stack, client, status, body, words):
    """A reply that is complete is signed over exactly these bytes and charged exactly."""
    assert status == 200, (status, body[:300])
    if client.is_stream:
        events, done = events_of(body)
        assert done, body[-300:]
        chat_id, text = events[0]['id'], text_of(events)
    else:
        chat_id, text = json.loads(body)['id'], json.loads(body)['choices'][0]['message']['content'] or ''
    assert len(text.split()) == words, (words, text)
    signed = ask(stack.url, '/v1/signature/%s?signing_algo=ecdsa' % chat_id, key=stack.key)
    assert signed.status == 200, signed.body
    assert signed.json()['text'] == ':'.join([stack.model, sha256(client.body), sha256(body)])
    return charge_of(chat_id), (PROMPT_TOKENS, words, 'completed')


def leave_early(stack, rng, where):
    client = Client(stack, 'mock:count 3', rng.random() < 0.5)
    if where == 'connect':
        return client.leave()
    if where == 'hello':
        client.plain.sendall(b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + rng.randbytes(rng.randrange(60)))
        return client.leave(rng.random() < 0.5)
    client.shake()
    size = len(client.head) + len(client.body)
    if where == 'head':
        client.send(rng.randrange(1, len(client.head)))
    elif where == 'body':
        client.send(rng.randrange(len(client.head), size))
    client.leave(rng.random() < 0.5)


def leave_mid_stream(stack, rng, at_end):
    words = rng.randrange(5, 40)
    client = Client(stack, 'mock:count %d %d' % (words, rng.randrange(3, 15)), True).shake().send()
    r = client.reply()
    assert r.status == 200
    body = b''
    want = b'"stop"' if at_end else b'word%d ' % rng.randrange(words)
    while want not in body:
        piece = r.read1(4096)
        assert piece, body
        body += piece
    if b'[DONE]' in body:
        at_end = None  # it came in the same piece
    client.leave(rng.random() < 0.5)
    events, _ = events_of(body[:body.rindex(b'\n\n') + 2])
    return charge_of(events[0]['id']), words, len(text_of(events).split()), at_end


def one_of_many(stack, rng, seen):
    kind = rng.choice(['connect', 'hello', 'head', 'body', 'asked', 'mid', 'mid', 'end', 'whole', 'whole', 'stream', 'stream'])
    if kind in ('connect', 'hello', 'head', 'body'):
        leave_early(stack, rng, kind)
    elif kind == 'asked':
        client = Client(stack, 'mock:count %d 5' % rng.randrange(2, 30), rng.random() < 0.5).shake().send()
        time.sleep(rng.random() * 0.05)
        client.leave(rng.random() < 0.5)
    elif kind in ('mid', 'end'):
        charge, words, got, at_end = leave_mid_stream(stack, rng, kind == 'end')
        seen[charge] = ('left', words, got)
    else:
        words = rng.randrange(0, 30)
        client = Client(stack, 'mock:count %d %d' % (words, rng.randrange(5)), kind == 'stream').shake().send()
        status, body, _ = client.read_all()
        charge, what = check_whole(stack, client, status, body, words)
        seen[charge] = what


def must_be_charged(stack, seen, charges):
    for charge, what in seen.items():
        row = charges.get(charge)
        assert row is not None, 'a reply that was read is not in the ledger: %r' % (what,)
        if what[0] != 'left':
            assert row == what, (row, what)
            continue
        _, words, got = what
        assert row[2] in ('client_disconnect', 'completed'), row
        # One chunk more may have been under way for each that the client read; two have no words.
        assert got <= row[1] <= words + 2, 'read %d of %d words, charged %r' % (got, words, row)


@claim
def clients_that_leave_anywhere_harm_nobody_and_pay_for_what_they_got(stack):
    print('# seed %d (CHAOS_SEED)' % SEED, flush=True)
    before, rows = pids(stack), set(ledger(stack))
    seen, end = {}, time.monotonic() + 8

    def run(i):
        rng = random.Random(SEED + i)
        count = 0
        while time.monotonic() < end:
            one_of_many(stack, rng, seen)
            count += 1
        return count
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        total = sum(pool.map(run, range(CLIENTS)))
    print('# %d clients, %d replies read' % (total, len(seen)), flush=True)
    assert len(seen) >= 10, 'too slow to tell'
    quiet(stack)
    wait_until(lambda: set(seen) <= set(ledger(stack)), 10, 'the ledger has all')
    charges = ledger(stack)
    must_be_charged(stack, seen, charges)
    for charge in set(charges) - rows - set(seen):  # those who left before they read anything
        assert charges[charge][2] in ('client_disconnect', 'completed'), charges[charge]
    assert pids(stack) == before, 'a process died'
    no_sanitizer_spoke(stack)


@claim
def a_slow_reader_is_waited_for_in_little_memory(stack):
    assert stack.chat('mock:flood 8', True).status == 200  # what is allocated once
    quiet(stack)
    before = {p: rss_kib(p) for p in pids(stack)}
    slow = [Client(stack, 'mock:flood 400', True).shake().send() for _ in range(6)]
    time.sleep(2.5)
    grown = {p: rss_kib(p) - before[p] for p in pids(stack)}
    print('# 6 readers who do not read, 150 MiB waiting for them; grown by KiB: %s' % list(grown.values()), flush=True)
    assert set(grown) == set(before), 'a process died'
    assert all(g < 48 * 1024 for g in grown.values()), grown
    # The last one reads on: nothing was lost.
    last = slow.pop()
    status, body, ended = last.read_all()
    assert status == 200 and ended and len(text_of(events_of(body)[0])) == 400 * 65536
    for client in slow:
        client.leave()
    quiet(stack)


@claim
def half_open_uploads_do_not_keep_others_waiting(stack):
    half = []
    for i in range(60):
        client = Client(stack, 'x' * 300000, False).shake()
        client.send(len(client.head) + 100000 + i)
        half.append(client)
    began = time.monotonic()
    assert stack.chat('mock:count 2').status == 200
    assert time.monotonic() - began < 10
    for i, client in enumerate(half):
        client.leave(i % 2 == 0)
    quiet(stack)


class Http2:
    """As much of HTTP/2 as it takes to be a nuisance: no Huffman, no table, no windows of its own."""

    def __init__(self, stack):
        host, _, port = stack.url.split('//', 1)[1].partition(':')
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(['h2'])
        self.s = context.wrap_socket(socket.create_connection((host, int(port)), timeout=20), server_hostname='localhost')
        assert self.s.selected_alpn_protocol() == 'h2'
        # A window of 2^31-1 for each stream, and for the connection.
        self.s.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + self.frame(4, 0, 0, struct.pack('>HI', 4, 0x7fffffff)) +
                       self.frame(8, 0, 0, struct.pack('>I', 0x7fffffff - 65535)))
        self.key, self.model, self.host, self.left = stack.key, stack.model, host, b''

    @staticmethod
    def frame(kind, flags, stream, payload=b''):
        return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload

    def ask(self, stream, content, is_ended=True):
        body = json.dumps({'model': self.model, 'stream': True, 'messages': [{'role': 'user', 'content': content}]}).encode()
        block = b''
        for name, value in ((':method', 'POST'), (':scheme', 'https'), (':path', '/v1/chat/completions'),
                            (':authority', self.host), ('authorization', 'Bearer ' + self.key),
                            ('content-type', 'application/json')):
            block += b'\x00' + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        return self.frame(1, 4, stream, block) + self.frame(0, 1 if is_ended else 0, stream, body)

    def reset(self, stream):
        return self.frame(3, 0, stream, struct.pack('>I', 8))

    def frames(self):
        """Frames as they come; ends with the connection."""
        while True:
            while len(self.left) < 9 or len(self.left) < 9 + int.from_bytes(self.left[:3], 'big'):
                try:
                    piece = self.s.recv(65536)
                except OSError:
                    return
                if not piece:
                    return
                self.left += piece
            size = int.from_bytes(self.left[:3], 'big')
            frame, self.left = self.left[:9 + size], self.left[9 + size:]
            if frame[3] == 4 and not frame[4] & 1:
                self.s.sendall(self.frame(4, 1, 0))
            yield frame[3], frame[4], int.from_bytes(frame[5:9], 'big'), frame[9:]


@claim
def http_2_streams_reset_by_the_hundred_end_without_a_trace(stack):
    before = pids(stack)
    for round_number in range(4):
        rng = random.Random(SEED + round_number)
        h = Http2(stack)
        try:
            for i in range(300):
                n = 2 * i + 1
                h.s.sendall(h.ask(n, 'mock:count 200 10', rng.random() < 0.8) + h.reset(n))
                if rng.random() < 0.1:
                    time.sleep(0.005)
        except OSError:
            pass  # the server may have had enough
        h.s.close()
    quiet(stack)
    assert pids(stack) == before, 'a process died'
    no_sanitizer_spoke(stack)


@claim
def many_http_2_streams_on_one_connection_all_end_well(stack):
    h = Http2(stack)
    count, bodies, ended = 40, {}, set()
    h.s.sendall(b''.join(h.ask(2 * i + 1, 'mock:count %d 2' % (i + 1)) for i in range(count)))
    for kind, flags, stream, payload in h.frames():
        if kind == 0:
            bodies[stream] = bodies.get(stream, b'') + payload
        assert kind != 7, 'GOAWAY: %r' % payload
        if kind in (0, 1) and flags & 1:
            ended.add(stream)
        if len(ended) == count:
            break
    h.s.close()
    assert len(ended) == count
    seen = {}
    for i in range(count):
        events, done = events_of(bodies[2 * i + 1])
        assert done and len(text_of(events).split()) == i + 1, bodies[2 * i + 1][-300:]
        seen[charge_of(events[0]['id'])] = (PROMPT_TOKENS, i + 1, 'completed')
    must_be_charged(stack, seen, ledger(stack))


@claim
def an_engine_that_says_a_mebibyte_at_once_is_passed_on_or_refused_in_form(stack):
    for size in (1000 * 1024, 1024 * 1024 + 512, 3 * 1024 * 1024):
        for stream in (False, True):
            client = Client(stack, 'mock:big %d' % size, stream).shake().send()
            status, body, ended = client.read_all()
            assert ended, (size, stream)
            if status == 200 and stream and not events_of(body)[1]:
                assert size > 1000 * 1024, 'a mebibyte is what we say we take'
                assert 'error' in events_of(body)[0][-1], body[-300:]
            elif status == 200:
                check_whole(stack, client, status, body, 1)
            else:
                assert size > 1000 * 1024 and status >= 500 and json.loads(body)['error']['type'], (status, body[:300])


@claim
def engines_that_talk_nonsense_under_load_break_only_their_own_replies(stack):
    seen, odd = {}, ['mock:garbage', 'mock:badjson', 'mock:close 2', 'mock:nodone', 'mock:errorevent', 'mock:noid']

    def run(i):
        rng = random.Random(SEED + i)
        for _ in range(6):
            stream = rng.random() < 0.5
            if i % 2 == 0:
                client = Client(stack, 'mock:count 9 3', stream).shake().send()
                status, body, _ = client.read_all()
                charge, what = check_whole(stack, client, status, body, 9)
                seen[charge] = what
                continue
            kind = rng.choice(odd)
            status, body, ended = Client(stack, kind, stream).shake().send().read_all()
            assert ended, kind
            if status != 200:
                assert json.loads(body)['error']['type'], (kind, body[:300])
            elif stream:
                events, done = events_of(body)
                assert done == (kind == 'mock:noid') and (done or 'error' in events[-1]), (kind, body[-300:])
            else:
                assert kind == 'mock:noid' and json.loads(body)['id'], (kind, body[:300])
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(run, range(CLIENTS)))
    quiet(stack)
    must_be_charged(stack, seen, ledger(stack))
    no_sanitizer_spoke(stack)


@claim
def engines_that_hang_are_let_go_of_when_their_clients_leave(stack):
    hung = [Client(stack, 'mock:stall %d' % (i % 3), i % 2 == 0).shake().send() for i in range(6)]
    time.sleep(0.5)
    assert outstanding(stack) == len(hung)
    assert stack.chat('mock:count 2').status == 200
    for i, client in enumerate(hung):
        client.leave(i % 3 == 0)
    quiet(stack)


def under_load(stack, disturb, seconds, may_refuse):
    """Clients ask all the time while `disturb` runs; returns how many replies were whole, cut by an error event,
    answered with an error, and how many connections were refused."""
    counts, seen, lock, end = [0, 0, 0, 0], {}, threading.Lock(), time.monotonic() + seconds

    def run(i):
        rng = random.Random(SEED + 100 + i)
        while time.monotonic() < end:
            words, stream = rng.randrange(5, 40), rng.random() < 0.5
            try:
                client = Client(stack, 'mock:count %d 10' % words, stream).shake().send()
                status, body, ended = client.read_all()
            except (OSError, http.client.HTTPException):
                assert may_refuse, 'the gateway was gone'
                with lock:
                    counts[3] += 1
                time.sleep(0.1)
                continue
            result = 2
            if status != 200:
                assert status >= 429 and json.loads(body)['error']['type'], (status, body[:300])
            elif stream and not events_of(body)[1]:
                assert ended and 'error' in events_of(body)[0][-1], (ended, body[-300:])
                result = 1
            else:
                assert ended
                result = 0
                events = events_of(body)[0] if stream else [json.loads(body)]
                text = text_of(events) if stream else events[0]['choices'][0]['message']['content']
                assert len(text.split()) == words
                with lock:
                    seen[charge_of(events[0]['id'])] = (PROMPT_TOKENS, words, 'completed')
            with lock:
                counts[result] += 1
    with concurrent.futures.ThreadPoolExecutor(CLIENTS + 1) as pool:
        jobs = [pool.submit(run, i) for i in range(CLIENTS)] + [pool.submit(disturb)]
        for job in jobs:
            job.result()
    must_be_charged(stack, seen, ledger(stack))
    print('# under load: %d whole, %d cut by an error event, %d errors, %d connections refused' % tuple(counts), flush=True)
    return counts


def both_serve(stack):
    def ok(i):
        try:
            url, key = stack.state()['nodes'][i]['url'], stack.text('node-%d.token' % (i + 1))
            return stack.chat('mock:count 1', key=key, url=url).status == 200
        except OSError:
            return False
    wait_until(lambda: ok(0) and ok(1) and stack.chat('mock:count 1').status == 200, 60, 'both nodes serve')


@claim
def a_node_killed_under_load_breaks_only_what_it_was_saying(stack):
    def kill():
        time.sleep(1)
        os.kill(stack.state()['nodes'][0]['pid'], signal.SIGKILL)
    whole, cut, errors, _ = under_load(stack, kill, 4, may_refuse=False)
    assert whole > cut + errors, (whole, cut, errors)
    both_serve(stack)
    no_sanitizer_spoke(stack)


@claim
def the_gateway_drained_under_load_cuts_nobody(stack):
    def drain():
        time.sleep(1)
        os.kill(stack.state()['gateway']['pid'], signal.SIGTERM)
    whole, cut, _, _ = under_load(stack, drain, 4, may_refuse=True)
    assert whole > 0 and cut == 0, (whole, cut)
    wait_until(lambda: ask(stack.url, '/v1/health').status == 200, 60, 'the gateway is back')
    both_serve(stack)
    no_sanitizer_spoke(stack)


@claim
def stopping_twice_in_the_middle_of_everything_is_clean(stack):
    clients = [Client(stack, 'mock:count 500 20', i % 2 == 0).shake().send() for i in range(10)]
    clients += [Client(stack, 'mock:count 3', False).shake().send(200) for _ in range(3)]
    clients[0].reply()
    gateway = stack.state()['gateway']['pid']
    for _ in range(2):  # at once, the second time
        os.kill(gateway, signal.SIGTERM)
        time.sleep(0.3)
    for client in clients[1:]:
        client.leave()
    wait_until(lambda: stack.state()['gateway']['pid'] != gateway, 30, 'another gateway')
    assert stack.stop() == 0, stack.logs()
    no_sanitizer_spoke(stack)


def timed(function):
    def run(stack):
        began = time.monotonic()
        try:
            return function(stack)
        finally:
            print('# %.1f s' % (time.monotonic() - began), flush=True)
    run.__name__ = function.__name__
    return run


claim.functions = [timed(f) for f in claim.functions]
sys.exit(claim.run(Stack(sys.argv[1], '--engine', MOCK, '--model-name', 'mock')))
