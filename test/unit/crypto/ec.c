/* Public keys and signatures: known answers of P-256, P-384 and RSA, and what is refused. The
 * signatures were made with the openssl program over "abc". */
#include "cmocka_all.h"

#include "crypto/ec.h"
#include "ec_answers.h"

static const struct bytes message = {(const uint8_t *)"abc", 3};

static void verifies_every_kind(void **state)
{
    static const struct {
        struct bytes spki, sig;
        enum sig_alg alg;
        enum pubkey_kind kind;
    } cases[] = {
        {{p256_spki, sizeof(p256_spki)},
         {p256_sig, sizeof(p256_sig)},
         SIG_ECDSA_SHA256,
         PUBKEY_P256},
        {{p384_spki, sizeof(p384_spki)},
         {p384_sig, sizeof(p384_sig)},
         SIG_ECDSA_SHA384,
         PUBKEY_P384},
        {{rsa_spki, sizeof(rsa_spki)}, {rsa_sig, sizeof(rsa_sig)}, SIG_RSA_SHA256, PUBKEY_RSA},
        {{rsa_spki, sizeof(rsa_spki)}, {pss_sig, sizeof(pss_sig)}, SIG_RSA_PSS_SHA384, PUBKEY_RSA},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t sig[512];
        struct pubkey *key;

        assert_ok(pubkey_from_spki(&key, cases[i].spki, NULL));
        assert_int_equal(pubkey_kind(key), cases[i].kind);
        assert_ok(pubkey_verify(key, cases[i].alg, cases[i].sig, message));
        assert_err(pubkey_verify(key, cases[i].alg, cases[i].sig, bytes_slice(message, 0, 2)),
                   TACIT_SIGNATURE);
        memcpy(sig, cases[i].sig.ptr, cases[i].sig.len);
        for (size_t at = 0; at < cases[i].sig.len; at++) {
            sig[at] ^= 0x10;
            assert_err(pubkey_verify(key, cases[i].alg, bytes_make(sig, cases[i].sig.len), message),
                       TACIT_SIGNATURE);
            sig[at] ^= 0x10;
        }
        pubkey_free(key);
    }
}

/* PSS, PKCS #1 and ECDSA never stand in for each other. */
static void refuses_a_signature_of_another_kind(void **state)
{
    struct pubkey *rsa, *ec;

    (void)state;
    assert_ok(pubkey_from_spki(&rsa, BYTES_ARRAY(rsa_spki), NULL));
    assert_ok(pubkey_from_spki(&ec, BYTES_ARRAY(p256_spki), NULL));
    assert_err(pubkey_verify(rsa, SIG_RSA_PSS_SHA384, BYTES_ARRAY(rsa_sig), message),
               TACIT_SIGNATURE);
    assert_err(pubkey_verify(rsa, SIG_RSA_SHA256, BYTES_ARRAY(pss_sig), message), TACIT_SIGNATURE);
    assert_err(pubkey_verify(rsa, SIG_RSA_SHA384, BYTES_ARRAY(rsa_sig), message), TACIT_SIGNATURE);
    assert_err(pubkey_verify(rsa, SIG_ECDSA_SHA256, BYTES_ARRAY(p256_sig), message),
               TACIT_UNSUPPORTED);
    assert_err(pubkey_verify(ec, SIG_RSA_SHA256, BYTES_ARRAY(rsa_sig), message), TACIT_UNSUPPORTED);
    assert_err(pubkey_verify(ec, SIG_UNKNOWN, BYTES_ARRAY(p256_sig), message), TACIT_UNSUPPORTED);
    assert_err(pubkey_verify_raw(rsa, BYTES_ARRAY(rsa_sig), message), TACIT_UNSUPPORTED);
    pubkey_free(rsa);
    pubkey_free(ec);
}

static void refuses_points_off_the_curve(void **state)
{
    struct bytes xy = bytes_slice(BYTES_ARRAY(p256_spki), sizeof(p256_spki) - 64, 64);
    struct pubkey *like, *key;
    uint8_t bad[64];

    (void)state;
    assert_ok(pubkey_from_point(&like, PUBKEY_P256, xy, NULL));
    assert_ok(pubkey_from_point(&key, PUBKEY_P256, xy, like));
    assert_ok(pubkey_verify(key, SIG_ECDSA_SHA256, BYTES_ARRAY(p256_sig), message));
    pubkey_free(key);
    memcpy(bad, xy.ptr, 64);
    bad[63] ^= 1;
    assert_err(pubkey_from_point(&key, PUBKEY_P256, BYTES_ARRAY(bad), NULL), TACIT_FORMAT);
    assert_err(pubkey_from_point(&key, PUBKEY_P256, BYTES_ARRAY(bad), like), TACIT_FORMAT);
    memset(bad, 0, sizeof(bad));
    assert_err(pubkey_from_point(&key, PUBKEY_P256, BYTES_ARRAY(bad), like), TACIT_FORMAT);
    memset(bad, 0xff, sizeof(bad));
    assert_err(pubkey_from_point(&key, PUBKEY_P256, BYTES_ARRAY(bad), like), TACIT_FORMAT);
    assert_err(pubkey_from_point(&key, PUBKEY_P256, bytes_slice(xy, 0, 63), like), TACIT_FORMAT);
    assert_err(pubkey_from_point(&key, PUBKEY_P384, xy, like), TACIT_FORMAT);
    assert_null(key);
    pubkey_free(like);
}

static void refuses_every_prefix_of_a_key(void **state)
{
    static const struct bytes keys[] = {{p256_spki, sizeof(p256_spki)},
                                        {p384_spki, sizeof(p384_spki)},
                                        {rsa_spki, sizeof(rsa_spki)}};
    struct pubkey *key;

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(keys); k++)
        for (size_t i = 0; i < keys[k].len; i++)
            assert_int_not_equal(pubkey_from_spki(&key, bytes_slice(keys[k], 0, i), NULL),
                                 TACIT_OK);
}

/* r or s of zero, or of n and above, and lengths that are off by one. */
static void refuses_impossible_raw_signatures(void **state)
{
    uint8_t sig[65];
    struct pubkey *key;

    (void)state;
    assert_ok(pubkey_from_spki(&key, BYTES_ARRAY(p256_spki), NULL));
    memset(sig, 0, sizeof(sig));
    assert_err(pubkey_verify_raw(key, bytes_make(sig, 64), message), TACIT_SIGNATURE);
    memset(sig, 0xff, sizeof(sig));
    assert_err(pubkey_verify_raw(key, bytes_make(sig, 64), message), TACIT_SIGNATURE);
    assert_err(pubkey_verify_raw(key, bytes_make(sig, 63), message), TACIT_SIGNATURE);
    assert_err(pubkey_verify_raw(key, bytes_make(sig, 65), message), TACIT_SIGNATURE);
    assert_err(pubkey_verify_raw(key, (struct bytes){NULL, 0}, message), TACIT_SIGNATURE);
    assert_ok(pubkey_verify_raw(key, BYTES_ARRAY(p256_raw), message));
    pubkey_free(key);
}

static void counts_its_owners(void **state)
{
    struct pubkey *key;

    (void)state;
    assert_ok(pubkey_from_spki(&key, BYTES_ARRAY(p256_spki), NULL));
    assert_ptr_equal(pubkey_ref(key), key);
    pubkey_free(key);
    assert_ok(pubkey_verify_raw(key, BYTES_ARRAY(p256_raw), message));
    pubkey_free(key);
    pubkey_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_every_kind),
        cmocka_unit_test(refuses_a_signature_of_another_kind),
        cmocka_unit_test(refuses_points_off_the_curve),
        cmocka_unit_test(refuses_every_prefix_of_a_key),
        cmocka_unit_test(refuses_impossible_raw_signatures),
        cmocka_unit_test(counts_its_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
