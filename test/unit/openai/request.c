/* Claims about requests: what is read, and what is refused by name. */
#include "cmocka_all.h"

#include "base/file.h"
#include "openai/request.h"

#define MESSAGES "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define CHAT(rest) "{\"model\":\"m\"," MESSAGES rest "}"

static struct openai_error error;

static enum tacit_err chat(struct openai_request *req, const char *body)
{
    return openai_request_read(req, &error, bytes_of(body), OPENAI_CHAT, OPENAI_GATEWAY);
}

static void reads_what_the_relay_needs(void **state)
{
    struct openai_request req;

    UNUSED(state);
    assert_int_equal(chat(&req, CHAT("")), TACIT_OK);
    assert_string_equal(req.model, "m");
    assert_false(req.is_stream || req.wants_usage);
    assert_int_equal(req.choices, 1);
    assert_int_equal(req.message_count, 1);
    assert_int_equal(
        chat(&req,
             "{\"stream\":true,\"stream_options\":{\"include_usage\":true,"
             "\"continuous_usage_stats\":true},\"max_tokens\":5,\"max_completion_tokens\":7,"
             "\"n\":2,\"m\\u006fdel\":\"a\\/b\",\"my_own\":1,\"temperature\":null," MESSAGES "}"),
        TACIT_OK);
    assert_string_equal(req.model, "a/b");
    assert_true(req.is_stream && req.wants_usage && req.wants_continuous_usage);
    assert_int_equal(req.max_tokens, 7);
    assert_int_equal(req.choices, 2);
    assert_int_equal(req.unknown_fields, 1);
    assert_int_equal(chat(&req, CHAT(",\"max_tokens\":5,\"stream\":null,\"n\":null")), TACIT_OK);
    assert_int_equal(req.max_tokens, 5);
}

static void refuses_with_the_name_of_the_field(void **state)
{
    static const struct {
        const char *body, *param, *message;
    } bad[] = {
        {"{" MESSAGES "}", "model", "'model' is required."},
        {"{\"model\":1," MESSAGES "}", "model", "'model' must be a string."},
        {"{\"model\":\"\"," MESSAGES "}", "model", "'model' must have 1 to 200 characters."},
        {"{\"model\":\"a b\"," MESSAGES "}", "model",
         "'model' must be printable ASCII without spaces."},
        {"{\"model\":\"m\"}", "messages", "'messages' is required."},
        {"{\"model\":\"m\",\"messages\":[]}", "messages", "'messages' must not be empty."},
        {"{\"model\":\"m\",\"messages\":\"x\"}", "messages", "'messages' must be an array."},
        {"{\"model\":\"m\",\"messages\":[1]}", "messages", "'messages' must hold objects only."},
        {"{\"model\":\"m\",\"messages\":[{}]}", "messages",
         "'messages' must give every message a role."},
        {CHAT(",\"stream\":\"yes\""), "stream", "'stream' must be true or false."},
        {CHAT(",\"stream_options\":1"), "stream_options", "'stream_options' must be an object."},
        {CHAT(",\"stream_options\":{\"include_usage\":1}"), "stream_options",
         "'stream_options' must hold true or false."},
        {CHAT(",\"max_tokens\":0"), "max_tokens",
         "'max_tokens' must be a whole number from 1 to 100000000."},
        {CHAT(",\"max_tokens\":-1"), "max_tokens",
         "'max_tokens' must be a whole number from 1 to 100000000."},
        {CHAT(",\"max_completion_tokens\":1.5"), "max_completion_tokens",
         "'max_completion_tokens' must be a whole number from 1 to 100000000."},
        {CHAT(",\"n\":17"), "n", "'n' must be a whole number from 1 to 16."},
        {CHAT(",\"chat_template\":\"x\""), "chat_template",
         "'chat_template' is not allowed: it reaches into the engine."},
        {CHAT(",\"bootstrap_host\":\"x\""), "bootstrap_host",
         "'bootstrap_host' is not allowed: it reaches into the engine."},
        {CHAT(",\"cache\\u005fsalt\":\"x\""), "cache_salt",
         "'cache_salt' is not allowed: it reaches into the engine."},
        {"{\"model\":\"m\",\"model\":\"n\"," MESSAGES "}", "",
         "Invalid JSON: duplicate member name at byte 20"},
        {"[]", "", "Invalid JSON: the body must be an object"},
        {"", "", "Invalid JSON: value expected at byte 0"},
    };
    struct openai_request req;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_not_equal(chat(&req, bad[i].body), TACIT_OK);
        assert_string_equal(error.message, bad[i].message);
        assert_string_equal(error.param, bad[i].param);
        assert_string_equal(error.type, "invalid_request_error");
        assert_int_equal(error.status, 400);
        assert_int_equal(req.root.type, JVAL_NONE);
    }
    assert_int_equal(openai_request_read(&req, &error, BYTES_LIT("{}"), OPENAI_CHAT, OPENAI_NODE),
                     TACIT_FORMAT);
    assert_string_equal(error.type, "bad_request");
    assert_string_equal(error.param, "");
}

static void refuses_every_field_that_steers_an_engine(void **state)
{
    static const char *const names[] = {
        "kv_transfer_params", "vllm_xargs",     "custom_logit_processor", "chat_template",
        "bootstrap_host",     "bootstrap_port", "bootstrap_room",         "mm_processor_kwargs",
        "input_ids",          "cache_salt",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(openai_field_class(bytes_of(names[i])), OPENAI_FIELD_REFUSED);
    assert_int_equal(openai_field_class(BYTES_LIT("priority")), OPENAI_FIELD_OWNED);
    assert_int_equal(openai_field_class(BYTES_LIT("max_completion_tokens")), OPENAI_FIELD_ALLOWED);
    assert_int_equal(openai_field_class(BYTES_LIT("chat_template_kwargs")), OPENAI_FIELD_ALLOWED);
    assert_int_equal(openai_field_class(BYTES_LIT("slot_save_path")), OPENAI_FIELD_UNKNOWN);
}

static void text_completions_are_plain_at_the_gateway(void **state)
{
    static const char *const bad[] = {
        "{\"model\":\"m\",\"prompt\":[\"x\"]}",
        "{\"model\":\"m\",\"prompt\":\"x\",\"best_of\":2}",
        "{\"model\":\"m\",\"prompt\":\"x\",\"logprobs\":1}",
        "{\"model\":\"m\",\"prompt\":\"x\",\"echo\":true}",
        "{\"model\":\"m\",\"prompt\":\"x\",\"suffix\":\"y\"}",
        "{\"model\":\"m\"}",
    };
    struct bytes good = BYTES_LIT("{\"model\":\"m\",\"prompt\":\"x\",\"best_of\":1,\"echo\":false,"
                                  "\"suffix\":null,\"logprobs\":null}");
    struct openai_request req;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(
            openai_request_read(&req, &error, bytes_of(bad[i]), OPENAI_COMPLETION, OPENAI_GATEWAY),
            TACIT_FORMAT);
    assert_int_equal(openai_request_read(&req, &error, good, OPENAI_COMPLETION, OPENAI_GATEWAY),
                     TACIT_OK);
    assert_int_equal(
        openai_request_read(&req, &error, bytes_of(bad[0]), OPENAI_COMPLETION, OPENAI_NODE),
        TACIT_OK);
}

static void refuses_too_large_a_body(void **state)
{
    struct openai_request req;
    struct buf b = buf_make(LIMIT_BODY_BYTES + 1);

    UNUSED(state);
    buf_fill(&b, ' ', LIMIT_BODY_BYTES + 1);
    assert_int_equal(openai_request_read(&req, &error, buf_bytes(&b), OPENAI_CHAT, OPENAI_NODE),
                     TACIT_LIMIT);
    assert_int_equal(error.status, 413);
    assert_string_equal(error.message, "Request body too large. Maximum: 10485760 bytes");
    buf_done(&b);
}

static void every_prefix_and_bit_flip_is_handled(void **state)
{
    static const char body[] = CHAT(",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    uint8_t copy[sizeof(body) - 1];
    struct openai_request req;

    UNUSED(state);
    for (size_t n = 0; n < sizeof(copy); n++)
        assert_int_not_equal(
            openai_request_read(&req, &error, bytes_make(body, n), OPENAI_CHAT, OPENAI_NODE),
            TACIT_OK);
    for (size_t i = 0; i < sizeof(copy) * 8; i++) {
        memcpy(copy, body, sizeof(copy));
        copy[i / 8] ^= (uint8_t)(1U << i % 8);
        if (openai_request_read(&req, &error, BYTES_ARRAY(copy), OPENAI_CHAT, OPENAI_NODE) ==
            TACIT_OK)
            assert_int_equal(error.status, 0);
        else
            assert_true(error.status >= 400);
    }
}

static void reads_the_recorded_request(void **state)
{
    struct buf b = buf_make(4096);
    struct openai_request req;

    UNUSED(state);
    if (file_read(&b, TEST_VECTORS_DIR "/near/chat-stream-request.json") != TACIT_OK) {
        print_message("skipped: shared vectors are not here\n");
        buf_done(&b);
        skip();
    }
    assert_int_equal(openai_request_read(&req, &error, buf_bytes(&b), OPENAI_CHAT, OPENAI_GATEWAY),
                     TACIT_OK);
    assert_string_equal(req.model, "Qwen/Qwen3.5-122B-A10B");
    assert_true(req.is_stream);
    assert_int_equal(req.unknown_fields, 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_relay_needs),
        cmocka_unit_test(refuses_with_the_name_of_the_field),
        cmocka_unit_test(refuses_every_field_that_steers_an_engine),
        cmocka_unit_test(text_completions_are_plain_at_the_gateway),
        cmocka_unit_test(refuses_too_large_a_body),
        cmocka_unit_test(every_prefix_and_bit_flip_is_handled),
        cmocka_unit_test(reads_the_recorded_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
