/* Event streams: the same events whether the bytes come at once or one by one; and whatever the
 * engine says, the client's stream stays well-formed. */
#include <assert.h>

#include "openai/assemble.h"
#include "openai/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(struct buf *out, struct bytes in, size_t step)
{
    struct sse_event e;
    struct sse s;

    sse_init(&s);
    for (size_t at = 0; at < in.len; at += step) {
        assert(sse_feed(&s, bytes_slice(in, at, step)) == TACIT_OK);
        while (sse_next(&s, &e)) {
            buf_put(out, e.raw);
            buf_putf(out, "|%d%d%zu|", e.has_data, e.is_done, e.data.len);
            buf_put(out, e.data);
        }
    }
    sse_done(&s);
}

/* Each frame that leaves is "data: " JSON or [DONE], and an empty line. */
static void check_frames(struct bytes frames)
{
    struct sse_event e;
    struct jval root;
    struct sse s;

    sse_init(&s);
    assert(sse_feed(&s, frames) == TACIT_OK && (frames.len == 0 || s.last_end == frames.len));
    while (sse_next(&s, &e))
        assert(e.is_done || jscan_object(&root, e.data) == TACIT_OK);
    sse_done(&s);
}

static void relay(struct bytes in)
{
    const struct chunk_opts opts = {.kind = OPENAI_CHAT,
                                    .wants_usage = in.len % 2 == 0,
                                    .wants_continuous_usage = in.len % 3 == 0};
    struct assembly *a = assembly_new(&opts);
    struct buf frames = buf_make(1 << 20);
    struct chunk_stream stream;
    struct sse_event e;
    struct sse s;

    assert(a != NULL);
    chunk_stream_init(&stream, &opts);
    sse_init(&s);
    assert(sse_feed(&s, in) == TACIT_OK);
    while (sse_next(&s, &e)) {
        if (!e.has_data)
            continue;
        if (chunk_stream_event(&stream, &frames, e.data) == CHUNK_BAD)
            buf_reset(&frames);
        (void)assembly_event(a, e.data);
    }
    check_frames(buf_bytes(&frames));
    buf_reset(&frames);
    if (assembly_write(a, &frames) == TACIT_OK) {
        struct jval root;

        assert(jscan_object(&root, buf_bytes(&frames)) == TACIT_OK);
    }
    sse_done(&s);
    buf_done(&frames);
    assembly_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct buf one = buf_make(1 << 22);
    struct buf all = buf_make(1 << 22);

    if (size > 8192)
        return 0;
    split(&one, in, 1);
    split(&all, in, size + 1);
    assert(bytes_eq(buf_bytes(&one), buf_bytes(&all)));
    relay(in);
    buf_done(&one);
    buf_done(&all);
    return 0;
}
