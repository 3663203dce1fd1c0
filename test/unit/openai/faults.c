/* The openai folder when memory runs out: a refusal, never other bytes, and nothing leaks. */
#include "fault.h"

#include "openai/assemble.h"
#include "openai/models.h"
#include "openai/rewrite.h"
#include "openai/sse.h"

static const char stream[] =
    ": hello\n\n"
    "data: "
    "{\"id\":\"chatcmpl-1\",\"created\":5,\"model\":\"e\",\"choices\":[{\"index\":0,\"delta\":"
    "{\"role\":\"assistant\",\"content\":\"H\\u00e9\"}}]}\n\n"
    "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"},"
    "\"logprobs\":{\"content\":[{\"token\":\"b\",\"logprob\":-0.5}]}}]}\r\n\r\n"
    "data: "
    "{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
    "\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}"
    "\n\n"
    "data: {\"choices\":[{\"index\":0,\n"
    "data: \"delta\":{},\"finish_reason\":\"stop\"},{\"index\":1,\"delta\":{},\"finish_reason\":"
    "\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n"
    "data: [DONE]\n\n";

static const struct chunk_opts opts = {.kind = OPENAI_CHAT, .model = "m", .wants_usage = true};

struct first {
    uint8_t mem[8192];
    size_t len;
};

static struct first streamed_first, whole_first;

/* Feeds the stream in small portions; each event goes to `take` until it is over. */
static enum chunk_result feed_all(enum chunk_result (*take)(void *to, struct bytes data), void *to)
{
    struct bytes in = bytes_of(stream);
    enum chunk_result result = CHUNK_DROPPED;
    struct sse_event event;
    struct sse s;

    sse_init(&s);
    while (in.len > 0 && result != CHUNK_BAD && result != CHUNK_ERROR) {
        if (sse_feed(&s, bytes_slice(in, 0, 37)) != TACIT_OK) {
            result = CHUNK_BAD;
            break;
        }
        while (result != CHUNK_BAD && sse_next(&s, &event))
            if (event.has_data)
                result = take(to, event.data);
        in = bytes_slice(in, 37, SIZE_MAX);
    }
    sse_done(&s);
    return result;
}

struct streaming {
    struct chunk_stream s;
    struct buf out;
};

static enum chunk_result take_streamed(void *to, struct bytes data)
{
    struct streaming *st = to;

    return chunk_stream_event(&st->s, &st->out, data);
}

static bool stream_once(void *ctx)
{
    struct streaming st = {.out = buf_make_secret(65536)};
    bool is_well;

    UNUSED(ctx);
    chunk_stream_init(&st.s, &opts);
    is_well = feed_all(take_streamed, &st) == CHUNK_DONE && !st.out.failed;
    if (is_well)
        same_as_first(buf_bytes(&st.out), streamed_first.mem, sizeof(streamed_first.mem),
                      &streamed_first.len);
    buf_done(&st.out);
    return is_well;
}

static enum chunk_result take_assembled(void *to, struct bytes data)
{
    return assembly_event(to, data);
}

static bool assemble_once(void *ctx)
{
    struct assembly *a = assembly_new(&opts);
    struct buf out = buf_make_secret(65536);
    bool is_well = a != NULL && feed_all(take_assembled, a) == CHUNK_DONE;

    UNUSED(ctx);
    is_well = is_well && assembly_write(a, &out) == TACIT_OK;
    if (is_well)
        same_as_first(buf_bytes(&out), whole_first.mem, sizeof(whole_first.mem), &whole_first.len);
    buf_done(&out);
    assembly_free(a);
    return is_well;
}

static const char request[] =
    "{\"model\":\"m\",\"tools\":[{}],\"tool_choice\":\"none\",\"messages\":[{\"role\":"
    "\"developer\"},"
    "{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":\"{\\\"a\"}},"
    "{\"function\":{\"arguments\":\"\\\"{}\\\"\"}},{\"function\":{\"arguments\":[1]}},"
    "{\"function\":{}}]},{\"role\":\"user\",\"content\":\"x\"}],\"odd\":1}";

static bool rewrite_once(void *ctx)
{
    static struct first first;
    const struct rewrite_opts how = {
        .engine_model = "local", .engine_id = "id", .cache_salt = "s", .is_llama_server = true};
    struct buf out = buf_make_secret(65536);
    struct openai_request req;
    struct openai_error error;
    bool is_well;

    UNUSED(ctx);
    is_well = openai_request_read(&req, &error, bytes_of(request), OPENAI_CHAT, OPENAI_NODE) ==
                  TACIT_OK &&
              rewrite_for_engine(&out, &req, &how) == TACIT_OK;
    if (is_well)
        same_as_first(buf_bytes(&out), first.mem, sizeof(first.mem), &first.len);
    buf_done(&out);
    return is_well;
}

static bool bodies_once(void *ctx)
{
    static struct first first;
    const struct openai_model model = {.id = "m", .owned_by = "us", .supports_tools = true};
    const struct bytes plain = BYTES_LIT(
        "{\"model\":\"x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"a\\/b\"}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}");
    struct buf out = buf_make(65536);
    char id[OPENAI_ID_MAX + 1];
    struct openai_usage usage;
    struct openai_error error;
    bool is_well;

    UNUSED(ctx);
    openai_models_put(&out, &model, 1);
    /* Without memory to read it the engine's error becomes a general one: still an error. */
    openai_error_of_engine(&error, 400,
                           BYTES_LIT("{\"error\":{\"message\":\"no \\u0041\",\"type\":\"t\"}}"));
    assert_true(error.status == 400 && error.message[0] != 0);
    openai_error_make(&error, OPENAI_NODE, FAULT_INTERNAL, BYTES_LIT(""));
    openai_error_put(&out, &error);
    openai_error_put_event(&out, &error);
    is_well = reply_normalise(&out, id, &usage, plain, &opts) == TACIT_OK && !out.failed;
    if (is_well)
        same_as_first(buf_bytes(&out), first.mem, sizeof(first.mem), &first.len);
    buf_done(&out);
    return is_well;
}

static void a_stream_is_passed_on_exactly_or_broken(void **state)
{
    UNUSED(state);
    faults_run(stream_once, NULL, NULL);
}

static void a_whole_reply_is_exact_or_none(void **state)
{
    UNUSED(state);
    faults_run(assemble_once, NULL, NULL);
}

static void the_engines_copy_is_exact_or_none(void **state)
{
    UNUSED(state);
    faults_run(rewrite_once, NULL, NULL);
}

static void other_bodies_are_exact_or_none(void **state)
{
    UNUSED(state);
    faults_run(bodies_once, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_passed_on_exactly_or_broken),
        cmocka_unit_test(a_whole_reply_is_exact_or_none),
        cmocka_unit_test(the_engines_copy_is_exact_or_none),
        cmocka_unit_test(other_bodies_are_exact_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
