#!/usr/bin/env python3
"""The house rules that a machine can check (CONTRIBUTING.md): who may include whom, which file is
the door to which library, banned functions, sizes, comments, global state, headers that compile
alone, and a comment on what is declared for other folders. Prints TAP, one line a rule."""
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROWS = [['base'], ['codec', 'crypto'], ['attest', 'http', 'openai', 'e2ee', 'receipt'],
        ['net', 'store', 'engine', 'tee'], ['gateway', 'node', 'cli', 'kms', 'agent']]
ROW_OF = {folder: row for row, folders in enumerate(ROWS) for folder in folders}

# Header pattern -> the only places that may include it (files, or folders ending in '/').
DOORS = {
    r'openssl/': ['src/crypto/', 'src/net/tls'],
    r'secp256k1': ['src/crypto/k1'],
    r'sodium': ['src/crypto/'],
    r'jansson': ['src/codec/json.c'],
    r'ini\.h': ['src/codec/conf.c'],
    r'nghttp2/': ['src/http/h2'],
    r'uv\.h': ['src/net/'],
    r'curl/': ['src/net/fetch.c'],
    r'sqlite3\.h': ['src/store/sqlite'],
    r'libpq': ['src/store/pg'],
    r'libxml/': ['src/attest/'],
}
BANNED = ('strcpy strcat sprintf vsprintf gets strtok atoi atol sscanf strncpy alloca setjmp longjmp '
          'system popen rand srand').split()
BANNED_RE = re.compile(r'(?<![\w.>])(' + '|'.join(BANNED) + r')\s*\(')
SECRET_RE = re.compile(r'\bmemcmp\s*\([^;]*\b\w*(secret|passw|api_key|token_hash|mac|priv)\w*\b')
STATE_ALLOWED = {'src/main.c', 'src/base/log.c'}
FILE_MAX, FUNCTION_MAX = 800, 60

problems = {}


def problem(rule, path, line, text):
    problems.setdefault(rule, []).append('%s:%d: %s' % (path, line, text))


def files(*folders):
    for folder in folders:
        for where, dirs, names in os.walk(os.path.join(ROOT, folder)):
            dirs.sort()
            for name in sorted(names):
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def strip(text, strings=True):
    """Blanks comments (and strings) but keeps every line where it was."""
    out = []
    pattern = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    last = 0
    for m in pattern.finditer(text):
        out.append(text[last:m.start()])
        token = m.group()
        if token.startswith('/*'):
            out.append(' ' + '\n' * token.count('\n'))
        else:
            out.append(token[0] + token[0] if strings else token)
        last = m.end()
    out.append(text[last:])
    return ''.join(out)


def check_includes(path, text):
    parts = path.split('/')
    for number, line in enumerate(text.split('\n'), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        quote, name = m.groups()
        for pattern, places in DOORS.items():
            if quote == '<' and re.match(pattern, name) and not path.startswith(('test/', 'bench/')) \
                    and not any(path.startswith(p) for p in places):
                problem('doors', path, number, '<%s> belongs to %s' % (name, ', '.join(places)))
        if path.startswith('include/') and quote == '"':
            problem('ladder', path, number, 'a public header includes "%s"' % name)
        if quote != '"' or parts[0] != 'src':
            continue
        if '/' not in name:
            problem('ladder', path, number, '"%s" is not path-qualified' % name)
            continue
        other = name.split('/')[0]
        if len(parts) == 2:
            continue  # main.c sees everything
        folder = parts[1]
        if other not in ROW_OF:
            problem('ladder', path, number, '"%s" is on no row' % name)
        elif other != folder and ROW_OF[other] >= ROW_OF[folder]:
            problem('ladder', path, number, '%s/ may not include "%s"' % (folder, name))
        elif other != folder and name.endswith('_priv.h'):
            problem('ladder', path, number, '"%s" is private to %s/' % (name, other))


def check_words(path, code):
    in_test = path.startswith('test/')
    for number, line in enumerate(code.split('\n'), 1):
        for m in BANNED_RE.finditer(line):
            if not (in_test and m.group(1) in ('setjmp', 'longjmp', 'system')):
                problem('banned functions', path, number, m.group(1))
        if '//' in line:
            problem('comments', path, number, '// comment')
        if SECRET_RE.search(line):
            problem('banned functions', path, number, 'memcmp on what looks like a secret; use ct_equal')


def check_sizes(path, text, code):
    lines = text.count('\n')
    if lines > FILE_MAX:
        problem('sizes', path, lines, '%d lines; at most %d' % (lines, FILE_MAX))
    start = None
    for number, line in enumerate(code.split('\n'), 1):
        if line == '{':
            start = number
        elif line == '}' and start is not None:
            if number - start - 1 > FUNCTION_MAX and not path.startswith('test/'):
                problem('sizes', path, start, 'function of %d lines; at most %d'
                        % (number - start - 1, FUNCTION_MAX))
            start = None


def check_state(path, code):
    if path in STATE_ALLOWED or path.startswith(('test/', 'fuzz/', 'bench/')) or not path.endswith('.c'):
        return
    depth = 0
    for number, line in enumerate(code.split('\n'), 1):
        bare = line.strip()
        if bare.startswith('#'):
            continue
        if re.match(r'(static|_Thread_local|__thread)\b', bare) and not re.search(r'\bconst\b', bare):
            head = re.split(r'=', bare)[0]
            if '(' not in head and (';' in bare or '=' in bare):
                problem('global state', path, number, bare[:80])
        elif depth == 0 and re.match(r'(?!typedef|extern|enum|struct \w+;|return)[a-z]\w*(\s+\w+)*\s+\*?\w+(\[[^\]]*\])?\s*(=[^=].*|;)$', bare) \
                and not re.search(r'\bconst\b', bare) and line[:1].isalpha():
            problem('global state', path, number, bare[:80])
        depth += line.count('{') - line.count('}')


def check_docs(path, text):
    """Every run of declarations (lines without an empty one between) holds a comment."""
    if not path.endswith('.h') or path.endswith('_priv.h') or path.startswith('test/'):
        return
    block, start = [], 1
    for number, line in enumerate(text.split('\n') + [''], 1):
        if line.strip():
            if not block:
                start = number
            block.append(line)
            continue
        body = '\n'.join(block)
        code = strip(body)
        if re.search(r'^[A-Za-z_][^;{}#=]*\)\s*(PRINTF_LIKE\([^)]*\))?;', code, re.M) and '/*' not in body \
                and '{' not in code and 'static inline' not in code:
            problem('documentation', path, start, 'declared without a comment: ' + block[0][:70])
        block = []


def compile_alone(path, flags):
    cc = shlex.split(os.environ.get('CC', 'cc'))
    run = subprocess.run(cc + ['-fsyntax-only', '-std=gnu17', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE',
                               '-Iinclude', '-Isrc', '-Wno-unused-function', '-Wno-unused-const-variable']
                         + flags + ['-include', path, '-x', 'c', os.devnull],
                         cwd=ROOT, capture_output=True, text=True)
    return None if run.returncode == 0 else run.stderr.strip().split('\n')[0]


def check_headers(paths):
    flags = subprocess.run(['pkg-config', '--cflags', 'libxml-2.0'], capture_output=True, text=True).stdout.split()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, why in zip(paths, pool.map(lambda p: compile_alone(p, flags), paths)):
            if why:
                problem('headers compile alone', path, 1, why)


def main():
    every = list(files('include', 'src', 'test', 'fuzz', 'bench'))
    for path in every:
        with open(os.path.join(ROOT, path), encoding='utf-8') as f:
            text = f.read()
        code = strip(text)
        check_includes(path, strip(text, strings=False))
        check_words(path, code)
        check_sizes(path, text, code)
        check_state(path, code)
        check_docs(path, text)
    check_headers([p for p in every if p.endswith('.h') and p.startswith(('include/', 'src/'))])
    rules = ['ladder', 'doors', 'banned functions', 'comments', 'sizes', 'global state', 'documentation',
             'headers compile alone']
    print('1..%d' % len(rules))
    for number, rule in enumerate(rules, 1):
        found = problems.get(rule, [])
        for text in found:
            print('# ' + text)
        print('%s %d - house rule: %s (%d files)' % ('not ok' if found else 'ok', number, rule, len(every)))
    return 1 if problems else 0


sys.exit(main())
