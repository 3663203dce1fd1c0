#!/usr/bin/env python3
"""What breaks, breaks visibly: engines and nodes are killed in mid-answer, the gateway is stopped, the client
leaves. The engine is test/fakes/mock_engine.py, run and supervised by the nodes as llama-server is."""
import http.client
import json
import os
import signal
import sys
import time

from stack import MOCK, Claims, Stack, ask, children_of, connect, events_of, text_of, wait_until

claim = Claims()


class Stream:
    """A running streamed chat, read piece by piece."""

    def __init__(self, url, key, model, content):
        self.connection = connect(url)
        body = json.dumps({'model': model, 'stream': True, 'messages': [{'role': 'user', 'content': content}]})
        self.connection.request('POST', '/v1/chat/completions', body, {'authorization': 'Bearer ' + key,
                                                                      'content-type': 'application/json'})
        self.reply = self.connection.getresponse()
        assert self.reply.status == 200, self.reply.read()
        self.body = b''

    def read_some(self, size=400):
        while len(self.body) < size:
            piece = self.reply.read1(size)
            assert piece, 'the stream ended early: %r' % self.body
            self.body += piece
        return self

    def read_rest(self):
        try:
            while True:
                piece = self.reply.read1(65536)
                if not piece:
                    break
                self.body += piece
        except (http.client.IncompleteRead, ConnectionError, OSError):
            pass
        self.connection.close()
        return self.body

    def leave(self):
        self.connection.sock.close()
        self.reply.close()
        self.connection.close()


def node(stack, i):
    return stack.state()['nodes'][i]['url'], stack.text('node-%d.token' % (i + 1))


def chat_node(stack, i, content, **kw):
    url, token = node(stack, i)
    return stack.chat(content, key=token, url=url, **kw)


def must_be_broken(stack, body, url, key):
    """An error event at the end, no [DONE], and no signature for it."""
    events, done = events_of(body)
    assert not done and 'error' in events[-1], body[-500:]
    assert events[-1]['error']['message'] and events[-1]['error']['type'], body[-500:]
    ids = [e['id'] for e in events if 'id' in e]
    if ids:
        signed = ask(url, '/v1/signature/%s?signing_algo=ecdsa' % ids[0], key=key)
        assert signed.status == 404 or 'error_code' in signed.json(), signed.body


def engine_pid(stack, i):
    pids = children_of(stack.state()['nodes'][i]['pid'])
    assert len(pids) == 1, pids
    return pids[0]


def recovers(stack, i):
    def serves():
        try:
            return chat_node(stack, i, 'mock:count 2').status == 200
        except OSError:
            return False
    wait_until(serves, 60, 'the node answers')


@claim
def a_node_killed_in_mid_answer_ends_in_an_error_event_and_the_other_serves(stack):
    streams = [Stream(stack.url, stack.key, stack.model, 'mock:count 150 20').read_some() for _ in range(2)]
    os.kill(stack.state()['nodes'][0]['pid'], signal.SIGKILL)
    ends = [s.read_rest() for s in streams]
    broken = [b for b in ends if not events_of(b)[1]]
    assert len(broken) == 1, 'two streams on two nodes, one node killed: %d broke' % len(broken)
    must_be_broken(stack, broken[0], stack.url, stack.key)
    for _ in range(10):
        assert stack.chat('mock:count 2').status == 200


@claim
def a_killed_node_comes_back_with_new_keys_and_is_verified_anew(stack):
    recovers(stack, 0)
    os.kill(stack.state()['nodes'][1]['pid'], signal.SIGKILL)  # now only the new one can serve
    wait_until(lambda: stack.chat('mock:count 2').status == 200, 90, 'the gateway trusts the new node')


@claim
def an_engine_killed_in_mid_answer_ends_in_an_error_event_and_the_node_recovers(stack):
    recovers(stack, 0)
    url, token = node(stack, 0)
    before = stack.state()['nodes'][0]['pid']
    stream = Stream(url, token, stack.model, 'mock:count 400 20').read_some()
    os.kill(engine_pid(stack, 0), signal.SIGKILL)
    must_be_broken(stack, stream.read_rest(), url, token)
    recovers(stack, 0)
    assert stack.state()['nodes'][0]['pid'] == before, 'the node itself was restarted'


@claim
def the_same_through_the_gateway_is_an_error_event_too(stack):
    stream = Stream(stack.url, stack.key, stack.model, 'mock:crash 5')
    must_be_broken(stack, stream.read_rest(), stack.url, stack.key)
    wait_until(lambda: stack.chat('mock:count 2').status == 200, 30, 'the gateway serves')
    for i in range(2):
        recovers(stack, i)


@claim
def an_engine_that_dies_before_its_first_word_is_no_empty_answer(stack):
    reply = chat_node(stack, 0, 'mock:crash 0')
    assert reply.status >= 500, (reply.status, reply.body)
    assert reply.json()['error']['type'], reply.body
    recovers(stack, 0)


@claim
def engines_that_break_the_protocol_end_in_an_error_event(stack):
    url, token = node(stack, 0)
    for kind in ('mock:close 3', 'mock:nodone', 'mock:badjson', 'mock:errorevent'):
        body = Stream(url, token, stack.model, kind).read_rest()
        must_be_broken(stack, body, url, token)


@claim
def a_client_that_leaves_cancels_the_engines_work(stack):
    wait_until(lambda: all(ask(n['url'], '/healthz').status == 200 for n in stack.state()['nodes']), 60, 'nodes run')

    def canceled(i):
        return int(text_of(events_of(chat_node(stack, i, 'mock:canceled', stream=True).body)[0]))
    before = sum(canceled(i) for i in range(2))
    Stream(stack.url, stack.key, stack.model, 'mock:count 2000 20').read_some().leave()
    wait_until(lambda: sum(canceled(i) for i in range(2)) == before + 1, 10, 'the engine saw the client leave')


@claim
def engine_errors_pass_without_the_prompt_they_quote(stack):
    reply = stack.chat('mock:error 400 CANARY-ERROR-TEXT')
    assert reply.status == 400, reply.body
    assert b'CANARY' not in reply.body and reply.json()['error']['message'], reply.body


@claim
def sigterm_lets_running_streams_finish_and_takes_no_new_ones(stack):
    stream = Stream(stack.url, stack.key, stack.model, 'mock:count 100 30').read_some()
    gateway = stack.state()['gateway']['pid']
    os.kill(gateway, signal.SIGTERM)
    time.sleep(0.3)
    events, done = events_of(stream.read_rest())
    assert done and 'word99' in text_of(events), 'the stream was cut'
    signed = lambda: ask(stack.url, '/v1/signature/%s?signing_algo=ecdsa' % events[0]['id'], key=stack.key).status == 200

    def signed_after_restart():
        try:
            return signed()
        except OSError:
            return False
    wait_until(signed_after_restart, 60, 'the drained stream has a signature')


@claim
def a_node_that_hangs_does_not_hang_the_gateway(stack):
    pid = stack.state()['nodes'][0]['pid']
    os.kill(pid, signal.SIGSTOP)
    try:
        assert ask(stack.url, '/v1/health').status == 200
        stack.chat('mock:count 1', timeout=20)
    except OSError:
        pass  # the one that hangs was asked; that the gateway lives is what counts
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: stack.chat('mock:count 2').status == 200, 60, 'the gateway serves')


@claim
def killing_tacit_up_leaves_no_process_behind(stack):
    state = stack.state()
    pids = [state['gateway']['pid']] + [n['pid'] for n in state['nodes']]
    pids += [c for n in state['nodes'] for c in children_of(n['pid'])]
    stack.process.kill()
    stack.process.wait()

    def gone(pid):
        try:
            with open('/proc/%d/stat' % pid) as f:
                return f.read().rsplit(')', 1)[1].split()[0] == 'Z'
        except OSError:
            return True
    wait_until(lambda: all(gone(p) for p in pids), 30, 'all children ended')


sys.exit(claim.run(Stack(sys.argv[1], '--engine', MOCK, '--model-name', 'mock')))
