/* Claims about secp256k1: Ethereum's known signature is made and recovered, changed ones are not,
 * and the real NEAR signature belongs to its address. */
#include "cmocka_all.h"

#include "base/file.h"
#include "crypto/k1.h"
#include "crypto/random.h"
#include "hex_test.h"

static const char secret_hex[] = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
static const char address_hex[] = "2c7536e3605d9c16a7a3d7b1898e529396a65c23";
static const char sig_hex[] = "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
                              "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c";
static const struct bytes some_data = {(const uint8_t *)"Some data", 9};

static struct k1_key *known_key(void)
{
    struct k1_key *key;
    uint8_t secret[32];

    unhex(secret, 32, secret_hex);
    assert_ok(k1_key_new(&key, secret));
    return key;
}

static void signs_as_ethereum_tools_do(void **state)
{
    struct k1_key *key = known_key();
    uint8_t digest[32];
    uint8_t sig[K1_SIG_LEN];
    uint8_t address[K1_ADDRESS_LEN];
    char text[K1_SIG_TEXT_LEN + 1];

    UNUSED(state);
    k1_address(address, k1_key_pub(key));
    assert_hex(address, sizeof(address), address_hex);
    k1_text_digest(digest, some_data);
    assert_hex(digest, 32, "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655");
    assert_ok(k1_sign_text(key, sig, some_data));
    assert_hex(sig, sizeof(sig), sig_hex);
    k1_sig_text(text, sig);
    assert_int_equal(strlen(text), K1_SIG_TEXT_LEN);
    assert_string_equal(text + 2, sig_hex);
    assert_ok(k1_verify_text(address, sig, some_data));
    assert_ok(k1_verify_digest(k1_key_pub(key), sig, digest));
    k1_key_free(key);
}

static void refuses_every_flipped_bit(void **state)
{
    uint8_t sig[K1_SIG_LEN];
    uint8_t address[K1_ADDRESS_LEN];

    UNUSED(state);
    unhex(sig, sizeof(sig), sig_hex);
    unhex(address, sizeof(address), address_hex);
    assert_ok(k1_verify_text(address, sig, some_data));
    assert_err(k1_verify_text(address, sig, BYTES_LIT("Some date")), TACIT_SIGNATURE);
    for (size_t bit = 0; bit < 8 * sizeof(sig); bit++) {
        sig[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_err(k1_verify_text(address, sig, some_data), TACIT_SIGNATURE);
        sig[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(address); bit++) {
        address[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_err(k1_verify_text(address, sig, some_data), TACIT_SIGNATURE);
        address[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void accepts_both_ways_to_write_v(void **state)
{
    uint8_t sig[K1_SIG_LEN];
    uint8_t address[K1_ADDRESS_LEN];

    UNUSED(state);
    unhex(sig, sizeof(sig), sig_hex);
    unhex(address, sizeof(address), address_hex);
    sig[64] = 1;
    assert_ok(k1_verify_text(address, sig, some_data));
    sig[64] = 29;
    assert_err(k1_verify_text(address, sig, some_data), TACIT_SIGNATURE);
    sig[64] = 255;
    assert_err(k1_verify_text(address, sig, some_data), TACIT_SIGNATURE);
}

/* (r, n - s) with the other v is a valid ECDSA signature of the same key: refused all the same. */
static void refuses_high_s(void **state)
{
    uint8_t n[32];
    uint8_t sig[K1_SIG_LEN];
    uint8_t address[K1_ADDRESS_LEN];
    int borrow = 0;

    UNUSED(state);
    unhex(sig, sizeof(sig), sig_hex);
    unhex(address, sizeof(address), address_hex);
    unhex(n, sizeof(n), "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    for (size_t i = 32; i-- > 0;) {
        int diff = n[i] - sig[32 + i] - borrow;

        borrow = diff < 0;
        sig[32 + i] = (uint8_t)(diff + (borrow ? 256 : 0));
    }
    sig[64] = 27;
    assert_err(k1_verify_text(address, sig, some_data), TACIT_SIGNATURE);
}

static void refuses_scalars_out_of_range(void **state)
{
    struct k1_key *key = NULL;
    uint8_t secret[32] = {0};

    UNUSED(state);
    assert_err(k1_key_new(&key, secret), TACIT_FORMAT);
    assert_null(key);
    memset(secret, 0xff, sizeof(secret));
    assert_err(k1_key_new(&key, secret), TACIT_FORMAT);
    assert_null(key);
    k1_key_free(NULL);
}

static void reads_signature_texts_strictly(void **state)
{
    uint8_t sig[K1_SIG_LEN];
    uint8_t wanted[K1_SIG_LEN];
    char text[K1_SIG_TEXT_LEN + 2] = "0x";

    UNUSED(state);
    unhex(wanted, sizeof(wanted), sig_hex);
    memcpy(text + 2, sig_hex, sizeof(sig_hex));
    assert_ok(k1_sig_parse(sig, bytes_of(text)));
    assert_memory_equal(sig, wanted, sizeof(sig));
    assert_ok(k1_sig_parse(sig, bytes_of(text + 2)));
    for (size_t len = 0; len < K1_SIG_TEXT_LEN; len++)
        assert_err(k1_sig_parse(sig, bytes_make(text, len)), TACIT_FORMAT);
    text[K1_SIG_TEXT_LEN] = '0';
    assert_err(k1_sig_parse(sig, bytes_make(text, K1_SIG_TEXT_LEN + 1)), TACIT_FORMAT);
    text[40] = 'g';
    assert_err(k1_sig_parse(sig, bytes_make(text, K1_SIG_TEXT_LEN)), TACIT_FORMAT);
    assert_true(bytes_is_zero(BYTES_ARRAY(sig)));
}

static void signs_and_recovers_any_key(void **state)
{
    UNUSED(state);
    for (int i = 0; i < 8; i++) {
        struct k1_key *key;
        uint8_t secret[32];
        uint8_t sig[K1_SIG_LEN];
        uint8_t address[K1_ADDRESS_LEN];

        assert_ok(random_fill(secret, sizeof(secret)));
        assert_ok(k1_key_new(&key, secret));
        assert_ok(k1_sign_text(key, sig, bytes_make(secret, (size_t)i)));
        k1_address(address, k1_key_pub(key));
        assert_ok(k1_verify_text(address, sig, bytes_make(secret, (size_t)i)));
        k1_key_free(key);
    }
}

/* The value of a string member in a flat document whose strings have no escapes. */
static struct bytes member(struct bytes doc, const char *name)
{
    struct bytes rest = bytes_slice(doc, bytes_find(doc, bytes_of(name)) + strlen(name), doc.len);
    size_t from = bytes_find(rest, BYTES_LIT(": \"")) + 3;

    rest = bytes_slice(rest, from, rest.len);
    return bytes_slice(rest, 0, bytes_find_byte(rest, '"'));
}

static void the_real_signature_belongs_to_its_address(void **state)
{
    struct buf doc = buf_make(65536);
    struct bytes text;
    uint8_t sig[K1_SIG_LEN];
    uint8_t digest[32];
    uint8_t pub[K1_PUB_LEN];
    uint8_t address[K1_ADDRESS_LEN];
    char address_text[K1_ADDRESS_TEXT_LEN + 1];

    UNUSED(state);
    if (file_read(&doc, TEST_VECTORS_DIR "/near/chat-stream-signature.json") != TACIT_OK) {
        print_message("skipped: no shared vectors at " TEST_VECTORS_DIR "\n");
        buf_done(&doc);
        skip();
    }
    text = member(buf_bytes(&doc), "\"text\"");
    assert_ok(k1_sig_parse(sig, member(buf_bytes(&doc), "\"signature\"")));
    k1_text_digest(digest, text);
    assert_ok(k1_recover(pub, sig, digest));
    k1_address(address, pub);
    k1_address_text(address_text, address);
    assert_true(bytes_eq_cstr(member(buf_bytes(&doc), "\"signing_address\""), address_text));
    buf_done(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_ethereum_tools_do),
        cmocka_unit_test(refuses_every_flipped_bit),
        cmocka_unit_test(accepts_both_ways_to_write_v),
        cmocka_unit_test(refuses_high_s),
        cmocka_unit_test(refuses_scalars_out_of_range),
        cmocka_unit_test(reads_signature_texts_strictly),
        cmocka_unit_test(signs_and_recovers_any_key),
        cmocka_unit_test(the_real_signature_belongs_to_its_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
