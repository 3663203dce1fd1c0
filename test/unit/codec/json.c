/* Claims about JSON trees: ownership, order, strictness. */
#include "cmocka_all.h"

#include "codec/json.h"

static void builds_compact_text_in_order(void **state)
{
    struct json *o = json_new_object();
    struct json *list = json_new_array();
    struct buf b = buf_make(256);

    UNUSED(state);
    assert_int_equal(json_set_cstr(o, "z", "a/\"\xc3\xa9") || json_set_i64(o, "n", -1) ||
                         json_set_bool(o, "b", true) || json_set_str(o, "e", BYTES_LIT("")),
                     0);
    assert_int_equal(json_append(list, json_new_null()), TACIT_OK);
    assert_int_equal(json_set(o, "list", list), TACIT_OK);
    assert_int_equal(json_write(&b, o, false), TACIT_OK);
    assert_true(
        bytes_eq_cstr(buf_bytes(&b),
                      "{\"z\":\"a/\\\"\xc3\xa9\",\"n\":-1,\"b\":true,\"e\":\"\",\"list\":[null]}"));
    buf_reset(&b);
    assert_int_equal(json_write(&b, o, true), TACIT_OK);
    assert_true(bytes_starts_with(buf_bytes(&b), BYTES_LIT("{\"b\":true,\"e\"")));
    json_free(o);
    buf_done(&b);
}

static void wrong_use_leaks_nothing(void **state)
{
    struct json *o = json_new_object();

    UNUSED(state);
    assert_int_equal(json_set_i64(o, "a", 1), TACIT_OK);
    assert_int_equal(json_set_i64(o, "a", 2), TACIT_EXISTS);
    assert_int_equal(json_append(o, json_new_i64(1)), TACIT_USAGE);
    assert_int_equal(json_set(NULL, "a", json_new_i64(1)), TACIT_NOMEM);
    assert_int_equal(json_set_str(o, "bad", BYTES_LIT("\xff")), TACIT_NOMEM);
    assert_int_equal(json_len(o), 1);
    json_free(o);
    json_free(NULL);
}

static void reads_back(void **state)
{
    struct json *o;
    struct bytes text;
    int64_t n;
    bool b;

    UNUSED(state);
    assert_int_equal(json_parse(&o, BYTES_LIT(" {\"s\":\"x\\u0000\",\"a\":[1,true]} ")), TACIT_OK);
    assert_true(json_str(&text, json_get(o, "s")) && bytes_eq(text, BYTES_LIT("x\0")));
    assert_true(json_i64(&n, json_at(json_get(o, "a"), 0)) && n == 1);
    assert_true(json_bool(&b, json_at(json_get(o, "a"), 1)) && b);
    assert_false(json_i64(&n, json_get(o, "missing")));
    assert_null(json_get(json_get(o, "missing"), "x"));
    assert_int_equal(json_len(json_get(o, "a")), 2);
    json_free(o);
    assert_int_equal(json_parse(&o, BYTES_LIT("{\"a\":1,\"\\u0061\":1}")), TACIT_FORMAT);
    assert_null(o);
    assert_int_equal(json_parse(&o, BYTES_LIT("123456789012345678901234567890")), TACIT_FORMAT);
    assert_int_equal(json_parse(&o, BYTES_LIT("")), TACIT_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_compact_text_in_order),
        cmocka_unit_test(wrong_use_leaks_nothing),
        cmocka_unit_test(reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
