/* Claims about HMAC and HKDF: the RFCs' answers. */
#include "cmocka_all.h"

#include "crypto/hkdf.h"
#include "hex_test.h"

static void hmac_answers_as_rfc_4231(void **state)
{
    uint8_t key[131];
    uint8_t out[48];

    UNUSED(state);
    memset(key, 0x0b, 20);
    hmac_sha256(out, bytes_make(key, 20), BYTES_LIT("Hi There"));
    assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_sha384(out, bytes_make(key, 20), BYTES_LIT("Hi There"));
    assert_hex(out, 48,
               "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
               "faea9ea9076ede7f4af152e8b2fa9cb6");
    hmac_sha256(out, BYTES_LIT("Jefe"), BYTES_LIT("what do ya want for nothing?"));
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    hmac_sha256(out, BYTES_ARRAY(key),
                BYTES_LIT("Test Using Larger Than Block-Size Key - Hash Key First"));
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hmac_sha384(out, BYTES_ARRAY(key),
                BYTES_LIT("Test Using Larger Than Block-Size Key - Hash Key First"));
    assert_hex(out, 48,
               "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
               "0c2ef6ab4030fe8296248df163f44952");
}

static void hkdf_answers_as_rfc_5869(void **state)
{
    uint8_t ikm[22];
    uint8_t salt[13];
    uint8_t info[10];
    uint8_t out[42];

    UNUSED(state);
    memset(ikm, 0x0b, sizeof(ikm));
    unhex(salt, sizeof(salt), "000102030405060708090a0b0c");
    unhex(info, sizeof(info), "f0f1f2f3f4f5f6f7f8f9");
    assert_ok(
        hkdf_sha256(out, sizeof(out), BYTES_ARRAY(ikm), BYTES_ARRAY(salt), BYTES_ARRAY(info)));
    assert_hex(out, sizeof(out),
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
               "34007208d5b887185865");
    assert_ok(hkdf_sha256(out, sizeof(out), BYTES_ARRAY(ikm), BYTES_LIT(""), BYTES_LIT("")));
    assert_hex(out, sizeof(out),
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
               "9d201395faa4b61a96c8");
}

static void hkdf_ends_at_255_blocks(void **state)
{
    static uint8_t out[255 * 32 + 1];

    UNUSED(state);
    assert_ok(hkdf_sha256(out, sizeof(out) - 1, BYTES_LIT("k"), BYTES_LIT(""), BYTES_LIT("")));
    assert_err(hkdf_sha256(out, sizeof(out), BYTES_LIT("k"), BYTES_LIT(""), BYTES_LIT("")),
               TACIT_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_answers_as_rfc_4231),
        cmocka_unit_test(hkdf_answers_as_rfc_5869),
        cmocka_unit_test(hkdf_ends_at_255_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
