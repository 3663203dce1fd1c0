/* Verification when memory or OpenSSL fails, and under seccomp. A fault may turn an acceptance into
 * a refusal, never a refusal into an acceptance. Calls are wrapped by the linker. */
#include "cmocka_all.h"

#include <openssl/evp.h>

#include "attest/dcap.h"
#include "seccomp.h"
#include "tdx_vector.h"

/* The fault: call number `fail_at` (from 1) of any wrapped function fails; 0: none. */
static unsigned calls;
static unsigned fail_at;

static bool fault_now(void)
{
    return fail_at != 0 && ++calls == fail_at;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
int __real_EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t sig_len,
                           const unsigned char *tbs, size_t tbs_len);
int __real_EVP_PKEY_verify_init(EVP_PKEY_CTX *ctx);
EVP_PKEY_CTX *__real_EVP_PKEY_CTX_new_from_pkey(OSSL_LIB_CTX *lib, EVP_PKEY *key,
                                                const char *props);
EVP_PKEY_CTX *__real_EVP_PKEY_CTX_new_from_name(OSSL_LIB_CTX *lib, const char *name,
                                                const char *props);
int __real_EVP_PKEY_fromdata(EVP_PKEY_CTX *ctx, EVP_PKEY **key, int selection, OSSL_PARAM params[]);
EVP_PKEY *__real_EVP_PKEY_new(void);
int __real_EVP_PKEY_copy_parameters(EVP_PKEY *to, const EVP_PKEY *from);
int __real_EVP_PKEY_set1_encoded_public_key(EVP_PKEY *key, const unsigned char *pub, size_t len);
int __real_EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned *size,
                      const EVP_MD *type, ENGINE *impl);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __wrap_EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t sig_len,
                           const unsigned char *tbs, size_t tbs_len);
int __wrap_EVP_PKEY_verify_init(EVP_PKEY_CTX *ctx);
EVP_PKEY_CTX *__wrap_EVP_PKEY_CTX_new_from_pkey(OSSL_LIB_CTX *lib, EVP_PKEY *key,
                                                const char *props);
EVP_PKEY_CTX *__wrap_EVP_PKEY_CTX_new_from_name(OSSL_LIB_CTX *lib, const char *name,
                                                const char *props);
int __wrap_EVP_PKEY_fromdata(EVP_PKEY_CTX *ctx, EVP_PKEY **key, int selection, OSSL_PARAM params[]);
EVP_PKEY *__wrap_EVP_PKEY_new(void);
int __wrap_EVP_PKEY_copy_parameters(EVP_PKEY *to, const EVP_PKEY *from);
int __wrap_EVP_PKEY_set1_encoded_public_key(EVP_PKEY *key, const unsigned char *pub, size_t len);
int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned *size,
                      const EVP_MD *type, ENGINE *impl);

void *__wrap_malloc(size_t size)
{
    return fault_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fault_now() ? NULL : __real_calloc(count, size);
}

/* OpenSSL says 0 for "no", and less for "could not say". */
int __wrap_EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t sig_len,
                           const unsigned char *tbs, size_t tbs_len)
{
    return fault_now() ? -1 : __real_EVP_PKEY_verify(ctx, sig, sig_len, tbs, tbs_len);
}

int __wrap_EVP_PKEY_verify_init(EVP_PKEY_CTX *ctx)
{
    return fault_now() ? -2 : __real_EVP_PKEY_verify_init(ctx);
}

EVP_PKEY_CTX *__wrap_EVP_PKEY_CTX_new_from_pkey(OSSL_LIB_CTX *lib, EVP_PKEY *key, const char *props)
{
    return fault_now() ? NULL : __real_EVP_PKEY_CTX_new_from_pkey(lib, key, props);
}

EVP_PKEY_CTX *__wrap_EVP_PKEY_CTX_new_from_name(OSSL_LIB_CTX *lib, const char *name,
                                                const char *props)
{
    return fault_now() ? NULL : __real_EVP_PKEY_CTX_new_from_name(lib, name, props);
}

int __wrap_EVP_PKEY_fromdata(EVP_PKEY_CTX *ctx, EVP_PKEY **key, int selection, OSSL_PARAM params[])
{
    return fault_now() ? -1 : __real_EVP_PKEY_fromdata(ctx, key, selection, params);
}

EVP_PKEY *__wrap_EVP_PKEY_new(void)
{
    return fault_now() ? NULL : __real_EVP_PKEY_new();
}

int __wrap_EVP_PKEY_copy_parameters(EVP_PKEY *to, const EVP_PKEY *from)
{
    return fault_now() ? 0 : __real_EVP_PKEY_copy_parameters(to, from);
}

int __wrap_EVP_PKEY_set1_encoded_public_key(EVP_PKEY *key, const unsigned char *pub, size_t len)
{
    return fault_now() ? 0 : __real_EVP_PKEY_set1_encoded_public_key(key, pub, len);
}

int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned *size,
                      const EVP_MD *type, ENGINE *impl)
{
    return fault_now() ? 0 : __real_EVP_Digest(data, count, md, size, type, impl);
}

struct bench {
    struct tdx_vector v;
    struct tacit_tdx_policy policy;
    struct tacit_quote_input in;
    struct tacit_verdict *verdict;
    struct tacit_quote_result *result;
};

static bool verify(struct bench *b, unsigned fault)
{
    enum tacit_err err;
    bool is_trusted;

    memset(b->verdict, 0, sizeof(*b->verdict));
    calls = 0;
    fail_at = fault;
    err = tacit_quote_verify(b->verdict, b->result, &b->in);
    fail_at = 0;
    is_trusted = tacit_verdict_is_trusted(b->verdict);
    assert_true(err == TACIT_OK || !is_trusted);
    return is_trusted;
}

static void open_vector(struct bench *b, const char *id)
{
    fail_at = 0;
    TDX_NEED(&b->v, id);
    b->verdict = calloc(1, sizeof(*b->verdict));
    b->result = calloc(1, sizeof(*b->result));
    assert_true(b->verdict != NULL && b->result != NULL);
    b->policy = tacit_tdx_policy_default();
    b->in = tdx_input(&b->v);
    b->in.policy = &b->policy;
}

static void close_vector(struct bench *b)
{
    free(b->verdict);
    free(b->result);
    tdx_vector_done(&b->v);
}

/* Every single call fails once; with `cache`, what a failed run leaves behind is tried, too. */
static void every_fault(const char *id, bool is_good, struct tacit_quote_cache *cache)
{
    struct bench b;
    unsigned n;

    open_vector(&b, id);
    b.in.cache = cache;
    assert_int_equal(verify(&b, 0), is_good);
    for (n = 1; n < 5000; n++) {
        bool is_trusted;

        if (cache != NULL)
            dcap_cache_forget_platforms(cache);
        is_trusted = verify(&b, n);
        if (calls < n)
            break;
        if (is_trusted)
            fail_msg("%s: trusted although call %u failed", id, n);
        assert_int_equal(verify(&b, 0), is_good);
    }
    assert_in_range(n, 3, 4999);
    close_vector(&b);
}

static void a_fault_makes_a_good_quote_refused(void **state)
{
    (void)state;
    every_fault(TDX_REAL_V4, true, NULL);
    every_fault(TDX_REAL_V5, true, NULL);
}

static void a_fault_leaves_nothing_wrong_in_the_cache(void **state)
{
    struct tacit_quote_cache *cache;
    struct bench b;

    (void)state;
    open_vector(&b, TDX_REAL_V4); /* skips the test where there are no vectors */
    close_vector(&b);
    cache = tacit_quote_cache_new();
    every_fault(TDX_REAL_V4, true, cache);
    tacit_quote_cache_free(cache);
}

static void no_fault_makes_a_bad_quote_trusted(void **state)
{
    static const char *const ids[] = {"syn-quote-sig-body",
                                      "syn-ak-swap",
                                      "syn-qe-mrsigner",
                                      "syn-qe-report-sig2",
                                      "syn-pck-revoked",
                                      "syn-crl-pck-forged",
                                      "syn-tcb-sig",
                                      "syn-pck-leaf-sig",
                                      "syn-root-untrusted",
                                      "syn-tcb-expired",
                                      "syn-td-debug",
                                      "syn-tcb-signed-by-pck",
                                      "syn-inter-revoked",
                                      "syn-ak-not-on-curve",
                                      "syn-qeid-sig",
                                      "syn-status-revoked-platform",
                                      "syn-empty",
                                      "syn-pck-p384",
                                      "syn-tcb-dup-key-levels"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct bench b;

        open_vector(&b, ids[i]);
        for (unsigned n = 0; n < 5000; n++) {
            if (verify(&b, n))
                fail_msg("%s: trusted although call %u failed", ids[i], n);
            if (n > 0 && calls < n)
                break;
        }
        close_vector(&b);
    }
}

static bool verify_twice(void *ctx)
{
    struct bench *b = ctx;

    return verify(b, 0) && verify(b, 0);
}

/* OpenSSL reads its configuration when a process first uses it; that is not part of verifying. */
static void verification_calls_nothing_but_memory(void **state)
{
    struct bench b;
    int code;

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    assert_true(verify(&b, 0));
    code = seccomp_run(verify_twice, &b);
    if (code == SECCOMP_CHILD_UNABLE) {
        close_vector(&b);
        print_message("skipped: this kernel sets no seccomp filter\n");
        skip();
    }
    assert_int_equal(code, 0);
    close_vector(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_makes_a_good_quote_refused),
        cmocka_unit_test(a_fault_leaves_nothing_wrong_in_the_cache),
        cmocka_unit_test(no_fault_makes_a_bad_quote_trusted),
        cmocka_unit_test(verification_calls_nothing_but_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
