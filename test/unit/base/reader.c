/* Claims about the cursor: straight lists of reads are safe on any input. */
#include "cmocka_all.h"

#include "base/reader.h"

static void reads_both_byte_orders(void **state)
{
    static const uint8_t in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    struct reader r = reader_over(BYTES_ARRAY(in));

    UNUSED(state);
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_u16le(&r), 0x0302);
    assert_int_equal(read_u24le(&r), 0x060504);
    assert_int_equal(read_u32le(&r), 0x0a090807);
    assert_int_equal(read_u16be(&r), 0x0b0c);
    assert_int_equal(read_u32be(&r), 0x0d0e0f10);
    assert_int_equal(reader_left(&r), 2);
    assert_false(reader_finished(&r));
    assert_int_equal(read_bytes(&r, 2).len, 2);
    assert_true(reader_finished(&r));
}

static void stays_bad_after_a_short_read(void **state)
{
    static const uint8_t in[] = {1, 2, 3};
    struct reader r = reader_over(BYTES_ARRAY(in));
    uint8_t copy[2] = {9, 9};

    UNUSED(state);
    assert_true(read_u64le(&r) == 0);
    assert_int_equal(read_u8(&r), 0);
    assert_int_equal(read_bytes(&r, 0).len, 0);
    read_into(&r, copy, 2);
    assert_int_equal(copy[0] | copy[1], 0);
    assert_false(reader_ok(&r));
    assert_false(reader_finished(&r));
}

static void huge_lengths_are_short_reads(void **state)
{
    static const uint8_t in[] = {1};
    struct reader r = reader_over(BYTES_ARRAY(in));

    UNUSED(state);
    assert_int_equal(read_bytes(&r, SIZE_MAX).len, 0);
    assert_false(reader_ok(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_byte_orders),
        cmocka_unit_test(stays_bad_after_a_short_read),
        cmocka_unit_test(huge_lengths_are_short_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
