#!/usr/bin/env python3
"""Verification as clients of NEAR AI do it (their classic chat and model verifiers, the order of checks of
their newest SDK), with other people's libraries only: eth-keys for recovery, pycryptodome for Keccak and
Ed25519, dcap-qvl for quotes, node's JSON for the round trip. Nothing of tacit takes part in judging.

usage: third_party_near.py TACIT      prints TAP; skipped where the packages cannot be had"""
import base64
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

from stack import MOCK, Claims, Stack, ask, sha256, skip_all

claim = Claims()
PIN = pathlib.Path(__file__).with_suffix('.pin')


def packages():
    """A folder with the pinned packages, in the cache outside the tree, made once."""
    cache = pathlib.Path(os.environ.get('TACIT_CACHE') or
                         pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'tacit')
    folder = cache / 'python' / ('near-' + sha256(PIN.read_bytes())[:16])
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps',
                        '--only-binary', ':all:', '--require-hashes', '--target', str(work / 'new'), '-r', str(PIN)],
                       check=True, timeout=180, capture_output=True, text=True)
        if not folder.exists():
            (work / 'new').rename(folder)
    except subprocess.CalledProcessError as e:
        last = (e.stderr.strip() or 'no pip').split('\n')[-1]
        skip_all('pip cannot install the packages of third_party_near.pin: ' + last[:150])
    except (subprocess.SubprocessError, OSError):
        skip_all('pip cannot install the packages of third_party_near.pin')
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


sys.path.insert(0, str(packages()))
import dcap_qvl  # noqa: E402
from Crypto.Hash import keccak  # noqa: E402
from Crypto.Signature import eddsa  # noqa: E402
from eth_keys import keys as eth  # noqa: E402


def unhex(text):
    return bytes.fromhex(text[2:] if text.startswith('0x') else text)


def recovered(text, signature):
    """The address that signed, as personal_sign has it."""
    message = text.encode()
    digest = keccak.new(digest_bits=256, data=b'\x19Ethereum Signed Message:\n%d' % len(message) + message).digest()
    raw = unhex(signature)
    assert len(raw) == 65 and raw[64] in (27, 28), signature
    return eth.Signature(raw[:64] + bytes([raw[64] - 27])).recover_public_key_from_msg_hash(digest).to_address()


def check_signature(signed):
    if signed['signing_algo'] == 'ecdsa':
        assert recovered(signed['text'], signed['signature']) == signed['signing_address']
        return
    assert signed['signing_algo'] == 'ed25519'
    assert len(unhex(signed['signing_address'])) == 32 and not signed['signature'].startswith('0x')
    key = eddsa.import_public_key(unhex(signed['signing_address']))
    eddsa.new(key, 'rfc8032').verify(signed['text'].encode(), unhex(signed['signature']))


def verified_quote(stack, quote_hex):
    """What dcap-qvl makes of a quote under the simulator's root: the TD 1.0 body that old verifiers read."""
    state = stack.state()
    with open(state['collateral']) as f:
        collateral = dcap_qvl.QuoteCollateralV3.from_json(f.read())
    with open(state['trust_root']) as f:
        lines = [l for l in f.read().split('\n') if l and not l.startswith('-----')]
    root = base64.b64decode(''.join(lines))
    report = dcap_qvl.verify_with_root_ca(bytes.fromhex(quote_hex), collateral, root, int(time.time()))
    assert report.status in ('UpToDate', 'OutOfDate'), report.status
    try:
        dcap_qvl.verify(bytes.fromhex(quote_hex), collateral, int(time.time()))
        raise AssertionError('a simulated quote passed under Intel\'s root')
    except ValueError:
        pass
    return json.loads(report.to_json())['report']['TD10']


def replayed_rtmr3(log):
    """near.md 4.3; the log may be text or a list."""
    rtmr, count, named = bytes(48), 0, {}
    for e in json.loads(log) if isinstance(log, str) else log:
        if e['imr'] != 3:
            continue
        if e['event_type'] == 0x08000001:
            digest = hashlib.sha384(b'\x01\x00\x00\x08:' + e['event'].encode() + b':' + unhex(e['event_payload'])).digest()
            assert e['digest'] in ('', digest.hex()), e
            named[e['event']] = e['event_payload']
        else:
            digest = unhex(e['digest'])
        assert len(digest) == 48
        rtmr, count = hashlib.sha384(rtmr + digest).digest(), count + 1
    assert count > 0
    return rtmr, named


def check_report(stack, part, nonce, spki=None):
    """The SDK's checks, in its order."""
    assert part['request_nonce'] == nonce
    address = unhex(part['signing_address'])
    assert len(address) == {'ecdsa': 20, 'ed25519': 32}[part['signing_algo']]
    td = verified_quote(stack, part['intel_quote'])
    data = unhex(td['report_data'])
    if 'report_data' in part:
        assert part['report_data'] == data.hex()
    assert not unhex(td['td_attributes'])[0] & 1, 'the TD may be debugged'
    if part.get('tls_cert_fingerprint'):
        assert spki is None or part['tls_cert_fingerprint'] == spki
        assert data[:32] == hashlib.sha256(address + unhex(part['tls_cert_fingerprint'])).digest()
    else:
        assert spki is None, 'the fingerprint was asked for'
        assert data[:32] == address.ljust(32, b'\0')
    assert data[32:] == unhex(nonce)
    rtmr3, named = replayed_rtmr3(part['event_log'])
    assert rtmr3 == unhex(td['rt_mr3'])
    tcb = part['info']['tcb_info']
    tcb = json.loads(tcb) if isinstance(tcb, str) else tcb
    compose = hashlib.sha256(tcb['app_compose'].encode()).hexdigest()
    assert td['mr_config_id'].startswith('01' + compose), td['mr_config_id']
    assert named.get('compose-hash', compose) == compose
    if part.get('nvidia_payload'):
        assert json.loads(part['nvidia_payload'])['nonce'].lower() == nonce
    return part


def get_report(stack, **query):
    nonce = secrets.token_hex(32)
    path = '/v1/attestation/report?nonce=%s&%s' % (nonce, '&'.join('%s=%s' % i for i in query.items()))
    reply = ask(stack.url, path)
    assert reply.status == 200, reply.body
    return reply.json(), nonce


@claim
def the_classic_model_verifier_accepts_gateway_and_model(stack):
    for tls in (False, True):
        query = {'include_tls_fingerprint': 'true'} if tls else {}
        report, nonce = get_report(stack, model=stack.model, signing_algo='ecdsa', **query)
        assert isinstance(report['gateway_attestation']['event_log'], str)
        check_report(stack, report['gateway_attestation'], nonce, stack.state()['tls_spki'] if tls else None)
        assert len(report['model_attestations']) == 1
        model = check_report(stack, report['model_attestations'][0], nonce)
        assert isinstance(model['event_log'], list) and model['model_name'] == stack.model
        if tls:
            assert '-----BEGIN CERTIFICATE-----' in report['tls_certificate']


@claim
def the_report_without_an_algorithm_is_ed25519_at_the_gateway_and_ecdsa_at_the_node(stack):
    report, nonce = get_report(stack, model=stack.model)
    assert check_report(stack, report['gateway_attestation'], nonce)['signing_algo'] == 'ed25519'
    assert check_report(stack, report['model_attestations'][0], nonce)['signing_algo'] == 'ecdsa'
    report, nonce = get_report(stack)
    assert check_report(stack, report['gateway_attestation'], nonce)['signing_algo'] == 'ed25519'
    assert 'model_attestations' not in report


def chat(stack, stream, **fields):
    body = json.dumps(dict(model=stack.model, stream=stream, max_tokens=1,
                           messages=[{'role': 'user', 'content': 'Hello, how are you?'}], **fields)).encode()
    reply = ask(stack.url, '/v1/chat/completions', body, stack.key, headers={'x-no-aliasing': 'true'})
    assert reply.status == 200, reply.body
    return body, reply.body


def signature_of(stack, chat_id, algo, **query):
    extra = ''.join('&%s=%s' % i for i in query.items())
    reply = ask(stack.url, '/v1/signature/%s?signing_algo=%s%s' % (chat_id, algo, extra), key=stack.key)
    assert reply.status == 200, reply.body
    return reply.json()


def verify_chat(stack, request, chat_id, response, algo):
    """The classic chat verifier, then what the SDK adds."""
    signed = signature_of(stack, chat_id, algo, model=stack.model)
    parts = signed['text'].split(':')
    assert len(parts) in (2, 3) and parts[-2:] == [sha256(request), sha256(response)], signed['text']
    assert signed['text'] == ':'.join([json.loads(request)['model'], sha256(request), sha256(response)])
    assert signed['signature_kind'] == 'provider_tee' and signed['signing_algo'] == algo
    check_signature(signed)
    report, nonce = get_report(stack, model=stack.model, signing_algo=algo, signing_address=signed['signing_address'])
    found = [m for m in report['model_attestations'] if m['signing_address'] == signed['signing_address']]
    assert len(found) == len(report['model_attestations']) == 1
    check_report(stack, found[0], nonce)
    return signed


@claim
def a_stream_verifies_raw_and_rebuilt_from_lines(stack):
    for algo in ('ecdsa', 'ed25519'):
        for fields in ({}, {'stream_options': {'include_usage': True, 'continuous_usage_stats': True}}):
            request, response = chat(stack, True, **fields)
            rebuilt = ''.join(line + '\n' for line in response.decode().split('\n')[:-1]).encode()
            by_iterator = b''.join(line + b'\n' for line in response.splitlines())
            assert rebuilt == by_iterator == response and response.endswith(b'data: [DONE]\n\n')
            first = json.loads(response.split(b'\n')[0][len('data: '):])
            verify_chat(stack, request, first['id'], rebuilt, algo)


@claim
def a_whole_reply_verifies_also_after_a_javascript_round_trip(stack):
    for algo in ('ecdsa', 'ed25519'):
        request, response = chat(stack, False)
        verify_chat(stack, request, json.loads(response)['id'], response, algo)
    if shutil.which('node') is None:
        return 'node is not installed'
    script = 'process.stdout.write(JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf8"))))'
    again = subprocess.run(['node', '-e', script], input=response, capture_output=True, check=True).stdout
    assert again == response


@claim
def what_was_changed_is_not_verified(stack):
    request, response = chat(stack, False)
    chat_id = json.loads(response)['id']
    signed = signature_of(stack, chat_id, 'ecdsa')
    assert recovered(signed['text'] + ' ', signed['signature']) != signed['signing_address']
    signed = signature_of(stack, chat_id, 'ed25519')
    signed['text'] += ' '
    try:
        check_signature(signed)
        raise AssertionError('another text was verified')
    except ValueError:
        pass
    report, nonce = get_report(stack, model=stack.model, signing_algo='ecdsa')
    part = report['model_attestations'][0]
    quote = bytearray.fromhex(part['intel_quote'])
    quote[600] ^= 1
    for change in ({'intel_quote': quote.hex()}, {'request_nonce': '00' * 32}, {'signing_address': '0x' + '11' * 20},
                   {'event_log': [e for e in part['event_log'] if e['event'] != 'compose-hash'][:-1]}):
        try:
            check_report(stack, dict(part, **change), nonce)
        except (AssertionError, ValueError):
            continue
        raise RuntimeError('passed with another %s' % list(change))


@claim
def an_unknown_signing_address_has_no_attestation(stack):
    path = '/v1/attestation/report?model=%s&signing_algo=ecdsa&signing_address=0x%s' % (stack.model, '11' * 20)
    reply = ask(stack.url, path)
    assert reply.status in (404, 503) and reply.json()['error']['type'], (reply.status, reply.body)


sys.exit(claim.run(Stack(sys.argv[1], '--engine', MOCK, '--model-name', 'mock')))
