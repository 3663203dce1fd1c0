/* Claims about signing keys: seeds determine keys and signatures, and everything signed is
 * verified by the verifying half. */
#include "cmocka_all.h"

#include "crypto/ec.h"
#include "crypto/sha2.h"
#include "crypto/signkey.h"
#include "crypto/signkey_priv.h"
#include "hex_test.h"

static const uint8_t seed[SIGNKEY_SEED_LEN] = {1, 2, 3};

static const enum signkey_kind kinds[] = {SIGNKEY_P256, SIGNKEY_P384, SIGNKEY_RSA2048,
                                          SIGNKEY_RSA3072};

static struct pubkey *public_half(const struct signkey *key)
{
    struct buf spki = buf_make(1024);
    struct pubkey *pub;

    assert_ok(signkey_spki(key, &spki));
    assert_ok(pubkey_from_spki(&pub, buf_bytes(&spki), NULL));
    buf_done(&spki);
    return pub;
}

static void check_signatures(const struct signkey *key)
{
    struct pubkey *pub = public_half(key);
    struct buf sig = buf_make(1024);

    assert_ok(signkey_sign(key, signkey_alg(key), &sig, BYTES_LIT("message")));
    assert_ok(pubkey_verify(pub, signkey_alg(key), buf_bytes(&sig), BYTES_LIT("message")));
    assert_err(pubkey_verify(pub, signkey_alg(key), buf_bytes(&sig), BYTES_LIT("massage")),
               TACIT_SIGNATURE);
    buf_done(&sig);
    pubkey_free(pub);
}

static void every_kind_signs_what_verifies(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct signkey *fresh;
        struct signkey *seeded;

        assert_ok(signkey_new(&fresh, kinds[i]));
        assert_int_equal(signkey_kind(fresh), kinds[i]);
        check_signatures(fresh);
        assert_ok(signkey_from_seed(&seeded, kinds[i], seed, "label"));
        check_signatures(seeded);
        signkey_free(fresh);
        signkey_free(seeded);
    }
    signkey_free(NULL);
}

static void check_raw(const struct signkey *key, size_t digest_len)
{
    struct pubkey *pub = public_half(key);
    uint8_t digest[48];
    uint8_t sig[SIGNKEY_RAW_MAX];
    size_t sig_len;

    sha384(digest, BYTES_LIT("raw"));
    assert_ok(signkey_sign_raw(key, sig, &sig_len, bytes_make(digest, digest_len)));
    assert_int_equal(sig_len, 2 * digest_len);
    assert_ok(
        pubkey_verify_raw_digest(pub, bytes_make(sig, sig_len), bytes_make(digest, digest_len)));
    assert_err(signkey_sign_raw(key, sig, &sig_len, bytes_make(digest, 20)), TACIT_USAGE);
    assert_int_equal(sig_len, 0);
    pubkey_free(pub);
}

static void raw_signatures_verify(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < 2; i++) {
        struct signkey *key;

        assert_ok(signkey_new(&key, kinds[i]));
        check_raw(key, i == 0 ? 32 : 48);
        signkey_free(key);
        assert_ok(signkey_from_seed(&key, kinds[i], seed, "raw"));
        check_raw(key, i == 0 ? 32 : 48);
        signkey_free(key);
    }
}

static void seeds_and_labels_determine_everything(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < 3; i++) {
        struct signkey *a;
        struct signkey *b;
        struct signkey *c;
        struct buf first = buf_make(8192);
        struct buf second = buf_make(8192);
        struct buf other = buf_make(8192);

        assert_ok(signkey_from_seed(&a, kinds[i], seed, "one"));
        assert_ok(signkey_from_seed(&b, kinds[i], seed, "one"));
        assert_ok(signkey_from_seed(&c, kinds[i], seed, "two"));
        assert_ok(signkey_pem(a, &first));
        assert_ok(signkey_pem(b, &second));
        assert_ok(signkey_pem(c, &other));
        assert_ok(signkey_sign(a, signkey_alg(a), &first, BYTES_LIT("m")));
        assert_ok(signkey_sign(b, signkey_alg(b), &second, BYTES_LIT("m")));
        assert_true(bytes_eq(buf_bytes(&first), buf_bytes(&second)));
        assert_false(bytes_starts_with(buf_bytes(&first), buf_bytes(&other)));
        buf_done(&first);
        buf_done(&second);
        buf_done(&other);
        signkey_free(a);
        signkey_free(b);
        signkey_free(c);
    }
}

static void keys_survive_pem(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct signkey *key;
        struct signkey *back;
        struct buf pem = buf_make_secret(8192);
        struct buf again = buf_make_secret(8192);

        assert_ok(signkey_from_seed(&key, kinds[i], seed, "pem"));
        assert_ok(signkey_pem(key, &pem));
        assert_ok(signkey_from_pem(&back, buf_bytes(&pem)));
        assert_int_equal(signkey_kind(back), kinds[i]);
        assert_ok(signkey_pem(back, &again));
        assert_true(bytes_eq(buf_bytes(&pem), buf_bytes(&again)));
        check_signatures(back);
        signkey_free(back);
        for (size_t len = 0; len + 30 < pem.len; len += 13)
            assert_err(signkey_from_pem(&back, bytes_make(pem.ptr, len)), TACIT_FORMAT);
        signkey_free(key);
        buf_done(&pem);
        buf_done(&again);
    }
}

/* A key as if its seed had given this scalar. */
static void check_rfc_6979(enum signkey_kind kind, int curve, const char *scalar_hex,
                           const char *sig_hex)
{
    size_t len = signkey_scalar_len(kind);
    uint8_t octets[48];
    uint8_t sig[SIGNKEY_RAW_MAX];
    struct signkey key = {.kind = kind, .group = EC_GROUP_new_by_curve_name(curve)};

    unhex(octets, len, scalar_hex);
    key.scalar = BN_bin2bn(octets, (int)len, NULL);
    if (kind == SIGNKEY_P256)
        sha256(octets, BYTES_LIT("sample"));
    else
        sha384(octets, BYTES_LIT("sample"));
    assert_ok(seed_sign(&key, sig, bytes_make(octets, len)));
    assert_hex(sig, 2 * len, sig_hex);
    BN_free(key.scalar);
    EC_GROUP_free(key.group);
}

static void nonces_are_those_of_rfc_6979(void **state)
{
    UNUSED(state);
    check_rfc_6979(SIGNKEY_P256, NID_X9_62_prime256v1,
                   "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
                   "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                   "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    check_rfc_6979(SIGNKEY_P384, NID_secp384r1,
                   "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba"
                   "9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
                   "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
                   "81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f"
                   "130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8");
}

static void the_point_is_the_one_in_the_spki(void **state)
{
    uint8_t point[SIGNKEY_POINT_MAX];
    struct buf spki = buf_make(1024);
    struct signkey *key;

    UNUSED(state);
    assert_ok(signkey_from_seed(&key, SIGNKEY_P384, seed, "point"));
    assert_int_equal(signkey_point(key, point), 96);
    assert_ok(signkey_spki(key, &spki));
    assert_true(bytes_ends_with(buf_bytes(&spki), bytes_make(point, 96)));
    signkey_free(key);
    buf_done(&spki);
    assert_ok(signkey_from_seed(&key, SIGNKEY_RSA2048, seed, "point"));
    assert_int_equal(signkey_point(key, point), 0);
    signkey_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_signs_what_verifies),
        cmocka_unit_test(raw_signatures_verify),
        cmocka_unit_test(seeds_and_labels_determine_everything),
        cmocka_unit_test(keys_survive_pem),
        cmocka_unit_test(nonces_are_those_of_rfc_6979),
        cmocka_unit_test(the_point_is_the_one_in_the_spki),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
