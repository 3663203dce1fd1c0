/* Claims about whole replies: the chunks' content, once, in JavaScript's spelling. */
#include <stdio.h>

#include "cmocka_all.h"

#include "base/file.h"
#include "openai/assemble.h"
#include "openai/sse.h"

static const struct chunk_opts chat = {.kind = OPENAI_CHAT, .model = "m", .created_unix_s = 9};
static const struct chunk_opts text = {.kind = OPENAI_COMPLETION, .model = "m"};

static void assembled(const struct chunk_opts *opts, const char *const *events, const char *reply)
{
    struct assembly *a = assembly_new(opts);
    struct buf b = buf_make(65536);

    assert_non_null(a);
    for (; *events != NULL; events++)
        assert_int_equal(assembly_event(a, bytes_of(*events)), CHUNK_DATA);
    assert_int_equal(assembly_write(a, &b), TACIT_STATE);
    assert_int_equal(assembly_event(a, BYTES_LIT("[DONE]")), CHUNK_DONE);
    assert_int_equal(assembly_write(a, &b), TACIT_OK);
    assert_string_equal(buf_cstr(&b), reply);
    buf_done(&b);
    assembly_free(a);
}

static void content_and_reasoning_are_joined(void **state)
{
    static const char *const events[] = {
        "{\"id\":\"x\",\"created\":5,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
        "\"content\":\"\"}}]}",
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}",
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"m\"}}]}",
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"H\\u00e9\\\"\"}}]}",
        "{\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"l\\n\"},"
        "\"finish_reason\":\"stop\"}]}",
        "{\"id\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}",
        NULL};

    UNUSED(state);
    assembled(&chat, events,
              "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":5,\"model\":\"m\","
              "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
              "\"H\xc3\xa9\\\"l\\n\",\"reasoning_content\":\"hmm\"},\"logprobs\":null,"
              "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,"
              "\"total_tokens\":5}}");
}

static void tool_calls_are_put_together(void **state)
{
    static const char *const events[] = {
        "{\"id\":\"x\",\"created\":5,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
        "\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\","
        "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
        "{\"arguments\":\"{\\\"a\\\":\"}}]}}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"c2\","
        "\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}},{\"index\":0,\"function\":"
        "{\"arguments\":\"1}\"}}]},\"finish_reason\":\"tool_calls\"}]}",
        NULL};

    UNUSED(state);
    assembled(&chat, events,
              "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":5,\"model\":\"m\","
              "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,"
              "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"c2\",\"type\":\"function\",\"function\":"
              "{\"name\":\"g\",\"arguments\":\"{}\"}}]},\"logprobs\":null,"
              "\"finish_reason\":\"tool_calls\"}]}");
}

static void several_choices_and_log_probabilities(void **state)
{
    static const char *const events[] = {
        "{\"choices\":[{\"index\":1,\"text\":\"b\",\"logprobs\":{\"tokens\":[\"b\"],"
        "\"token_logprobs\":[-1.50]}}]}",
        "{\"choices\":[{\"index\":0,\"text\":\"a\"}]}",
        "{\"choices\":[{\"index\":1,\"text\":\"c\",\"logprobs\":{\"tokens\":[\"c\"],"
        "\"token_logprobs\":[null]},\"finish_reason\":\"length\"}]}",
        NULL};

    UNUSED(state);
    assembled(&text, events,
              "{\"id\":\"cmpl-000000000000000000000000\",\"object\":\"text_completion\","
              "\"created\":0,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\"a\","
              "\"logprobs\":null,\"finish_reason\":null},{\"index\":1,\"text\":\"bc\",\"logprobs\":"
              "{\"tokens\":[\"b\",\"c\"],\"token_logprobs\":[-1.5,null]},"
              "\"finish_reason\":\"length\"}]}");
}

static void garbage_and_errors_end_it(void **state)
{
    static const char *const bad[] = {
        "x",
        "[]",
        "{}",
        "[DONE]",
        "{\"choices\":[{}]}",
        "{\"choices\":[{\"index\":16}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":7}}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":5}]}}]}",
        "{\"choices\":[{\"index\":0,\"logprobs\":{\"content\":[1e999]}}]}",
    };
    struct buf b = buf_make(4096);

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct assembly *a = assembly_new(&chat);

        assert_int_equal(assembly_event(a, bytes_of(bad[i])), CHUNK_BAD);
        assert_int_equal(assembly_event(a, BYTES_LIT("[DONE]")), CHUNK_BAD);
        assert_int_equal(assembly_write(a, &b), TACIT_STATE);
        assembly_free(a);
    }
    {
        struct assembly *a = assembly_new(&chat);

        assert_int_equal(
            assembly_event(a, BYTES_LIT("{\"error\":{\"message\":\"no memory\",\"code\":500}}")),
            CHUNK_ERROR);
        assert_string_equal(assembly_error(a)->message, "no memory");
        assembly_free(a);
    }
    assembly_free(NULL);
    buf_done(&b);
}

static void gathers_at_most_a_whole_reply(void **state)
{
    struct assembly *a = assembly_new(&chat);
    struct buf b = buf_make(2U << 20);
    enum chunk_result result = CHUNK_DATA;
    size_t rounds = 0;

    UNUSED(state);
    buf_puts(&b, "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"");
    buf_fill(&b, 'x', 1U << 20);
    buf_puts(&b, "\"}}]}");
    while (result == CHUNK_DATA && rounds++ < 64)
        result = assembly_event(a, buf_bytes(&b));
    assert_int_equal(result, CHUNK_BAD);
    assert_int_equal(rounds, LIMIT_REPLY_BYTES >> 20);
    assembly_free(a);
    buf_done(&b);
}

static void a_plain_reply_is_normalised(void **state)
{
    struct buf b = buf_make(4096);
    char id[OPENAI_ID_MAX + 1];
    struct openai_usage usage;

    UNUSED(state);
    assert_int_equal(
        reply_normalise(&b, id, &usage,
                        BYTES_LIT("{\"choices\": [{\"index\":0,\"message\":{\"role\":\"assistant\","
                                  "\"content\":\"\\u0041\"},\"finish_reason\":\"stop\"}],"
                                  "\"created\":5,\"timings\":{\"x\":0.10},\"usage\":{"
                                  "\"prompt_tokens\":1,\"completion_tokens\":1}}"),
                        &chat),
        TACIT_OK);
    assert_string_equal(id, "chatcmpl-000000000000000000000000");
    assert_string_equal(
        buf_cstr(&b),
        "{\"id\":\"chatcmpl-000000000000000000000000\",\"object\":\"chat.completion\",\"created\":"
        "5,"
        "\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
        "\"A\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":"
        "1,"
        "\"total_tokens\":2}}");
    assert_int_equal(reply_normalise(&b, id, &usage, BYTES_LIT("{\"error\":1}"), &chat),
                     TACIT_FORMAT);
    buf_done(&b);
}

/* The whole reply of a recorded stream, and that its frames are in their final spelling. */
static void replay(struct buf *reply, const char *path, const struct chunk_opts *opts)
{
    struct buf in = buf_make(1 << 20);
    struct buf once = buf_make(1 << 20);
    struct buf twice = buf_make(1 << 20);
    struct assembly *a = assembly_new(opts);
    struct chunk_stream first;
    struct chunk_stream second;
    struct sse_event e;
    struct sse s;

    assert_int_equal(file_read(&in, path), TACIT_OK);
    chunk_stream_init(&first, opts);
    chunk_stream_init(&second, opts);
    sse_init(&s);
    assert_int_equal(sse_feed(&s, buf_bytes(&in)), TACIT_OK);
    while (sse_next(&s, &e)) {
        enum chunk_result r = chunk_stream_event(&first, &once, e.data);

        assert_true(r == CHUNK_DATA || r == CHUNK_DROPPED || (r == CHUNK_DONE && e.is_done));
        assert_int_equal(assembly_event(a, e.data), e.is_done ? CHUNK_DONE : CHUNK_DATA);
    }
    assert_int_equal(sse_feed(&s, buf_bytes(&once)), TACIT_OK);
    while (sse_next(&s, &e))
        assert_true(chunk_stream_event(&second, &twice, e.data) != CHUNK_BAD);
    assert_true(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
    assert_true(bytes_find(buf_bytes(&once), BYTES_LIT("timings")) == SIZE_MAX);
    assert_int_equal(assembly_write(a, reply), TACIT_OK);
    sse_done(&s);
    assembly_free(a);
    buf_done(&in);
    buf_done(&once);
    buf_done(&twice);
}

static void recorded_streams_of_the_engine_become_replies(void **state)
{
    static const struct {
        const char *file, *has;
        const struct chunk_opts *opts;
    } cases[] = {
        {"logprobs.sse", "\"completion_tokens\":8,", &chat},
        {"logprobs.sse", "\"logprob\":-0.0000619907514192164,", &chat},
        {"tools.sse", "\"arguments\":\"{\\\"city\\\": \\\"Paris\\\"}\"", &chat},
        {"tools.sse", "\"finish_reason\":\"tool_calls\"", &chat},
        {"two-choices.sse", "{\"index\":1,\"message\":{\"role\":\"assistant\",\"content\":\"Hello!",
         &chat},
        {"completion.sse", "\"text\":\"HelloHello", &text},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf reply = buf_make(1 << 20);
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/openai/%s", TEST_DATA_DIR, cases[i].file);
        replay(&reply, path, cases[i].opts);
        assert_true(bytes_find(buf_bytes(&reply), bytes_of(cases[i].has)) != SIZE_MAX);
        buf_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_and_reasoning_are_joined),
        cmocka_unit_test(tool_calls_are_put_together),
        cmocka_unit_test(several_choices_and_log_probabilities),
        cmocka_unit_test(garbage_and_errors_end_it),
        cmocka_unit_test(gathers_at_most_a_whole_reply),
        cmocka_unit_test(a_plain_reply_is_normalised),
        cmocka_unit_test(recorded_streams_of_the_engine_become_replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
