/* Our half of the comparison with llhttp: reads cases (a length of four octets, big-endian, and the
 * bytes) from standard input, serves each as one connection would, and prints one line for each:
 * "refused", "more", or "taken USED METHOD PATH HEADERS BODY", USED being the octets of the
 * request, every text in hex, headers as name=value with commas between. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/h1.h"

enum { CASE_MAX = 65536 };

static void hex_print(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        (void)printf("%02x", b.ptr[i]);
}

/* The body; TACIT_CLOSED when the bytes end before it does. */
static enum tacit_err body_read(struct buf *body, const struct h1_request *q, struct bytes in,
                                size_t *left)
{
    struct h1_chunks chunks = {0};

    *left = in.len;
    if (q->framing == H1_BODY_LENGTH) {
        buf_put(body, bytes_slice(in, 0, (size_t)q->content_length));
        *left -= body->len;
        return body->len == (size_t)q->content_length ? TACIT_OK : TACIT_CLOSED;
    }
    while (q->framing == H1_BODY_CHUNKED && !chunks.is_done) {
        struct bytes piece;

        if (in.len == 0)
            return TACIT_CLOSED;
        if (h1_chunks_next(&chunks, &in, &piece) != TACIT_OK)
            return TACIT_FORMAT;
        buf_put(body, piece);
        *left = in.len;
    }
    return TACIT_OK;
}

static void taken_print(const struct h1_request *q, struct bytes body, size_t used)
{
    (void)printf("taken %zu ", used);
    hex_print(q->method);
    (void)printf(" ");
    hex_print(q->path);
    if (q->query.ptr != NULL) {
        (void)printf("3f");
        hex_print(q->query);
    }
    (void)printf(" ");
    for (size_t i = 0; i < q->header_count; i++) {
        (void)printf(i > 0 ? "," : "");
        hex_print(q->headers[i].name);
        (void)printf("=");
        hex_print(q->headers[i].value);
    }
    (void)printf(" ");
    hex_print(body);
    (void)printf("\n");
}

static void one_case(uint8_t *mem, size_t len)
{
    struct header headers[LIMIT_HEADERS];
    struct buf body = buf_make(CASE_MAX);
    struct h1_scan scan = {0};
    struct h1_refusal no;
    struct h1_request q;
    enum h1_scan_result found = h1_scan(&scan, (struct bytes){mem, len});
    enum tacit_err err = TACIT_FORMAT;
    size_t left = 0;

    if (found == H1_SCAN_DONE)
        err = h1_request_parse(&q, &no, mem + scan.skip, scan.len, headers, LIMIT_HEADERS);
    if (err == TACIT_OK)
        err =
            body_read(&body, &q,
                      bytes_slice((struct bytes){mem, len}, scan.skip + scan.len, SIZE_MAX), &left);
    if (found == H1_SCAN_MORE || err == TACIT_CLOSED)
        (void)printf("more\n");
    else if (err != TACIT_OK)
        (void)printf("refused\n");
    else
        taken_print(&q, buf_bytes(&body), len - left);
    buf_done(&body);
}

int main(void)
{
    uint8_t head[4];

    while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
        size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        uint8_t *mem = len > CASE_MAX ? NULL : malloc(len + 1);

        if (mem == NULL || fread(mem, 1, len, stdin) != len) {
            free(mem);
            return 1;
        }
        one_case(mem, len);
        free(mem);
    }
    return 0;
}
