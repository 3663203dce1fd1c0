/* Claims about event streams: the same events however the bytes arrive. */
#include "cmocka_all.h"

#include "base/file.h"
#include "openai/sse.h"

static const char stream[] = "data: {\"a\":1}\n\n"
                             ": keep-alive\r\n\r\n"
                             "event: x\r\ndata:one\r\ndata: two\r\nid: 7\r\n\r\n"
                             "\n"
                             "data:\n\n"
                             "data: [DONE]\n\n";

/* Feeds in pieces of `step` and writes what came out as text. */
static void split(struct buf *out, struct buf *raw, struct bytes in, size_t step)
{
    struct sse_event e;
    struct sse s;

    sse_init(&s);
    for (size_t at = 0; at < in.len; at += step) {
        assert_int_equal(sse_feed(&s, bytes_slice(in, at, step)), TACIT_OK);
        while (sse_next(&s, &e)) {
            buf_putf(out, "%d%d[%.*s]", e.has_data, e.is_done, BYTES_FMT(e.data));
            buf_put(raw, e.raw);
        }
    }
    assert_true(sse_is_between(&s));
    sse_done(&s);
    sse_done(NULL);
}

static void splits_alike_in_portions_of_any_size(void **state)
{
    UNUSED(state);
    for (size_t step = 1; step <= sizeof(stream); step++) {
        struct buf out = buf_make(4096);
        struct buf raw = buf_make(4096);

        split(&out, &raw, bytes_of(stream), step);
        assert_string_equal(buf_cstr(&out), "10[{\"a\":1}]00[]10[one\ntwo]00[]10[]11[[DONE]]");
        assert_string_equal(buf_cstr(&raw), stream);
        buf_done(&out);
        buf_done(&raw);
    }
}

static void an_event_without_its_empty_line_is_pending(void **state)
{
    struct sse_event e;
    struct sse s;

    UNUSED(state);
    sse_init(&s);
    assert_int_equal(sse_feed(&s, BYTES_LIT("data: x\n")), TACIT_OK);
    assert_false(sse_next(&s, &e));
    assert_false(sse_is_between(&s));
    assert_int_equal(sse_feed(&s, BYTES_LIT("\ndata: y")), TACIT_OK);
    assert_true(sse_next(&s, &e));
    assert_true(bytes_eq_cstr(e.data, "x"));
    assert_false(sse_next(&s, &e));
    assert_false(sse_is_between(&s));
    sse_done(&s);
}

static void an_event_beyond_the_limit_kills_the_stream(void **state)
{
    struct buf big = buf_make(LIMIT_SSE_EVENT_BYTES + 16);
    struct sse_event e;
    struct sse s;

    UNUSED(state);
    buf_fill(&big, 'x', LIMIT_SSE_EVENT_BYTES - 2);
    buf_puts(&big, "\n\n");
    sse_init(&s);
    assert_int_equal(sse_feed(&s, buf_bytes(&big)), TACIT_OK);
    assert_true(sse_next(&s, &e));
    sse_done(&s);
    buf_puts(&big, "y");
    sse_init(&s);
    big.ptr[LIMIT_SSE_EVENT_BYTES - 1] = 'z';
    assert_int_equal(sse_feed(&s, buf_bytes(&big)), TACIT_LIMIT);
    assert_false(sse_next(&s, &e));
    assert_int_equal(sse_feed(&s, BYTES_LIT("data: x\n\n")), TACIT_STATE);
    assert_false(sse_is_between(&s));
    sse_done(&s);
    buf_done(&big);
}

static void many_events_may_come_at_once(void **state)
{
    struct buf b = buf_make(4U << 20);
    size_t count = 0;
    struct sse_event e;
    struct sse s;

    UNUSED(state);
    while (b.len < 2U << 20)
        buf_puts(&b, "data: 0123456789\n\n");
    sse_init(&s);
    assert_int_equal(sse_feed(&s, buf_bytes(&b)), TACIT_OK);
    while (sse_next(&s, &e))
        count++;
    assert_int_equal(count, b.len / 18);
    assert_true(sse_is_between(&s));
    sse_done(&s);
    buf_done(&b);
}

static void splits_the_recorded_stream(void **state)
{
    struct buf b = buf_make(65536);
    struct buf out = buf_make(65536);
    struct buf raw = buf_make(65536);

    UNUSED(state);
    if (file_read(&b, TEST_VECTORS_DIR "/near/chat-stream-response.sse") != TACIT_OK) {
        print_message("skipped: shared vectors are not here\n");
        buf_done(&b);
        skip();
    }
    split(&out, &raw, buf_bytes(&b), 7);
    assert_true(bytes_eq(buf_bytes(&raw), buf_bytes(&b)));
    assert_true(bytes_ends_with(buf_bytes(&out), BYTES_LIT("11[[DONE]]")));
    buf_done(&b);
    buf_done(&out);
    buf_done(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_alike_in_portions_of_any_size),
        cmocka_unit_test(an_event_without_its_empty_line_is_pending),
        cmocka_unit_test(an_event_beyond_the_limit_kills_the_stream),
        cmocka_unit_test(many_events_may_come_at_once),
        cmocka_unit_test(splits_the_recorded_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
