/* Fuzz target: the HTTP/2 engine as a server uses it. Every stream is answered; what comes out must
 * be whole frames, and no stream is heard of before its head or after its end. */
#include <assert.h>

#include "http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAMS_MAX = 256 };

struct seen {
    struct h2 *h;
    int32_t open[STREAMS_MAX];
    size_t count;
    bool is_full;
};

static bool is_open(const struct seen *s, int32_t stream)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->open[i] == stream)
            return true;
    return s->is_full;
}

static void on_head(void *ctx, int32_t stream, const struct h2_head *head)
{
    static const struct header fields[] = {{{(const uint8_t *)"x-a", 3}, {NULL, 0}}};
    struct seen *s = ctx;

    assert(!is_open(s, stream) || s->is_full);
    if (s->count == STREAMS_MAX)
        s->is_full = true;
    else
        s->open[s->count++] = stream;
    if (head->no.status == 0)
        assert(http_is_origin_form(head->path) && http_is_token(head->method));
    for (size_t i = 0; i < head->count; i++)
        assert(http_is_field_value(head->headers[i].value));
    if (h2_reply(s->h, stream, 200, fields, 1, head->path.len % 2 == 0) != TACIT_OK)
        h2_reset(s->h, stream);
}

static void on_body(void *ctx, int32_t stream, struct bytes piece)
{
    struct seen *s = ctx;

    assert(is_open(s, stream));
    h2_consumed(s->h, stream, piece.len);
}

static void on_end(void *ctx, int32_t stream)
{
    assert(is_open(ctx, stream));
}

static enum h2_take on_take(void *ctx, int32_t stream, uint8_t *out, size_t cap, size_t *len)
{
    assert(is_open(ctx, stream));
    *len = cap < 10 ? cap : 10;
    memset(out, 'x', *len);
    return stream % 4 == 1 ? H2_TAKE_END : H2_TAKE_FAIL;
}

static void on_sent(void *ctx, int32_t stream)
{
    assert(is_open(ctx, stream));
}

static void on_close(void *ctx, int32_t stream)
{
    struct seen *s = ctx;

    for (size_t i = 0; i < s->count; i++)
        if (s->open[i] == stream)
            s->open[i] = s->open[--s->count];
}

static size_t output_len(struct h2 *h)
{
    struct bytes out;
    size_t n = 0;

    while ((out = h2_take_out(h)).len > 0)
        n += out.len;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct h2_events events = {on_head, on_body, on_end, on_take, on_sent, on_close};
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct seen s = {0};
    struct bytes in = {data, size};
    size_t step = size > 0 && data[0] % 2 == 0 ? 1 + size / 7 : size;

    s.h = h2_new(&events, &s, 100);
    if (s.h == NULL)
        return 0;
    if (h2_feed(s.h, bytes_make(preface, sizeof(preface) - 1), 1) != TACIT_OK)
        __builtin_trap();
    while (in.len > 0) {
        if (h2_feed(s.h, bytes_slice(in, 0, step), 2) != TACIT_OK)
            break;
        in = bytes_slice(in, step, SIZE_MAX);
        (void)output_len(s.h);
        (void)h2_is_mid_head(s.h);
    }
    (void)output_len(s.h);
    h2_goaway(s.h);
    (void)output_len(s.h);
    h2_free(s.h);
    return 0;
}
