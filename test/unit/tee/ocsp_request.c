/* Claims about OCSP requests: the simulated responder answers them, and the openssl command line
 * reads them as we meant them. Here and not beside crypto/, because the responder is in tee/. */
#include "cmocka_all.h"

#include <fcntl.h>

#include "attest/gpu_evidence.h"
#include "attest/gpu_ocsp.h"
#include "base/file.h"
#include "crypto/cert_make.h"
#include "crypto/ocsp_request.h"
#include "fakes/child.h"
#include "tee/sim_gpu.h"

enum { NOW = 1767225600, DOC_MAX = 512 * 1024 };

static const uint8_t nonce[OCSP_NONCE_LEN] = {0xa1, 0xb2, 0xc3};

struct scene {
    struct sim_gpu *g;
    struct buf payload;
    struct arena arena;
    struct gpu_chain chain;
};

static void scene_make(struct scene *s)
{
    struct sim_gpu_opts opts = {.seed = {7}, .count = 1, .now_unix_s = NOW};
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    const char *why;
    size_t count;

    *s = (struct scene){.payload = buf_make(DOC_MAX), .arena = arena_make(4 * 1024 * 1024)};
    assert_ok(sim_gpu_new(&s->g, &opts));
    assert_ok(sim_gpu_payload(s->g, &s->payload, nonce));
    assert_ok(gpu_evidence_read(items, &count, &why, buf_bytes(&s->payload), &s->arena));
    assert_ok(gpu_chain_parse(&s->chain, &why, items[0].chain_pem, &s->arena));
}

static void scene_done(struct scene *s)
{
    arena_done(&s->arena);
    buf_done(&s->payload);
    sim_gpu_free(s->g);
}

static void the_responder_answers_what_was_asked(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s);
    for (size_t i = 1; i < GPU_CHAIN_LEN - 1; i++) {
        struct buf request = buf_make(1024);
        struct buf reply = buf_make(LIMIT_OCSP_BYTES);
        struct gpu_ocsp_rules rules = {.now_unix_s = NOW};
        struct ocsp_answer answer;
        enum tacit_row_cause cause;
        const char *why;

        assert_ok(ocsp_request_make(&request, &s.chain.certs[i], &s.chain.certs[i + 1], nonce));
        assert_ok(sim_gpu_ocsp_request(s.g, &reply, buf_bytes(&request)));
        assert_ok(ocsp_parse(&answer, buf_bytes(&reply)));
        assert_int_equal(gpu_ocsp_judge(&why, &cause, &answer, &s.chain.certs[i],
                                        &s.chain.certs[i + 1], BYTES_ARRAY(nonce), &rules),
                         GPU_OCSP_GOOD);
        buf_done(&request);
        buf_done(&reply);
    }
    scene_done(&s);
}

static void an_issuer_without_a_readable_key_is_refused(void **state)
{
    struct scene s;
    struct x509_cert issuer;
    struct buf request = buf_make(1024);

    UNUSED(state);
    scene_make(&s);
    issuer = s.chain.certs[2];
    issuer.spki = bytes_slice(issuer.spki, 0, issuer.spki.len - 1);
    assert_err(ocsp_request_make(&request, &s.chain.certs[1], &issuer, nonce), TACIT_FORMAT);
    assert_int_equal(request.len, 0);
    scene_done(&s);
}

static void pem_write(const char *path, struct bytes der)
{
    struct buf pem = buf_make(DOC_MAX);

    pem_put(&pem, "CERTIFICATE", der);
    assert_ok(file_write(path, buf_bytes(&pem), 0600));
    buf_done(&pem);
}

/* openssl writes its own request about the same certificate; both must hold the same CertID, and
 * openssl must find our nonce in ours. */
static void openssl_reads_and_writes_the_same(void **state)
{
    char dir[] = "/tmp/tacit-ocsp-XXXXXX";
    char cert[64], issuer[64], ours[64], theirs[64];
    struct buf request = buf_make(1024);
    struct buf other = buf_make(1024);
    struct scene s;
    size_t at;

    UNUSED(state);
    scene_make(&s);
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
    snprintf(issuer, sizeof(issuer), "%s/issuer.pem", dir);
    snprintf(ours, sizeof(ours), "%s/ours.der", dir);
    snprintf(theirs, sizeof(theirs), "%s/theirs.der", dir);
    pem_write(cert, s.chain.certs[1].der);
    pem_write(issuer, s.chain.certs[2].der);
    assert_ok(ocsp_request_make(&request, &s.chain.certs[1], &s.chain.certs[2], nonce));
    assert_ok(file_write(ours, buf_bytes(&request), 0600));
    {
        char *const write_argv[] = {"openssl", "ocsp",   "-sha384", "-issuer", issuer, "-cert",
                                    cert,      "-nonce", "-reqout", theirs,    NULL};
        char *const read_argv[] = {"openssl", "ocsp", "-reqin", ours, "-req_text", NULL};

        if (child_run(write_argv) != 0) {
            print_message("skipped: no openssl command here\n");
        } else {
            assert_int_equal(child_run(read_argv), 0);
            assert_ok(file_read(&other, theirs));
            /* request, tbs, list, one: then the CertID, whose own length is in its second octet */
            at = bytes_find(buf_bytes(&request), BYTES_LIT("\x60\x86\x48\x01\x65\x03\x04\x02\x02"));
            assert_true(at != SIZE_MAX);
            assert_int_not_equal(bytes_find(buf_bytes(&other),
                                            bytes_slice(buf_bytes(&request), at, 9 + 2 + 100 + 11)),
                                 SIZE_MAX);
            assert_int_not_equal(bytes_find(buf_bytes(&request), BYTES_ARRAY(nonce)), SIZE_MAX);
        }
    }
    unlink(cert), unlink(issuer), unlink(ours), unlink(theirs);
    rmdir(dir);
    buf_done(&request);
    buf_done(&other);
    scene_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_responder_answers_what_was_asked),
        cmocka_unit_test(an_issuer_without_a_readable_key_is_refused),
        cmocka_unit_test(openssl_reads_and_writes_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
