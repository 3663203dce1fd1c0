/* Claims about the JSON writer: what it writes is what JSON.stringify would write. */
#include "cmocka_all.h"

#include "codec/jscan.h"
#include "codec/jwrite.h"
#include "codec/utf8.h"

static void writes_nested_documents(void **state)
{
    struct buf b = buf_make(256);
    struct jw w = jw_make(&b);

    UNUSED(state);
    jw_object(&w);
    jw_key_cstr(&w, "id", "x");
    jw_key(&w, "list");
    jw_array(&w);
    jw_u64(&w, UINT64_MAX);
    jw_i64(&w, -1);
    jw_object(&w);
    jw_end(&w);
    jw_array(&w);
    jw_end(&w);
    jw_bool(&w, true);
    jw_null(&w);
    jw_hex(&w, BYTES_LIT("\x01\xff"));
    jw_end(&w);
    jw_key_raw(&w, "raw", BYTES_LIT("[1]"));
    jw_key_u64(&w, "n", 0);
    jw_end(&w);
    assert_true(bytes_eq_cstr(buf_bytes(&b),
                              "{\"id\":\"x\",\"list\":[18446744073709551615,-1,{},[],"
                              "true,null,\"01ff\"],\"raw\":[1],\"n\":0}"));
    buf_done(&b);
}

static void escapes_what_javascript_escapes_and_nothing_else(void **state)
{
    struct buf b = buf_make(256);

    UNUSED(state);
    jw_put_str(&b, BYTES_LIT("\0\x01\b\t\n\v\f\r\x1f \"\\/<\x7f\xc3\xa9\xe2\x80\xa8"));
    assert_true(bytes_eq(buf_bytes(&b),
                         BYTES_LIT("\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/<\x7f"
                                   "\xc3\xa9\xe2\x80\xa8\"")));
    jw_put_str(&b, BYTES_LIT("\xed\xa0\x80"));
    assert_int_equal(buf_err(&b), TACIT_NOMEM);
    buf_done(&b);
}

static void failure_is_sticky(void **state)
{
    uint8_t mem[4];
    struct buf b = buf_over(mem, sizeof(mem));
    struct buf deep = buf_make(256);
    struct jw w = jw_make(&b);

    UNUSED(state);
    jw_object(&w);
    jw_key_cstr(&w, "too", "long");
    jw_end(&w);
    assert_int_equal(buf_err(&b), TACIT_NOMEM);
    w = jw_make(&deep);
    for (int i = 0; i <= LIMIT_JSON_DEPTH; i++)
        jw_array(&w);
    assert_true(deep.failed);
    buf_done(&deep);
}

static void prints_numbers_as_javascript(void **state)
{
    static const struct {
        const char *in, *out;
    } known[] = {
        {"0", "0"},
        {"-0", "0"},
        {"0.0", "0"},
        {"-0.0", "0"},
        {"0e5", "0"},
        {"1.0", "1"},
        {"-1.50", "-1.5"},
        {"1e2", "100"},
        {"1E+2", "100"},
        {"12345678901234567890", "12345678901234567000"},
        {"1e21", "1e+21"},
        {"1e20", "100000000000000000000"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"1.5e-7", "1.5e-7"},
        {"0.1", "0.1"},
        {"-0.25", "-0.25"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"0.3000000000000000444", "0.30000000000000004"},
        {"5e-324", "5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"-1.2345678901234567", "-1.2345678901234567"},
        {"9007199254740993", "9007199254740992"},
        {"123456789012345", "123456789012345"},
        {"-5.960464477539063e-08", "-5.960464477539063e-8"},
        {"0.00001", "0.00001"},
        {"100000", "100000"},
        {"1780404899", "1780404899"},
        {"2.2250738585072014e-308", "2.2250738585072014e-308"},
        {"1.5e300", "1.5e+300"},
        {"4.9e-324", "5e-324"},
        {"1e23", "1e+23"},
        {"5.684341886080802e-14", "5.684341886080802e-14"},
        {"1e-320", "1e-320"},
        {"1e-400", "0"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct buf b = buf_make(64);

        jw_put_js_number(&b, bytes_of(known[i].in));
        assert_string_equal(buf_cstr(&b), known[i].out);
        buf_done(&b);
    }
}

static void refuses_numbers_that_are_no_finite_double(void **state)
{
    struct buf b = buf_make(64);

    UNUSED(state);
    jw_put_js_number(&b, BYTES_LIT("1e400"));
    assert_true(b.failed);
}

static void knows_valid_utf8(void **state)
{
    static const char *const bad[] = {
        "\x80",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xf4\x90\x80\x80",
        "a\xc3"};
    uint8_t out[4];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_is_valid(bytes_of(bad[i])));
    for (uint32_t c = 0; c <= 0x10FFFF; c++)
        if (c < 0xD800 || c > 0xDFFF)
            assert_true(utf8_is_valid(bytes_make(out, utf8_encode(out, c))));
}

/* A limit reached anywhere is an error of the buffer; it once was an assertion of the writer. */
static void every_limit_fails_the_buffer_and_nothing_else(void **state)
{
    size_t whole = SIZE_MAX;

    UNUSED(state);
    for (size_t limit = 0; limit <= 64; limit++) {
        uint8_t mem[64];
        struct buf b = buf_over(mem, limit);
        struct jw w = jw_make(&b);

        jw_object(&w);
        jw_key(&w, "a");
        jw_array(&w);
        jw_object(&w);
        jw_key_cstr(&w, "bc", "d");
        jw_key(&w, "e");
        jw_object(&w);
        jw_end(&w);
        jw_end(&w);
        jw_u64(&w, 12);
        jw_end(&w);
        jw_key(&w, "f");
        jw_null(&w);
        jw_end(&w);
        if (!b.failed && whole == SIZE_MAX)
            whole = limit;
        assert_true(b.failed == (limit < whole));
        if (!b.failed)
            assert_true(
                bytes_eq_cstr(buf_bytes(&b), "{\"a\":[{\"bc\":\"d\",\"e\":{}},12],\"f\":null}"));
        buf_done(&b);
    }
    assert_int_equal(whole, 37);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_nested_documents),
        cmocka_unit_test(escapes_what_javascript_escapes_and_nothing_else),
        cmocka_unit_test(failure_is_sticky),
        cmocka_unit_test(prints_numbers_as_javascript),
        cmocka_unit_test(refuses_numbers_that_are_no_finite_double),
        cmocka_unit_test(knows_valid_utf8),
        cmocka_unit_test(every_limit_fails_the_buffer_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
