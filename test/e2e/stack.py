"""What end-to-end tests share: TAP, a stack started by `tacit up`, plain HTTP over its TLS."""
import atexit
import hashlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOCK = os.path.join(ROOT, 'test', 'fakes', 'mock_engine.py')
START_S = 120


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def engine_path():
    """The built llama-server, or None."""
    run = subprocess.run([os.path.join(ROOT, 'tools', 'engine.sh'), '--print'], capture_output=True, text=True)
    return run.stdout.strip() if run.returncode == 0 else None


def skip_all(why):
    print('1..0 # SKIP ' + why)
    sys.exit(77)


class Claims:
    """Test functions in order, each one a claim: prints TAP, exits with 1 if one failed."""

    def __init__(self):
        self.functions = []

    def __call__(self, function):
        self.functions.append(function)
        return function

    def run(self, stack):
        """Runs all; the last claim of a Stack is that no sanitizer complained in any process of the stack."""
        def no_process_broke_a_rule_of_the_sanitizers(stack):
            stack.stop_quietly()
            assert not stack.complaints(), stack.complaints()
        functions = list(self.functions)
        if hasattr(stack, 'complaints'):
            functions.append(no_process_broke_a_rule_of_the_sanitizers)
        print('1..%d' % len(functions), flush=True)
        failed = 0
        for number, function in enumerate(functions, 1):
            name = function.__name__.replace('_', ' ')
            try:
                why = function(stack)
                print('ok %d - %s%s' % (number, name, ' # SKIP ' + why if why else ''), flush=True)
            except Exception:
                failed += 1
                for line in traceback.format_exc().strip().split('\n'):
                    print('# ' + line)
                print('not ok %d - %s' % (number, name), flush=True)
        return 1 if failed else 0


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def connect(url, timeout=60):
    context = ssl._create_unverified_context()  # attested by other means: the tests compare the key
    host, _, port = url.split('//', 1)[1].split('/', 1)[0].partition(':')
    return http.client.HTTPSConnection(host, int(port), timeout=timeout, context=context)


def ask(url, path, body=None, key=None, method=None, headers=None, timeout=60):
    """One request, its whole reply; body: bytes, or something for JSON."""
    c = connect(url, timeout)
    all_headers = {'content-type': 'application/json'} if body is not None else {}
    if key:
        all_headers['authorization'] = 'Bearer ' + key
    all_headers.update(headers or {})
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        c.request(method or ('POST' if data is not None else 'GET'), path, data, all_headers)
        r = c.getresponse()
        return Reply(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
    finally:
        c.close()


def wait_until(condition, limit_s, what):
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError('not within %d s: %s' % (limit_s, what))
        time.sleep(0.1)


class Stack:
    """`tacit up` in a folder of its own; everything ends with the test."""

    def __init__(self, tacit, *options):
        self.tacit = os.path.abspath(tacit)
        self.folder = tempfile.mkdtemp(prefix='tacit-e2e-')
        self.output = os.path.join(self.folder, 'up.out')
        atexit.register(self.end)
        with open(self.output, 'wb') as out:
            self.process = subprocess.Popen([self.tacit, 'up', '--dir', self.folder, *options], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        wait_until(self.is_up, START_S, 'tacit up is ready')

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError('tacit up ended with %d:\n%s' % (self.process.returncode, self.logs()))
        return os.path.exists(os.path.join(self.folder, 'up.json'))

    def logs(self):
        text = ''
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(('.log', '.out')):
                with open(os.path.join(self.folder, name), 'rb') as f:
                    text += '---- %s\n%s\n' % (name, f.read()[-4000:].decode('utf-8', 'replace'))
        return text

    def state(self):
        with open(os.path.join(self.folder, 'up.json')) as f:
            return json.load(f)

    @property
    def url(self):
        return self.state()['url']

    @property
    def model(self):
        return self.state()['model']

    @property
    def key(self):
        return self.text('api.key')

    def text(self, name):
        with open(os.path.join(self.folder, name)) as f:
            return f.read().strip()

    def chat(self, content, stream=False, key=None, url=None, timeout=60, **fields):
        body = dict(model=self.model, messages=[{'role': 'user', 'content': content}], **fields)
        if stream:
            body['stream'] = True
        return ask(url or self.url, '/v1/chat/completions', body, key or self.key, timeout=timeout)

    def run(self, *args, **kw):
        """A tacit command; returns exit code, standard output, standard error."""
        run = subprocess.run([self.tacit, *args], capture_output=True, text=True, timeout=120, **kw)
        return run.returncode, run.stdout, run.stderr

    def stop(self, sig=signal.SIGTERM, limit_s=60):
        """Asks to stop; returns the exit code."""
        self.process.send_signal(sig)
        return self.process.wait(limit_s)

    def stop_quietly(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def complaints(self):
        """What sanitizers wrote into the logs, each report's first lines."""
        found = ''
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(('.log', '.out')):
                with open(os.path.join(self.folder, name), 'rb') as f:
                    text = f.read().decode('utf-8', 'replace')
                for sign in ('Sanitizer:', 'runtime error:'):
                    at = text.find(sign)
                    if at >= 0:
                        found += '%s: %s\n' % (name, text[max(0, at - 100):at + 3000])
        return found

    def end(self):
        self.stop_quietly()
        shutil.rmtree(self.folder, ignore_errors=True)


def events_of(body):
    """The JSON objects of a stream, and whether it ended with [DONE]."""
    parts = [p for p in body.decode().split('\n\n') if p.startswith('data: ')]
    return [json.loads(p[6:]) for p in parts if p != 'data: [DONE]'], bool(parts) and parts[-1] == 'data: [DONE]'


def text_of(events):
    return ''.join(c.get('delta', {}).get('content') or '' for e in events for c in e.get('choices', []))


def children_of(pid):
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/stat' % name) as f:
                    if int(f.read().rsplit(')', 1)[1].split()[1]) == pid:
                        found.append(int(name))
            except OSError:
                pass
    return found
