/* Claims about error bodies: near.md 1.2 and 2.2, word for word. */
#include "cmocka_all.h"

#include "openai/error.h"

static void says(const struct openai_error *e, const char *json)
{
    struct buf b = buf_make(4096);

    openai_error_put(&b, e);
    assert_string_equal(buf_cstr(&b), json);
    buf_done(&b);
}

static void the_gateway_speaks_as_documented(void **state)
{
    struct openai_error e;

    UNUSED(state);
    openai_error_make(&e, OPENAI_GATEWAY, FAULT_MODEL_UNKNOWN, BYTES_LIT("a/b"));
    assert_int_equal(e.status, 400);
    assert_true(e.is_permanent);
    says(&e, "{\"error\":{\"message\":\"Model 'a/b' not found. It's not a valid model name or "
             "alias.\",\"type\":\"invalid_request_error\",\"param\":\"model\",\"code\":null}}");
    openai_error_make(&e, OPENAI_GATEWAY, FAULT_AUTH_MISSING, BYTES_LIT(""));
    assert_int_equal(e.status, 401);
    says(&e, "{\"error\":{\"message\":\"Missing authorization header\",\"type\":"
             "\"missing_auth_header\",\"param\":null,\"code\":null}}");
    openai_error_make(&e, OPENAI_GATEWAY, FAULT_AUTH_INVALID, BYTES_LIT(""));
    assert_string_equal(e.message, "Invalid or expired API key");
    openai_error_make(&e, OPENAI_GATEWAY, FAULT_AUTH_MALFORMED, BYTES_LIT(""));
    assert_string_equal(e.message, "Invalid authorization header format");
    openai_error_make(&e, OPENAI_GATEWAY, FAULT_METHOD, BYTES_LIT(""));
    assert_string_equal(e.message, "Method not allowed");
    openai_error_say(&e, OPENAI_GATEWAY, FAULT_BAD_REQUEST, "nonce", "got %d bytes", 3);
    says(&e, "{\"error\":{\"message\":\"got 3 bytes\",\"type\":\"invalid_request_error\","
             "\"param\":\"nonce\",\"code\":null}}");
}

static void the_node_speaks_as_documented(void **state)
{
    struct openai_error e;

    UNUSED(state);
    openai_error_make(&e, OPENAI_NODE, FAULT_AUTH_INVALID, BYTES_LIT(""));
    says(&e, "{\"error\":{\"message\":\"Invalid or missing Authorization header\",\"type\":"
             "\"unauthorized\",\"param\":null,\"code\":null}}");
    openai_error_make(&e, OPENAI_NODE, FAULT_TOO_LARGE, BYTES_LIT("10"));
    assert_string_equal(e.message, "Request body too large. Maximum: 10 bytes");
    assert_string_equal(e.type, "payload_too_large");
    openai_error_say(&e, OPENAI_NODE, FAULT_NOT_FOUND, "id", "Chat id not found or expired");
    says(&e, "{\"error\":{\"message\":\"Chat id not found or expired\",\"type\":\"not_found\","
             "\"param\":null,\"code\":null}}");
}

static void every_fault_has_a_row_and_every_429_a_retry_time(void **state)
{
    UNUSED(state);
    for (int side = 0; side < 2; side++) {
        for (int f = FAULT_BAD_REQUEST; f <= FAULT_TIMEOUT; f++) {
            struct openai_error e;

            openai_error_make(&e, (enum openai_side)side, (enum openai_fault)f, BYTES_LIT("x"));
            assert_true(e.status >= 400 && e.status < 600);
            assert_true(strlen(e.type) > 0 && strlen(e.message) > 0);
            if (e.status == 429 || e.status == 503)
                assert_true(e.retry_after_s > 0);
        }
    }
}

static void details_cannot_carry_control_characters_or_overflow(void **state)
{
    struct openai_error e;
    uint8_t big[4096];

    UNUSED(state);
    memset(big, 'x', sizeof(big));
    big[0] = '\n';
    big[1] = 0x1B;
    big[2] = 0xFF;
    openai_error_make(&e, OPENAI_GATEWAY, FAULT_MODEL_UNKNOWN, BYTES_ARRAY(big));
    assert_memory_equal(e.message, "Model '???x", 11);
    assert_true(strlen(e.message) < OPENAI_MESSAGE_MAX);
}

static void a_stream_ends_with_an_error_frame(void **state)
{
    struct buf b = buf_make(4096);
    struct openai_error e;

    UNUSED(state);
    openai_error_make(&e, OPENAI_NODE, FAULT_BAD_GATEWAY, BYTES_LIT(""));
    openai_error_put_event(&b, &e);
    assert_string_equal(buf_cstr(&b), "data: {\"error\":{\"message\":\"Upstream request failed\","
                                      "\"type\":\"server_error\"}}\n\n");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gateway_speaks_as_documented),
        cmocka_unit_test(the_node_speaks_as_documented),
        cmocka_unit_test(every_fault_has_a_row_and_every_429_a_retry_time),
        cmocka_unit_test(details_cannot_carry_control_characters_or_overflow),
        cmocka_unit_test(a_stream_ends_with_an_error_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
