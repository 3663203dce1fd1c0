/* Whole reports, SEV-SNP reports and collateral when memory or OpenSSL fails, and under seccomp. A
 * fault may turn an acceptance into a refusal, never a refusal into an acceptance. */
#include "cmocka_all.h"

#include <openssl/evp.h>

#include "attest/collateral_check.h"
#include "attest/report.h"
#include "attest/snp.h"
#include "capture.h"
#include "seccomp.h"

/* The fault: call number `fail_at` (from 1) of any wrapped function fails; 0: none. */
static unsigned calls;
static unsigned fail_at;

static bool fault_now(void)
{
    return fail_at != 0 && ++calls == fail_at;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
int __real_EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t sig_len,
                           const unsigned char *tbs, size_t tbs_len);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t sig_len,
                           const unsigned char *tbs, size_t tbs_len);

void *__wrap_malloc(size_t size)
{
    return fault_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fault_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fault_now() ? NULL : __real_realloc(old, size);
}

/* OpenSSL says 0 for "no", and less for "could not say". */
int __wrap_EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t sig_len,
                           const unsigned char *tbs, size_t tbs_len)
{
    return fault_now() ? -1 : __real_EVP_PKEY_verify(ctx, sig, sig_len, tbs, tbs_len);
}

static struct tacit_verdict verdict;

/* One thing to verify, and whether it came out trusted. */
struct subject {
    bool (*verify)(void *ctx);
    void *ctx;
};

static bool verify_with(const struct subject *s, unsigned n)
{
    bool is_trusted;

    verdict.count = 0;
    verdict.is_overflowed = false;
    calls = 0;
    fail_at = n;
    is_trusted = s->verify(s->ctx);
    fail_at = 0;
    return is_trusted;
}

/* Every single call fails once. Returns how many calls there are. */
static unsigned every_fault(const struct subject *s, bool is_good)
{
    unsigned n;

    assert_int_equal(verify_with(s, 0), is_good);
    for (n = 1; n < 20000; n++) {
        bool is_trusted = verify_with(s, n);

        if (calls < n)
            break;
        if (is_trusted)
            fail_msg("trusted although call %u failed", n);
    }
    assert_int_equal(verify_with(s, 0), is_good);
    return n - 1;
}

struct report_world {
    struct capture c;
    struct tacit_report_opts opts;
};

static bool report_verify(void *ctx)
{
    struct report_world *w = ctx;
    struct tacit_report_facts facts;
    enum tacit_err err = tacit_report_verify(&verdict, &facts, buf_bytes(&w->c.report), &w->opts);
    bool is_trusted = tacit_verdict_is_trusted(&verdict);

    if (err != TACIT_OK && is_trusted)
        fail_msg("trusted, and an error");
    if (is_trusted && !facts.node.is_trusted)
        fail_msg("trusted, and no facts");
    return is_trusted;
}

/* The GPU part has its own tests; its evidence is taken out in place, by another name. */
static void gpus_hide(struct buf *report)
{
    struct bytes all = buf_bytes(report);
    size_t at = 0;

    for (;;) {
        size_t next = bytes_find(bytes_slice(all, at, SIZE_MAX), BYTES_LIT("\"nvidia_payload\""));

        if (next == SIZE_MAX)
            return;
        at += next + 3;
        report->ptr[at] = 'X';
    }
}

static bool world_open(struct report_world *w)
{
    *w = (struct report_world){0};
    if (!capture_open(&w->c, "direct-20260629", false)) {
        print_message("skipped: no shared vectors at " TEST_VECTORS_DIR "\n");
        return false;
    }
    gpus_hide(&w->c.report);
    w->opts = (struct tacit_report_opts){.now_unix_s = capture_now,
                                         .collateral = tacit_collateral_from_set,
                                         .collateral_ctx = &w->c.set};
    memcpy(w->opts.nonce, w->c.nonce, 32);
    return true;
}

static void a_fault_makes_a_good_report_refused(void **state)
{
    struct report_world w;
    struct subject s = {report_verify, &w};
    unsigned count;

    UNUSED(state);
    if (!world_open(&w))
        skip();
    count = every_fault(&s, true);
    assert_in_range(count, 20, 19999);
    print_message("# %u calls\n", count);
    capture_close(&w.c);
}

static void no_fault_makes_a_bad_report_trusted(void **state)
{
    static const char *const changed[] = {
        "\"request_nonce\":\"",
        "\"signing_public_key\":\"",
        "\"event\":\"compose-hash\",\"event_payload\":\"",
        "\"actions_hash\":\"",
        "\"ohttp_key_config\":\"",
    };
    struct report_world w;
    struct subject s = {report_verify, &w};

    UNUSED(state);
    if (!world_open(&w))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(changed); i++) {
        size_t at = bytes_find(buf_bytes(&w.c.report), bytes_of(changed[i]));
        uint8_t before;

        assert_true(at != SIZE_MAX);
        at += strlen(changed[i]) + 4;
        before = w.c.report.ptr[at];
        w.c.report.ptr[at] = before == '0' ? '1' : '0';
        every_fault(&s, false);
        w.c.report.ptr[at] = before;
    }
    capture_close(&w.c);
}

static bool collateral_verify(void *ctx)
{
    struct report_world *w = ctx;
    struct collateral_facts facts;

    return collateral_check(&verdict, &facts, buf_bytes(&w->c.json[0]), (struct bytes){NULL, 0},
                            &w->c.entries[0].need, capture_now) == TACIT_OK &&
           tacit_verdict_is_trusted(&verdict) && facts.until_unix_s > capture_now;
}

static void faults_never_let_bad_collateral_pass(void **state)
{
    struct report_world w;
    struct subject s = {collateral_verify, &w};

    UNUSED(state);
    if (!world_open(&w))
        skip();
    assert_in_range(every_fault(&s, true), 3, 19999);
    w.c.json[0].ptr[bytes_find(buf_bytes(&w.c.json[0]), BYTES_LIT("UpToDate"))] = 'u';
    every_fault(&s, false);
    capture_close(&w.c);
}

struct snp_world {
    struct buf report, leaf, chain, crl;
    struct tacit_snp_input in;
};

static bool snp_verify(void *ctx)
{
    struct snp_world *w = ctx;
    struct tacit_snp_result found;

    return tacit_snp_verify(&verdict, &found, &w->in) == TACIT_OK &&
           tacit_verdict_is_trusted(&verdict) && found.is_genuine;
}

static bool snp_load(struct buf *out, const char *name)
{
    char path[1024];

    *out = buf_make(CAPTURE_FILE_MAX);
    snprintf(path, sizeof(path), "%s/snp/%s", TEST_VECTORS_DIR, name);
    return file_read(out, path) == TACIT_OK;
}

static void snp_done(struct snp_world *w)
{
    buf_done(&w->report);
    buf_done(&w->leaf);
    buf_done(&w->chain);
    buf_done(&w->crl);
}

static bool snp_open(struct snp_world *w)
{
    *w = (struct snp_world){0};
    if (!snp_load(&w->report, "r/a9e9196c94d21b9b.bin") ||
        !snp_load(&w->leaf, "l/3941d081fb811c23.der") ||
        !snp_load(&w->chain, "amd/vcek_genoa_cert_chain.pem") ||
        !snp_load(&w->crl, "amd/genoa_crl.der")) {
        print_message("skipped: no shared vectors at " TEST_VECTORS_DIR "\n");
        snp_done(w);
        return false;
    }
    w->in = (struct tacit_snp_input){.report = buf_bytes(&w->report),
                                     .leaf_der = buf_bytes(&w->leaf),
                                     .chain_pem = buf_bytes(&w->chain),
                                     .crl_der = buf_bytes(&w->crl),
                                     .is_crl_required = true,
                                     .now_unix_s = 1752235657};
    return true;
}

static void faults_never_let_a_bad_snp_report_pass(void **state)
{
    struct snp_world w;
    struct subject s = {snp_verify, &w};

    UNUSED(state);
    if (!snp_open(&w))
        skip();
    assert_in_range(every_fault(&s, true), 3, 19999);
    w.report.ptr[0x90] ^= 1;
    every_fault(&s, false);
    w.report.ptr[0x90] ^= 1;
    w.crl.ptr[w.crl.len - 1] ^= 1;
    every_fault(&s, false);
    snp_done(&w);
}

/* OpenSSL reads its configuration when a process first uses it; that is not part of verifying. */
static void reports_are_verified_with_nothing_but_memory(void **state)
{
    struct report_world w;
    int code;

    UNUSED(state);
    if (!world_open(&w))
        skip();
    verdict = (struct tacit_verdict){0};
    assert_true(report_verify(&w));
    verdict = (struct tacit_verdict){0};
    code = seccomp_run(report_verify, &w);
    capture_close(&w.c);
    if (code == SECCOMP_CHILD_UNABLE) {
        print_message("skipped: this kernel sets no seccomp filter\n");
        skip();
    }
    assert_int_equal(code, 0);
}

static void snp_reports_are_verified_with_nothing_but_memory(void **state)
{
    struct snp_world w;
    int code;

    UNUSED(state);
    if (!snp_open(&w))
        skip();
    verdict = (struct tacit_verdict){0};
    assert_true(snp_verify(&w));
    verdict = (struct tacit_verdict){0};
    code = seccomp_run_with(true, snp_verify, &w);
    snp_done(&w);
    if (code == SECCOMP_CHILD_UNABLE) {
        print_message("skipped: this kernel sets no seccomp filter\n");
        skip();
    }
    assert_int_equal(code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_makes_a_good_report_refused),
        cmocka_unit_test(no_fault_makes_a_bad_report_trusted),
        cmocka_unit_test(faults_never_let_bad_collateral_pass),
        cmocka_unit_test(faults_never_let_a_bad_snp_report_pass),
        cmocka_unit_test(reports_are_verified_with_nothing_but_memory),
        cmocka_unit_test(snp_reports_are_verified_with_nothing_but_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
