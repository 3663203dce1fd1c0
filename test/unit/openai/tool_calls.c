/* Claims about repaired arguments: what an engine gets is always a string that holds an object, and
 * what was one already stays as it was. */
#include "cmocka_all.h"

#include "openai/rewrite.h"
#include "openai/tool_calls.h"

/* `out` NULL: unchanged. */
static void repaired(const char *in, const char *out)
{
    struct buf b = buf_make(8192);
    struct jval calls;

    assert_int_equal(jscan_validate(&calls, NULL, bytes_of(in)), TACIT_OK);
    assert_int_equal(tool_calls_repair(&b, calls), out != NULL);
    if (out == NULL) {
        assert_int_equal(b.len, 0);
    } else {
        assert_string_equal(buf_cstr(&b), out);
        assert_int_equal(jscan_validate(&calls, NULL, buf_bytes(&b)), TACIT_OK);
        assert_false(tool_calls_repair(&b, calls));
    }
    buf_done(&b);
}

static void arguments(const char *in, const char *out)
{
    struct buf from = buf_make(4096), to = buf_make(4096);

    buf_putf(&from, "[ {\"id\":\"c\", \"function\":{\"name\":\"f\",\"arguments\": %s } } ]", in);
    if (out != NULL)
        buf_putf(&to, "[ {\"id\":\"c\", \"function\":{\"name\":\"f\",\"arguments\": %s } } ]", out);
    repaired(buf_cstr(&from), out == NULL ? NULL : buf_cstr(&to));
    buf_done(&from);
    buf_done(&to);
}

static void a_string_that_holds_an_object_is_left_as_it_is(void **state)
{
    UNUSED(state);
    arguments("\"{}\"", NULL);
    arguments("\" {\\\"a\\\" : [1.0, {}]} \"", NULL);
    arguments("\"\\u007b\\u007d\"", NULL);
}

static void nothing_null_and_blank_become_an_empty_object(void **state)
{
    UNUSED(state);
    arguments("null", "\"{}\"");
    arguments("\"\"", "\"{}\"");
    arguments("\" \\n\\t\"", "\"{}\"");
    arguments("\"null\"", "\"{}\"");
    repaired("[{\"function\":{ \"name\":\"f\"}}]",
             "[{\"function\":{\"arguments\":\"{}\", \"name\":\"f\"}}]");
    repaired("[{\"function\":{}}]", "[{\"function\":{\"arguments\":\"{}\"}}]");
}

static void an_object_becomes_its_text(void **state)
{
    UNUSED(state);
    arguments("{\"a\": \"x\\\"y\"}", "\"{\\\"a\\\": \\\"x\\\\\\\"y\\\"}\"");
}

static void what_was_encoded_twice_is_decoded_once(void **state)
{
    UNUSED(state);
    arguments("\"\\\"{\\\\\\\"a\\\\\\\":1}\\\"\"", "\"{\\\"a\\\":1}\"");
}

static void other_values_are_wrapped(void **state)
{
    UNUSED(state);
    arguments("[1, 2]", "\"{\\\"value\\\":[1, 2]}\"");
    arguments("true", "\"{\\\"value\\\":true}\"");
    arguments("\"[1]\"", "\"{\\\"value\\\":[1]}\"");
    arguments("\"7\"", "\"{\\\"value\\\":7}\"");
    arguments("\"\\\"x\\\"\"", "\"{\\\"value\\\":\\\"x\\\"}\"");
    arguments("\"{\\\"a\\\":\"", "\"{\\\"value\\\":\\\"{\\\\\\\"a\\\\\\\":\\\"}\"");
    arguments("\"\\u0001\\u00e9\"", "\"{\\\"value\\\":\\\"\\\\u0001\xc3\xa9\\\"}\"");
}

static void every_call_is_visited_and_odd_shapes_are_left_alone(void **state)
{
    UNUSED(state);
    repaired("[{\"function\":{\"arguments\":\"{}\"}},7,{\"function\":{\"arguments\":\"\"},\"id\":1}"
             ",{\"id\":\"x\"},{\"function\":[]},{\"function\":{\"arguments\":1}}]",
             "[{\"function\":{\"arguments\":\"{}\"}},7,{\"function\":{\"arguments\":\"{}\"},"
             "\"id\":1},{\"id\":\"x\"},{\"function\":[]},"
             "{\"function\":{\"arguments\":\"{\\\"value\\\":1}\"}}]");
    repaired("[]", NULL);
    repaired("\"x\"", NULL);
    repaired("{\"function\":{}}", NULL);
}

static void no_room_fails_the_buffer(void **state)
{
    struct jval calls;

    UNUSED(state);
    assert_int_equal(jscan_validate(&calls, NULL, bytes_of("[{\"function\":{\"arguments\":7}}]")),
                     TACIT_OK);
    for (size_t room = 0; room < 40; room++) {
        struct buf b = buf_make(room);

        assert_true(tool_calls_repair(&b, calls));
        assert_true(b.failed);
        buf_done(&b);
    }
}

/* The largest growth there is stays within what rewrite.h promises. */
static void the_engines_copy_at_most_doubles(void **state)
{
    static const char *const calls[] = {"{\"function\":{}},",
                                        "{\"function\":{\"arguments\":\"\\\"\\\"\\\"\\\"\\\"\"}},",
                                        "{\"function\":{\"arguments\":[\"\",\"\",\"\",\"\"]}},"};
    const struct rewrite_opts opts = {.is_llama_server = true};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct buf in = buf_make(1 << 20), out;
        struct openai_request req;
        struct openai_error error;

        buf_puts(&in, "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[");
        for (int n = 0; n < 1000; n++)
            buf_puts(&in, calls[i]);
        buf_puts(&in, "{}]}]}");
        out = buf_make(2 * in.len + 1024);
        assert_int_equal(
            openai_request_read(&req, &error, buf_bytes(&in), OPENAI_CHAT, OPENAI_NODE), TACIT_OK);
        assert_int_equal(rewrite_for_engine(&out, &req, &opts), TACIT_OK);
        buf_done(&in);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_that_holds_an_object_is_left_as_it_is),
        cmocka_unit_test(nothing_null_and_blank_become_an_empty_object),
        cmocka_unit_test(an_object_becomes_its_text),
        cmocka_unit_test(what_was_encoded_twice_is_decoded_once),
        cmocka_unit_test(other_values_are_wrapped),
        cmocka_unit_test(every_call_is_visited_and_odd_shapes_are_left_alone),
        cmocka_unit_test(no_room_fails_the_buffer),
        cmocka_unit_test(the_engines_copy_at_most_doubles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
