/* Claims about the normal form: it is what JSON.stringify(JSON.parse(x)) gives. */
#include "cmocka_all.h"

#include "codec/jnormal.h"

static const struct {
    const char *in, *out;
} known[] = {
    {" [ 1.0 , -0 , 1e3 , \"\\u0041\\/\\u00E9\\n\\u001F\\u2028\" , null , true ] ",
     "[1,0,1000,\"A/\xc3\xa9\\n\\u001f\xe2\x80\xa8\",null,true]"},
    {"{ \"b\" : 1 , \"10\" : 2 , \"a\" : { } , \"9\" : [ ] }",
     "{\"9\":[],\"10\":2,\"b\":1,\"a\":{}}"},
    {"{\"01\":1,\"4294967295\":2,\"4294967294\":3,\"-1\":4,\"0\":5}",
     "{\"0\":5,\"4294967294\":3,\"01\":1,\"4294967295\":2,\"-1\":4}"},
    {"{\"\\u0031\":1,\"x\":2,\"\\u0022\":3}", "{\"1\":1,\"x\":2,\"\\\"\":3}"},
    {"\"\\uD83D\\ude00\\b\\f\\t\\r\\\\\"", "\"\xf0\x9f\x98\x80\\b\\f\\t\\r\\\\\""},
    {"{\"\":{\"\":\"\"}}", "{\"\":{\"\":\"\"}}"},
};

static void values_come_out_as_javascript_prints_them(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct buf b = buf_make(4096);
        struct buf again = buf_make(4096);
        struct jval v;

        assert_int_equal(jscan_validate(&v, NULL, bytes_of(known[i].in)), TACIT_OK);
        jnormal_put(&b, v);
        assert_string_equal(buf_cstr(&b), known[i].out);
        assert_int_equal(jscan_validate(&v, NULL, buf_bytes(&b)), TACIT_OK);
        jnormal_put(&again, v);
        assert_string_equal(buf_cstr(&again), known[i].out);
        buf_done(&b);
        buf_done(&again);
    }
}

static void what_javascript_cannot_hold_fails_the_buffer(void **state)
{
    struct buf b = buf_make(65536);
    struct buf doc = buf_make(65536);
    struct jval v;

    UNUSED(state);
    assert_int_equal(jscan_validate(&v, NULL, BYTES_LIT("[1e999]")), TACIT_OK);
    jnormal_put(&b, v);
    assert_true(b.failed);
    buf_reset(&b);
    for (int i = 0; i < 257; i++)
        buf_putf(&doc, "%c\"%d\":0", i == 0 ? '{' : ',', i);
    buf_putc(&doc, '}');
    assert_int_equal(jscan_validate(&v, NULL, buf_bytes(&doc)), TACIT_OK);
    jnormal_put(&b, v);
    assert_true(b.failed);
    jnormal_put(&b, JVAL_ABSENT);
    buf_done(&b);
    buf_done(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_out_as_javascript_prints_them),
        cmocka_unit_test(what_javascript_cannot_hold_fails_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
