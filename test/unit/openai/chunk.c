/* Claims about the final bytes of a stream: JavaScript's own spelling, one id, usage as asked. */
#include "cmocka_all.h"

#include "base/file.h"
#include "openai/chunk.h"
#include "openai/sse.h"

#define HEAD "{\"id\":\"x-1\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"m\""

static const struct chunk_opts plain = {.kind = OPENAI_CHAT, .model = "m", .created_unix_s = 9};

static struct chunk_stream stream_of(bool usage, bool continuous)
{
    struct chunk_opts opts = plain;
    struct chunk_stream s;

    opts.wants_usage = usage;
    opts.wants_continuous_usage = continuous;
    chunk_stream_init(&s, &opts);
    return s;
}

static void gives(struct chunk_stream *s, const char *data, enum chunk_result result,
                  const char *frames)
{
    struct buf b = buf_make(65536);

    assert_int_equal(chunk_stream_event(s, &b, bytes_of(data)), result);
    if (frames != NULL)
        assert_string_equal(b.len == 0 ? "" : buf_cstr(&b), frames);
    buf_done(&b);
}

static void chunks_come_out_in_one_spelling_without_vendor_fields(void **state)
{
    struct chunk_stream s = stream_of(false, false);

    UNUSED(state);
    gives(&s,
          "{ \"choices\" : [ {\"finish_reason\":null,\"index\":0,\"delta\":{\"role\":\"assistant\","
          "\"content\":\"\\u00e9\\/\\n\"},\"tokens\":[1]} ], \"created\":5, \"id\":\"x-1\", "
          "\"model\":\"engine\",\"timings\":{\"a\":1.0},\"__verbose\":{\"p\":\"secret\"},"
          "\"usage\":null,\"object\":\"chat.completion.chunk\"}",
          CHUNK_DATA,
          "data: " HEAD ",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
          "\"\xc3\xa9/\\n\"},\"finish_reason\":null}]}\n\n");
    gives(&s,
          "{\"id\":\"other\",\"created\":77,\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":"
          "{\"b\":-0.10,\"10\":1e0,\"2\":-0.0},\"finish_reason\":\"stop\"}]}",
          CHUNK_DATA,
          "data: " HEAD ",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":"
          "{\"2\":0,\"10\":1,\"b\":-0.1},\"finish_reason\":\"stop\"}]}\n\n");
    gives(&s, "[DONE]", CHUNK_DONE, "data: [DONE]\n\n");
    gives(&s, "[DONE]", CHUNK_BAD, "");
}

static const char text_chunk[] =
    "{\"id\":\"x-1\",\"created\":5,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],"
    "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}";
static const char usage_chunk[] =
    "{\"id\":\"x-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,"
    "\"total_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":9}}}";
#define CHOICE ",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]"
#define LAST_USAGE                                                            \
    ",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2," \
    "\"total_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n"

static void usage_is_shown_as_the_client_asked(void **state)
{
    struct chunk_stream s = stream_of(false, false);

    UNUSED(state);
    gives(&s, text_chunk, CHUNK_DATA, "data: " HEAD CHOICE "}\n\n");
    gives(&s, usage_chunk, CHUNK_DROPPED, "");
    assert_true(s.usage.is_present && s.usage.completion_tokens == 2 && s.usage.cached_tokens == 3);
    gives(&s, "[DONE]", CHUNK_DONE, "data: [DONE]\n\n");

    s = stream_of(true, false);
    gives(&s, text_chunk, CHUNK_DATA, "data: " HEAD CHOICE ",\"usage\":null}\n\n");
    gives(&s, usage_chunk, CHUNK_DROPPED, "");
    gives(&s, "[DONE]", CHUNK_DONE, "data: " HEAD LAST_USAGE "data: [DONE]\n\n");

    s = stream_of(true, true);
    gives(&s, text_chunk, CHUNK_DATA,
          "data: " HEAD CHOICE ",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,"
          "\"total_tokens\":4}}\n\n");
    gives(&s, usage_chunk, CHUNK_DROPPED, "");
    gives(&s, "[DONE]", CHUNK_DONE, "data: " HEAD LAST_USAGE "data: [DONE]\n\n");
}

static void an_id_is_minted_when_the_engine_has_none(void **state)
{
    static const char *const ids[] = {"", "\"id\":\"a b\",", "\"id\":7,", "\"id\":\"../x\","};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct chunk_stream s = stream_of(false, false);
        struct buf b = buf_make(256);

        buf_putf(&b, "{%s\"choices\":[{\"index\":0}]}", ids[i]);
        gives(&s, buf_cstr(&b), CHUNK_DATA,
              "data: {\"id\":\"chatcmpl-000000000000000000000000\",\"object\":"
              "\"chat.completion.chunk\",\"created\":9,\"model\":\"m\",\"choices\":[{\"index\":0}]}"
              "\n\n");
        buf_done(&b);
    }
}

static void errors_and_garbage_end_the_stream(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "{}",
                                      "[]",
                                      "{\"choices\":1}",
                                      "[DONE]",
                                      "{\"choices\":[{}]}",
                                      "{\"choices\":[{\"index\":99}]}",
                                      "{\"choices\":[{\"index\":0,\"text\":1e999}]}"};
    struct chunk_stream s = stream_of(false, false);

    UNUSED(state);
    gives(&s, "{\"error\":{\"message\":\"out of memory\",\"type\":\"x\"}}", CHUNK_ERROR, "");
    assert_string_equal(s.error.message, "out of memory");
    assert_int_equal(s.error.status, 500);
    gives(&s, text_chunk, CHUNK_BAD, "");
    s = stream_of(false, false);
    gives(&s, "{\"error\":{\"code\":400,\"message\":\"too long\",\"type\":\"invalid\"}}",
          CHUNK_ERROR, "");
    assert_int_equal(s.error.status, 400);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        s = stream_of(false, false);
        gives(&s, bad[i], CHUNK_BAD, NULL);
        gives(&s, text_chunk, CHUNK_BAD, "");
    }
}

static void the_recorded_stream_is_read(void **state)
{
    struct buf b = buf_make(65536);
    struct buf out = buf_make(65536);
    struct chunk_stream s = stream_of(true, false);
    struct sse_event e;
    struct sse sse;

    UNUSED(state);
    if (file_read(&b, TEST_VECTORS_DIR "/near/chat-stream-response.sse") != TACIT_OK) {
        print_message("skipped: shared vectors are not here\n");
        buf_done(&b);
        skip();
    }
    sse_init(&sse);
    assert_int_equal(sse_feed(&sse, buf_bytes(&b)), TACIT_OK);
    while (sse_next(&sse, &e))
        assert_true(chunk_stream_event(&s, &out, e.data) != CHUNK_BAD);
    assert_string_equal(s.id, "afa7975eaf844b1888776cf41548e230");
    assert_int_equal(s.usage.prompt_tokens, 18);
    assert_int_equal(s.usage.total_tokens, 22);
    assert_int_equal(s.frame_count, 5);
    sse_done(&sse);
    buf_done(&b);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_come_out_in_one_spelling_without_vendor_fields),
        cmocka_unit_test(usage_is_shown_as_the_client_asked),
        cmocka_unit_test(an_id_is_minted_when_the_engine_has_none),
        cmocka_unit_test(errors_and_garbage_end_the_stream),
        cmocka_unit_test(the_recorded_stream_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
