#!/usr/bin/env python3
"""The client's commands as people and scripts use them: exit codes, files, refusals that say what to do."""
import json
import os
import sys

from stack import MOCK, Claims, Stack, ask

claim = Claims()


def trust(stack):
    state = stack.state()
    return ['--trust-root', state['trust_root'], '--collateral', state['collateral'], '--gpu', 'required',
            '--gpu-root', state['gpu_root'], '--gpu-rim-root', state['gpu_rim_root'], '--rim', state['gpu_rims']]


def rows(out, result=None):
    return {r['id'] for r in json.loads(out)['rows'] if r['required'] and (result is None or r['result'] == result)}


@claim
def help_is_on_standard_output_and_errors_are_not(stack):
    for args in (['help'], ['--help'], ['chat', '--help'], ['up', '--help'], ['verify', '--help'], ['verify', 'chat', '--help'],
                 ['verify', 'report', '--help']):
        code, out, err = stack.run(*args)
        assert code == 0 and 'usage:' in out and err == '', (args, code, err)
    assert stack.run('--version')[1].startswith('tacit ')


@claim
def wrong_usage_is_2_and_names_what_was_wrong(stack):
    for args, word in ((['nonsense'], 'nonsense'), ([], 'usage'), (['verify', 'nonsense'], 'nonsense'), (['chat', '--nope'], '--nope'),
                       (['chat', '--url'], '--url'), (['chat', '--url', 'http://x', '--model', 'm', 'hi'], 'https'),
                       (['chat', '--up', '/nonexistent', 'hi'], 'tacit up'), (['verify', 'report'], 'FILE'),
                       (['verify', 'report', '/nonexistent', '--nonce', '0' * 64], '/nonexistent'),
                       (['verify', 'report', '/dev/null', '--nonce', 'zz'], '--nonce'), (['verify', 'chat'], 'FOLDER'),
                       (['verify', 'chat', '/nonexistent'], 'session.json'), (['up', '--nodes', '9'], '--nodes'),
                       (['up', '--port', '70000'], '--port'), (['up', '--model', '/nonexistent'], '/nonexistent'),
                       (['up', '--engine', '/nonexistent'], '/nonexistent'), (['up', '--dir', '/proc/x'], '/proc/x'),
                       (['chat', '--up', stack.folder, '--max-tokens', 'many', 'hi'], '--max-tokens'),
                       (['chat', '--up', stack.folder, '--trust-root', '/nonexistent', 'hi'], '/nonexistent'),
                       (['chat', '--up', stack.folder, '--at', 'noon', 'hi'], '--at'),
                       (['chat', '--url', 'https://localhost:1', '--model', 'm', 'hi'], 'attestation')):
        code, out, err = stack.run(*args)
        assert code == 2 and word in err and out == '', (args, code, out, err)


@claim
def one_tacit_up_for_each_folder(stack):
    code, _, err = stack.run('up', '--dir', stack.folder, '--engine', MOCK)
    assert code == 2 and 'another' in err, (code, err)


@claim
def a_report_by_url_is_verified_with_and_without_a_model(stack):
    for more in ([], ['--model', stack.model], ['--algo', 'ed25519']):
        code, out, err = stack.run('verify', 'report', '--url', stack.url, *trust(stack), *more)
        assert code == 0 and 'TRUSTED' in out and 'SIMULATED' in out, (code, out, err)
        assert ('node ' in out) == ('--model' in more)


@claim
def a_nodes_report_by_url_is_verified(stack):
    code, out, err = stack.run('verify', 'report', '--direct', '--brief', '--url', stack.state()['nodes'][1]['url'], *trust(stack))
    assert code == 0 and 'TRUSTED' in out, (code, out, err)


@claim
def a_report_for_another_model_is_refused(stack):
    code, out, _ = stack.run('verify', 'report', '--url', stack.state()['nodes'][0]['url'], '--direct', '--model', 'other', '--json',
                             *trust(stack))
    assert code == 1 and 'report.model' in rows(out, 'failed'), out


@claim
def a_report_is_not_taken_for_one_of_the_other_kind(stack):
    code, out, _ = stack.run('verify', 'report', '--url', stack.url, '--direct', '--json', *trust(stack))
    assert code == 1, out


def saved_report(stack):
    nonce = '5a' * 32
    reply = ask(stack.url, '/v1/attestation/report?nonce=%s&signing_algo=ecdsa&include_tls_fingerprint=true&model=%s'
                % (nonce, stack.model))
    assert reply.status == 200
    path = os.path.join(stack.folder, 'saved-report.json')
    with open(path, 'wb') as f:
        f.write(reply.body)
    return path, nonce, stack.state()['tls_spki']


@claim
def a_saved_report_is_verified_against_what_the_user_knows(stack):
    path, nonce, spki = saved_report(stack)
    good = ['verify', 'report', path, '--nonce', nonce, '--tls-spki', spki, '--model', stack.model, '--json', *trust(stack)]
    code, out, err = stack.run(*good)
    assert code == 0, (out, err)
    for change, row in ((['--nonce', '5b' * 32], 'report.nonce'), (['--tls-spki', '00' * 32], 'report.tls'),
                        (['--model', 'other'], 'report.model')):
        at = good.index(change[0])
        code, out, _ = stack.run(*good[:at], *change, *good[at + 2:])
        assert code == 1 and row in rows(out, 'failed'), (change, out)


@claim
def old_evidence_is_refused_and_judged_as_of_then_when_asked(stack):
    path, nonce, spki = saved_report(stack)
    args = ['verify', 'report', path, '--nonce', nonce, '--tls-spki', spki, '--json', *trust(stack)]
    code, out, _ = stack.run(*args, '--at', '2049-01-01T00:00:00Z')
    assert code == 1, out
    assert any(r['cause'] == 'out_of_date' for r in json.loads(out)['rows']), out


@claim
def without_collateral_nothing_is_trusted(stack):
    path, nonce, _ = saved_report(stack)
    code, out, _ = stack.run('verify', 'report', path, '--nonce', nonce, '--json', '--trust-root', stack.state()['trust_root'])
    assert code == 1 and any(r['cause'] == 'unobtainable' for r in json.loads(out)['rows']), out


@claim
def a_named_signer_is_enough_for_a_saved_chat_and_another_is_not(stack):
    folder = os.path.join(stack.folder, 'kept')
    code, _, err = stack.run('chat', '--up', stack.folder, '--save', folder, 'mock:count 3')
    assert code == 0, err
    with open(os.path.join(folder, 'signature.json')) as f:
        signer = json.load(f)['signing_address']
    files = [a for n, p in (('request', 'request.json'), ('response', 'response'), ('signature', 'signature.json'))
             for a in ('--' + n, os.path.join(folder, p))]
    assert stack.run('verify', 'chat', *files)[0] == 2
    assert stack.run('verify', 'chat', *files, '--signer', signer)[0] == 0
    code, out, _ = stack.run('verify', 'chat', *files, '--signer', '0x' + '00' * 20, '--json')
    assert code == 1 and rows(out, 'failed') == {'chat.signing_address'}, out


@claim
def the_prompt_may_come_from_standard_input(stack):
    code, out, err = stack.run('chat', '--up', stack.folder, '--system', 'Be brief.', input='mock:count 2\n')
    assert code == 0 and 'word1' in out, (out, err)
    assert stack.run('chat', '--up', stack.folder, input='')[0] == 2


@claim
def an_answer_cannot_reach_the_terminal_with_control_characters(stack):
    code, out, _ = stack.run('chat', '--up', stack.folder, 'mock:body \x1b[2J\x07 \u009b1A')
    assert code == 0 and not any(ord(c) < 32 and c not in '\n\t' or 0x7f <= ord(c) < 0xa0 for c in out), repr(out)


@claim
def a_broken_answer_is_refused_not_believed(stack):
    for prompt in ('mock:crash 3', 'mock:close 3', 'mock:badjson'):
        code, out, err = stack.run('chat', '--up', stack.folder, prompt)
        assert code == 1 and 'REFUSED' in err and 'chat.complete' in err, (prompt, code, err)


@claim
def an_error_of_the_server_is_shown_and_is_no_answer(stack):
    code, out, err = stack.run('chat', '--up', stack.folder, 'mock:error 400')
    assert code == 1 and '400' in err and out.strip() == '', (code, out, err)
    with open(os.path.join(stack.folder, 'bad.key'), 'w') as f:
        f.write('sk-' + '0' * 32 + '\n')
    code, out, err = stack.run('chat', '--up', stack.folder, '--api-key-file', os.path.join(stack.folder, 'bad.key'), 'mock:count 1')
    assert code == 1 and '401' in err, (code, err)


sys.exit(claim.run(Stack(sys.argv[1], '--engine', MOCK, '--model-name', 'mock')))
