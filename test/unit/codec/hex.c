/* Claims about hexadecimal text: strict in, lower-case out. */
#include "cmocka_all.h"

#include "codec/hex.h"

static void decodes_either_case(void **state)
{
    struct buf b = buf_make(16);
    uint8_t fixed[3];

    UNUSED(state);
    assert_int_equal(hex_decode(&b, BYTES_LIT("00aBFf")), TACIT_OK);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.ptr, "\x00\xab\xff", 3);
    assert_int_equal(hex_decode_fixed(fixed, 3, BYTES_LIT("00ABff")), TACIT_OK);
    assert_memory_equal(fixed, "\x00\xab\xff", 3);
    assert_int_equal(hex_decode(&b, BYTES_LIT("")), TACIT_OK);
    buf_done(&b);
}

static void refuses_everything_else(void **state)
{
    static const char *const bad[] = {"0", "0g", "0x", " 00", "00 ", "00\n", "+1", "\xc3\xa9"};
    struct buf b = buf_make(16);
    uint8_t fixed[2] = {1, 1};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(hex_decode(&b, bytes_of(bad[i])), TACIT_FORMAT);
    assert_int_equal(b.len, 0);
    assert_int_equal(hex_decode_fixed(fixed, 2, BYTES_LIT("00")), TACIT_FORMAT);
    assert_int_equal(hex_decode_fixed(fixed, 2, BYTES_LIT("00112")), TACIT_FORMAT);
    assert_int_equal(hex_decode_fixed(fixed, 2, BYTES_LIT("001122")), TACIT_FORMAT);
    assert_int_equal(hex_decode_fixed(fixed, 2, BYTES_LIT("00zz")), TACIT_FORMAT);
    assert_int_equal(fixed[0] | fixed[1], 0);
}

static void refuses_what_does_not_fit(void **state)
{
    uint8_t mem[1];
    struct buf b = buf_over(mem, sizeof(mem));

    UNUSED(state);
    assert_int_equal(hex_decode(&b, BYTES_LIT("0011")), TACIT_NOMEM);
}

static void encodes_lower_case(void **state)
{
    char text[5];

    UNUSED(state);
    hex_encode(text, sizeof(text), BYTES_LIT("\xAB\x01"));
    assert_string_equal(text, "ab01");
    assert_true(hex_is(BYTES_LIT("aB01"), 4));
    assert_false(hex_is(BYTES_LIT("aB0"), 4));
    assert_false(hex_is(BYTES_LIT("aB0x"), 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_either_case),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(encodes_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
