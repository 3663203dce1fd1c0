/* Claims about the CBOR reader: one spelling of each value, nothing out of bounds. */
#include "cmocka_all.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/cbor.h"

static void reads_shortest_forms(void **state)
{
    struct cbor c = cbor_over(BYTES_LIT("\x17\x18\x18\x19\x01\x00\x20\x38\xff\x43"
                                        "abc\x62\xc3\xa9\xf5"));

    UNUSED(state);
    assert_int_equal(cbor_head(&c, CBOR_UINT), 23);
    assert_int_equal(cbor_head(&c, CBOR_UINT), 24);
    assert_int_equal(cbor_head(&c, CBOR_UINT), 256);
    assert_int_equal(cbor_int(&c), -1);
    assert_int_equal(cbor_int(&c), -256);
    assert_true(bytes_eq_cstr(cbor_bytes(&c), "abc"));
    assert_true(bytes_eq_cstr(cbor_text(&c), "\xc3\xa9"));
    assert_int_equal(cbor_peek(&c), CBOR_SIMPLE);
    assert_int_equal(cbor_skip(&c).len, 1);
    assert_true(cbor_finished(&c));
    assert_int_equal(cbor_peek(&c), -1);
}

static void refused(struct bytes in)
{
    struct cbor c = cbor_over(in);

    cbor_skip(&c);
    assert_false(cbor_finished(&c));
}

static void refuses_other_spellings_and_lies(void **state)
{
    UNUSED(state);
    refused(BYTES_LIT(""));
    refused(BYTES_LIT("\x18\x17"));             /* 23 in two octets */
    refused(BYTES_LIT("\x19\x00\xff"));         /* 255 in three */
    refused(BYTES_LIT("\x1a\x00\x00\xff\xff")); /* 65535 in five */
    refused(BYTES_LIT("\x1b\x00\x00\x00\x00\xff\xff\xff\xff"));
    refused(BYTES_LIT("\x1c"));          /* reserved */
    refused(BYTES_LIT("\x5f\x41x\xff")); /* indefinite string */
    refused(BYTES_LIT("\x9f\xff"));      /* indefinite array */
    refused(BYTES_LIT("\x44"
                      "abc"));                                  /* cut */
    refused(BYTES_LIT("\x62\xc3\x28"));                         /* no UTF-8 */
    refused(BYTES_LIT("\x9b\xff\xff\xff\xff\xff\xff\xff\xff")); /* huge array */
    refused(BYTES_LIT("\xbb\x7f\xff\xff\xff\xff\xff\xff\xff\x00"));
    refused(BYTES_LIT("\xf9\x00\x00")); /* float */
    refused(BYTES_LIT("\xf8\x18"));     /* simple value */
    refused(BYTES_LIT("\xc1"));         /* tag of nothing */
}

static void depth_is_limited(void **state)
{
    struct buf b = buf_make(64);
    struct cbor c;

    UNUSED(state);
    buf_fill(&b, 0x81, LIMIT_CBOR_DEPTH);
    buf_putc(&b, 0x01);
    c = cbor_over(buf_bytes(&b));
    cbor_skip(&c);
    assert_true(cbor_finished(&c));
    buf_reset(&b);
    buf_fill(&b, 0x81, LIMIT_CBOR_DEPTH + 1);
    buf_putc(&b, 0x01);
    refused(buf_bytes(&b));
    buf_done(&b);
}

static void maps_are_read_by_key(void **state)
{
    struct bytes map = BYTES_LIT("\xa3\x01\x41"
                                 "a\x20\x42"
                                 "bc\x61k\x05");
    struct bytes value;

    UNUSED(state);
    assert_true(cbor_map_get(&value, map, 1));
    assert_true(bytes_eq_cstr(value, "\x41"
                                     "a"));
    assert_true(cbor_map_get(&value, map, -1));
    assert_true(bytes_eq_cstr(value, "\x42"
                                     "bc"));
    assert_true(cbor_map_get(&value, map, 2));
    assert_null(value.ptr);
}

static void maps_with_doubled_or_strange_keys_are_refused(void **state)
{
    struct bytes value;

    UNUSED(state);
    assert_false(cbor_map_get(&value, BYTES_LIT("\xa2\x01\x02\x01\x03"), 1));
    assert_false(cbor_map_get(&value,
                              BYTES_LIT("\xa2\x61"
                                        "a\x02\x61"
                                        "a\x03"),
                              1));
    assert_false(cbor_map_get(&value, BYTES_LIT("\xa1\xf5\x02"), 1));
    assert_false(cbor_map_get(&value, BYTES_LIT("\xa1\x01\x02\x00"), 1));
    assert_false(cbor_map_get(&value, BYTES_LIT("\x81\x01"), 1));
    assert_false(cbor_map_get(&value, BYTES_LIT("\xa1\x01"), 1));
    assert_null(value.ptr);
}

static void integers_that_do_not_fit_are_refused(void **state)
{
    struct cbor c = cbor_over(BYTES_LIT("\x1b\x80\x00\x00\x00\x00\x00\x00\x00"));

    UNUSED(state);
    assert_int_equal(cbor_int(&c), 0);
    assert_false(cbor_ok(&c));
    c = cbor_over(BYTES_LIT("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"));
    assert_true(cbor_int(&c) == INT64_MIN);
    assert_true(cbor_finished(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_shortest_forms),
        cmocka_unit_test(refuses_other_spellings_and_lies),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(maps_are_read_by_key),
        cmocka_unit_test(maps_with_doubled_or_strange_keys_are_refused),
        cmocka_unit_test(integers_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
