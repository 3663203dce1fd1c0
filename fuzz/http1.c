/* Fuzz target: HTTP/1.1 heads and chunked bodies. Beyond not crashing: a head that was read can be
 * written and is read the same again; a chunked body decodes the same whole and octet by octet. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *copy_of(const uint8_t *data, size_t size)
{
    uint8_t *mem = malloc(size + 1);

    if (mem == NULL)
        abort();
    if (size > 0)
        memcpy(mem, data, size);
    return mem;
}

static void request_again(const struct h1_request *q)
{
    struct buf b = buf_make((size_t)4 * LIMIT_HEAD_BYTES);
    struct header headers[LIMIT_HEADERS];
    char method[64];
    struct h1_refusal no;
    struct h1_request again;

    if (q->method.len >= sizeof(method) || q->query.ptr != NULL)
        return;
    memcpy(method, q->method.ptr, q->method.len);
    method[q->method.len] = 0;
    if (h1_put_request(&b, method, q->path, q->headers, q->header_count) != TACIT_OK)
        abort();
    if (h1_request_parse(&again, &no, b.ptr, b.len, headers, LIMIT_HEADERS) != TACIT_OK)
        abort();
    assert(again.header_count == q->header_count && again.framing == q->framing);
    assert(again.content_length == q->content_length && bytes_eq(again.path, q->path));
    buf_done(&b);
}

static void heads(const uint8_t *data, size_t size)
{
    struct header headers[LIMIT_HEADERS];
    struct h1_scan whole = {0};
    struct h1_scan parts = {0};
    enum h1_scan_result r = h1_scan(&whole, bytes_make(data, size));
    enum h1_scan_result p = H1_SCAN_MORE;
    struct h1_refusal no;
    struct h1_request q;
    struct h1_reply reply;
    uint8_t *mem = copy_of(data, size);

    for (size_t n = 0; n <= size && p == H1_SCAN_MORE; n += 1 + size / 64)
        p = h1_scan(&parts, bytes_make(data, n));
    if (r == H1_SCAN_DONE && p == H1_SCAN_DONE)
        assert(whole.len == parts.len && whole.skip == parts.skip && whole.lines == parts.lines);
    if (h1_reply_parse(&reply, mem, size, headers, LIMIT_HEADERS, size % 2 == 0) == TACIT_OK)
        assert(reply.status >= 100 && reply.status < 600);
    if (size > 0)
        memcpy(mem, data, size);
    if (h1_request_parse(&q, &no, mem, size, headers, LIMIT_HEADERS) == TACIT_OK)
        request_again(&q);
    else
        assert(no.status >= 400 && no.why != NULL);
    free(mem);
}

static enum tacit_err decode(struct buf *out, struct bytes in, size_t step, bool *is_done)
{
    struct h1_chunks c = {0};
    enum tacit_err err = TACIT_OK;

    for (size_t at = 0; at < in.len && !c.is_done && err == TACIT_OK; at += step) {
        struct bytes part = bytes_slice(in, at, step);
        struct bytes piece;

        while (part.len > 0 && !c.is_done && err == TACIT_OK) {
            err = h1_chunks_next(&c, &part, &piece);
            buf_put(out, piece);
        }
    }
    *is_done = c.is_done;
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = buf_make(size + 1);
    struct buf parts = buf_make(size + 1);
    bool whole_done;
    bool parts_done;
    enum tacit_err err;

    heads(data, size);
    err = decode(&whole, bytes_make(data, size), size + 1, &whole_done);
    assert(decode(&parts, bytes_make(data, size), 1, &parts_done) == err);
    assert(whole_done == parts_done && bytes_eq(buf_bytes(&whole), buf_bytes(&parts)));
    buf_done(&whole);
    buf_done(&parts);
    return 0;
}
