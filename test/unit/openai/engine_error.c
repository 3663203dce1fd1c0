/* Claims about an engine's errors: the kind passes, the quoted prompt does not (near.md 2.2). */
#include "cmocka_all.h"

#include "codec/jwrite.h"
#include "openai/error.h"

static void of(struct openai_error *e, unsigned status, const char *body)
{
    openai_error_of_engine(e, status, bytes_of(body));
}

static void both_shapes_are_read(void **state)
{
    struct openai_error e;

    UNUSED(state);
    of(&e, 400,
       "{\"object\":\"error\",\"message\":\"too long\",\"type\":\"BadRequestError\",\"code\":400}");
    assert_int_equal(e.status, 400);
    assert_string_equal(e.type, "BadRequestError");
    assert_string_equal(e.message, "too long");
    of(&e, 404, "{\"error\":{\"message\":\"no such model\",\"type\":\"NotFoundError\"}}");
    assert_string_equal(e.message, "no such model");
    of(&e, 500, "{\"error\":{\"message\":\"x\",\"type\":\"bad type\\n\"}}");
    assert_string_equal(e.type, "upstream_error");
}

static void what_cannot_be_parsed_is_named_by_status_only(void **state)
{
    static const char *const bodies[] = {"",
                                         "secret",
                                         "<html>secret</html>",
                                         "{\"message\":7}",
                                         "[]",
                                         "{\"error\":\"secret\"}",
                                         "{\"a\":1,\"a\":2}"};
    struct openai_error e;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        of(&e, 500, bodies[i]);
        assert_string_equal(e.message, "Upstream request failed with status 500");
        assert_string_equal(e.type, "upstream_error");
    }
    of(&e, 200, "{\"message\":\"fine\"}");
    assert_int_equal(e.status, 502);
    of(&e, 401, "{\"message\":\"Invalid API Key\"}");
    assert_int_equal(e.status, 502);
    assert_string_equal(e.message, "Upstream request failed with status 401");
}

/* An engine's message through JSON and the sanitiser. */
static void sanitised(struct openai_error *e, const char *message)
{
    struct buf b = buf_make(65536);
    struct jw w = jw_make(&b);

    jw_object(&w);
    jw_key_cstr(&w, "message", message);
    jw_end(&w);
    openai_error_of_engine(e, 400, buf_bytes(&b));
    buf_done(&b);
}

static void quoted_input_never_passes(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', 'input': "
         "{'x': 'CANARY'}}]",
         "missing: Field required"},
        {"[{'type': 'value_error', 'msg': \"Value error, no\", 'ctx': {'error': 'CANARY'}}]",
         "value_error: Value error, no"},
        {"x 'input': 'CANARY', 'msg': 'CANARY'", "validation error"},
        {"1 validation error for ChatRequest\nmessages.0\n  Input should be a valid string "
         "[type=string_type, input_value='CANARY', input_type=str]\n    For further information",
         "1 validation error for ChatRequest\nmessages.0\nInput should be a valid string "
         "[type=string_type]\nFor further information"},
        {"boom\nTraceback (most recent call last):\n  File \"/x.py\", line 3, in f\n    "
         "raise ValueError('CANARY')\nValueError",
         "boom\nValueError"},
        {"parse error at line 1, column 5: syntax error while parsing value - last read: 'CANARY'",
         "parse error at line 1, column 5: syntax error"},
        {"Failed to parse input at pos 0: CANARY", "Upstream request failed with status 400"},
        {"plain message", "plain message"},
    };
    struct openai_error e;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        sanitised(&e, cases[i].in);
        assert_string_equal(e.message, cases[i].out);
    }
}

static void long_messages_are_cut_between_characters(void **state)
{
    struct openai_error e;
    char text[1200];

    UNUSED(state);
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[sizeof(text) - 2] = '\0';
    sanitised(&e, text);
    assert_int_equal(strlen(e.message), OPENAI_MESSAGE_MAX - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_shapes_are_read),
        cmocka_unit_test(what_cannot_be_parsed_is_named_by_status_only),
        cmocka_unit_test(quoted_input_never_passes),
        cmocka_unit_test(long_messages_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
