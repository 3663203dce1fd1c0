/* Claims about Ed25519: RFC 8032's vectors, and strictness where others are lax. */
#include "cmocka_all.h"

#include "crypto/ed25519.h"
#include "hex_test.h"

static void check_vector(const char *seed_hex, const char *pub_hex, const char *msg_hex,
                         const char *sig_hex)
{
    struct ed25519_key key;
    uint8_t seed[32];
    uint8_t msg[8];
    uint8_t sig[64];
    size_t msg_len = strlen(msg_hex) / 2;

    unhex(seed, 32, seed_hex);
    unhex(msg, msg_len, msg_hex);
    ed25519_key_init(&key, seed);
    assert_hex(key.pub, 32, pub_hex);
    ed25519_sign(&key, sig, bytes_make(msg, msg_len));
    assert_hex(sig, 64, sig_hex);
    assert_ok(ed25519_verify(key.pub, sig, bytes_make(msg, msg_len)));
    ed25519_key_done(&key);
    assert_true(bytes_is_zero(BYTES_ARRAY(key.secret)));
}

static void signs_as_rfc_8032(void **state)
{
    UNUSED(state);
    check_vector("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                 "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    check_vector("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                 "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    check_vector("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                 "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
}

static void refuses_every_flipped_bit(void **state)
{
    static const uint8_t seed[32] = {7};
    struct ed25519_key key;
    uint8_t sig[64];
    uint8_t msg[] = "a message";

    UNUSED(state);
    ed25519_key_init(&key, seed);
    ed25519_sign(&key, sig, BYTES_ARRAY(msg));
    for (size_t bit = 0; bit < 8 * sizeof(sig); bit++) {
        sig[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_err(ed25519_verify(key.pub, sig, BYTES_ARRAY(msg)), TACIT_SIGNATURE);
        sig[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(msg); bit++) {
        msg[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_err(ed25519_verify(key.pub, sig, BYTES_ARRAY(msg)), TACIT_SIGNATURE);
        msg[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    ed25519_key_done(&key);
}

/* S + L verifies with implementations that do not compare S with the group order. */
static void refuses_s_beyond_the_order(void **state)
{
    static const uint8_t seed[32] = {9};
    uint8_t order[32];
    struct ed25519_key key;
    uint8_t sig[64];
    unsigned carry = 0;

    UNUSED(state);
    unhex(order, 32, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    ed25519_key_init(&key, seed);
    ed25519_sign(&key, sig, BYTES_LIT("m"));
    for (size_t i = 0; i < 32; i++) {
        unsigned sum = sig[32 + i] + order[i] + carry;

        sig[32 + i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    assert_int_equal(carry, 0);
    assert_err(ed25519_verify(key.pub, sig, BYTES_LIT("m")), TACIT_SIGNATURE);
    ed25519_key_done(&key);
}

/* With a public key of small order, a signature of zeros would verify any message. */
static void refuses_small_order_keys(void **state)
{
    static const uint8_t identity[32] = {1};
    uint8_t sig[64] = {1};

    UNUSED(state);
    assert_err(ed25519_verify(identity, sig, BYTES_LIT("anything")), TACIT_SIGNATURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_rfc_8032),
        cmocka_unit_test(refuses_every_flipped_bit),
        cmocka_unit_test(refuses_s_beyond_the_order),
        cmocka_unit_test(refuses_small_order_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
