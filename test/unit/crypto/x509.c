/* Certificates: the genuine Intel root is read and verifies; everything broken is refused. */
#include "cmocka_all.h"

#include "base/file.h"
#include "crypto/x509.h"

#define ROOT_FILE TEST_VECTORS_DIR "/tdx/r/194123d2a18be2be.pem"

struct fixture {
    struct arena arena;
    struct buf pem;
    struct x509_cert root;
    struct pubkey *key;
};

static int setup(void **state)
{
    static struct fixture f;
    size_t count;

    f = (struct fixture){.arena = arena_make(1 << 20), .pem = buf_make(1 << 20)};
    *state = &f;
    if (file_read(&f.pem, ROOT_FILE) != TACIT_OK)
        return 0;
    if (x509_parse_pem(&f.root, 1, &count, buf_bytes(&f.pem), &f.arena) != TACIT_OK)
        return -1;
    return x509_key(&f.key, &f.root, NULL) == TACIT_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    pubkey_free(f->key);
    buf_done(&f->pem);
    arena_done(&f->arena);
    return 0;
}

static struct fixture *need(void **state)
{
    struct fixture *f = *state;

    if (f->pem.len == 0) {
        print_message("skipped: no " ROOT_FILE "\n");
        skip();
    }
    return f;
}

static void reads_the_intel_root(void **state)
{
    struct fixture *f = need(state);

    assert_true(bytes_eq_cstr(f->root.subject_cn, "Intel SGX Root CA"));
    assert_true(bytes_eq(f->root.subject, f->root.issuer));
    assert_true(f->root.is_ca);
    assert_int_equal(f->root.pathlen, 1);
    assert_int_equal(f->root.usage, X509_USE_CERT_SIGN | X509_USE_CRL_SIGN);
    assert_int_equal(f->root.not_before_unix_s, 1526899510);
    assert_int_equal(f->root.not_after_unix_s, 2524607999);
    assert_int_equal(f->root.serial.len, 20);
    assert_int_equal(f->root.serial.ptr[0], 0x22);
    assert_int_equal(f->root.sig_alg, SIG_ECDSA_SHA256);
    assert_int_equal(pubkey_kind(f->key), PUBKEY_P256);
    assert_ok(x509_issues(&f->root, f->key, &f->root, 0));
    assert_true(x509_valid_at(&f->root, f->root.not_after_unix_s));
    assert_false(x509_valid_at(&f->root, f->root.not_after_unix_s + 1));
    assert_false(x509_valid_at(&f->root, f->root.not_before_unix_s - 1));
}

static void refuses_every_prefix(void **state)
{
    struct fixture *f = need(state);
    struct x509_cert c;

    for (size_t i = 0; i < f->root.der.len; i++)
        assert_err(x509_parse(&c, bytes_slice(f->root.der, 0, i)), TACIT_FORMAT);
}

static void no_flipped_bit_verifies(void **state)
{
    struct fixture *f = need(state);
    uint8_t copy[1024];
    struct x509_cert c;

    assert_true(f->root.der.len <= sizeof(copy));
    memcpy(copy, f->root.der.ptr, f->root.der.len);
    for (size_t i = 0; i < f->root.der.len * 8; i++) {
        copy[i / 8] ^= (uint8_t)(1U << i % 8);
        if (x509_parse(&c, bytes_make(copy, f->root.der.len)) == TACIT_OK)
            assert_int_not_equal(x509_verify(&c, f->key), TACIT_OK);
        copy[i / 8] ^= (uint8_t)(1U << i % 8);
    }
}

static void refuses_bytes_behind_the_certificate(void **state)
{
    struct fixture *f = need(state);
    uint8_t copy[1024] = {0};
    struct x509_cert c;

    memcpy(copy, f->root.der.ptr, f->root.der.len);
    assert_err(x509_parse(&c, bytes_make(copy, f->root.der.len + 1)), TACIT_FORMAT);
}

static void finds_an_extension_by_oid(void **state)
{
    static const uint8_t crl_points[] = {0x55, 0x1d, 0x1f};
    static const uint8_t absent[] = {0x55, 0x1d, 0x25};
    struct fixture *f = need(state);
    struct bytes value;
    bool is_critical = true;

    assert_true(x509_ext(&f->root, BYTES_ARRAY(crl_points), &value, &is_critical));
    assert_true(value.len > 20);
    assert_false(is_critical);
    assert_false(x509_ext(&f->root, BYTES_ARRAY(absent), &value, &is_critical));
    assert_int_equal(value.len, 0);
}

/* Text in front, behind and between certificates; white space and NULs at the end are fine. */
static void pem_takes_certificates_and_space_only(void **state)
{
    struct fixture *f = need(state);
    struct bytes pem = buf_bytes(&f->pem);
    struct x509_cert c[3];
    struct buf b = buf_make(8192);
    size_t count;

    buf_puts(&b, " \r\n");
    buf_put(&b, pem);
    buf_puts(&b, "\n\n");
    buf_put(&b, pem);
    buf_fill(&b, 0, 2);
    assert_ok(x509_parse_pem(c, 2, &count, buf_bytes(&b), &f->arena));
    assert_int_equal(count, 2);
    assert_true(bytes_eq(c[0].der, f->root.der));
    assert_true(bytes_eq(c[1].der, f->root.der));
    assert_err(x509_parse_pem(c, 1, &count, buf_bytes(&b), &f->arena), TACIT_LIMIT);
    assert_int_equal(count, 0);
    buf_puts(&b, "x");
    assert_err(x509_parse_pem(c, 3, &count, buf_bytes(&b), &f->arena), TACIT_FORMAT);
    buf_reset(&b);
    buf_puts(&b, "x\n");
    buf_put(&b, pem);
    assert_err(x509_parse_pem(c, 2, &count, buf_bytes(&b), &f->arena), TACIT_FORMAT);
    assert_err(x509_parse_pem(c, 2, &count, (struct bytes){NULL, 0}, &f->arena), TACIT_FORMAT);
    buf_done(&b);
}

static void pem_refuses_every_prefix(void **state)
{
    struct fixture *f = need(state);
    struct bytes pem = bytes_trim(buf_bytes(&f->pem));
    struct x509_cert c;
    size_t count;

    for (size_t i = 0; i < pem.len; i++) {
        struct arena a = arena_make(1 << 16);

        assert_int_not_equal(x509_parse_pem(&c, 1, &count, bytes_slice(pem, 0, i), &a), TACIT_OK);
        arena_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_intel_root),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(no_flipped_bit_verifies),
        cmocka_unit_test(refuses_bytes_behind_the_certificate),
        cmocka_unit_test(finds_an_extension_by_oid),
        cmocka_unit_test(pem_takes_certificates_and_space_only),
        cmocka_unit_test(pem_refuses_every_prefix),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
