/* Claims about report data: layout, and that nothing but the exact 64 octets matches. */
#include "cmocka_all.h"

#include "attest/report_data.h"
#include "crypto/sha2.h"

static const uint8_t nonce[32] = {0xe7, 0x9c, 1, 2, 3};
static const uint8_t spki[32] = {0xaa, 0xea, 4, 5, 6};
static const uint8_t address[32] = {0xcb, 0x6f, 7, 8, 9};

static void pads_an_address_on_the_right_when_there_is_no_tls_key(void **state)
{
    uint8_t out[REPORT_DATA_LEN];
    uint8_t zeros[12] = {0};

    UNUSED(state);
    assert_int_equal(report_data_make(out, bytes_make(address, 20), NULL, nonce), TACIT_OK);
    assert_memory_equal(out, address, 20);
    assert_memory_equal(out + 20, zeros, 12);
    assert_memory_equal(out + 32, nonce, 32);
    assert_int_equal(report_data_make(out, bytes_make(address, 32), NULL, nonce), TACIT_OK);
    assert_memory_equal(out, address, 32);
}

static void hashes_the_unpadded_address_with_the_tls_key(void **state)
{
    uint8_t out[REPORT_DATA_LEN];
    uint8_t joined[52];
    uint8_t digest[32];

    UNUSED(state);
    memcpy(joined, address, 20);
    memcpy(joined + 20, spki, 32);
    sha256(digest, BYTES_ARRAY(joined));
    assert_int_equal(report_data_make(out, bytes_make(address, 20), spki, nonce), TACIT_OK);
    assert_memory_equal(out, digest, 32);
    assert_memory_equal(out + 32, nonce, 32);
}

static void refuses_addresses_of_other_lengths(void **state)
{
    uint8_t out[REPORT_DATA_LEN];

    UNUSED(state);
    for (size_t len = 0; len < 33; len++) {
        if (len == 20 || len == 32)
            continue;
        assert_int_equal(report_data_make(out, bytes_make(address, len), NULL, nonce),
                         TACIT_FORMAT);
        assert_true(bytes_is_zero(BYTES_ARRAY(out)));
        assert_false(report_data_matches(out, bytes_make(address, len), NULL, nonce));
    }
}

static void no_flipped_bit_matches(void **state)
{
    uint8_t out[REPORT_DATA_LEN];

    UNUSED(state);
    assert_int_equal(report_data_make(out, bytes_make(address, 20), spki, nonce), TACIT_OK);
    assert_true(report_data_matches(out, bytes_make(address, 20), spki, nonce));
    for (size_t bit = 0; bit < 8 * sizeof(out); bit++) {
        out[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(report_data_matches(out, bytes_make(address, 20), spki, nonce));
        out[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void a_declared_tls_key_is_not_downgraded(void **state)
{
    uint8_t out[REPORT_DATA_LEN];

    UNUSED(state);
    assert_int_equal(report_data_make(out, bytes_make(address, 20), NULL, nonce), TACIT_OK);
    assert_false(report_data_matches(out, bytes_make(address, 20), spki, nonce));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pads_an_address_on_the_right_when_there_is_no_tls_key),
        cmocka_unit_test(hashes_the_unpadded_address_with_the_tls_key),
        cmocka_unit_test(refuses_addresses_of_other_lengths),
        cmocka_unit_test(no_flipped_bit_matches),
        cmocka_unit_test(a_declared_tls_key_is_not_downgraded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
