/* HTTP over a unix socket, one exchange a connection. Invariant: a reply counts only if its framing
 * says that it is whole. */
#include "tee/unix_http_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/h1.h"
#include "tee/sock_priv.h"

enum { CHUNK = 16 * 1024, HEADERS_MAX = 64 };

struct call {
    int fd;
    uint64_t deadline;
    struct buf in; /* what came, head first */
    struct buf *reply;
    struct h1_reply head;
    struct header headers[HEADERS_MAX];
};

static enum tacit_err request_send(struct call *c, const char *target, struct bytes json)
{
    struct buf out = buf_make(LIMIT_HEAD_BYTES + LIMIT_BODY_BYTES);
    char length[24];
    struct header headers[] = {
        {BYTES_LIT("host"), BYTES_LIT("localhost")},
        {BYTES_LIT("content-type"), BYTES_LIT("application/json")},
        {BYTES_LIT("content-length"), {NULL, 0}},
        {BYTES_LIT("connection"), BYTES_LIT("close")},
    };
    enum tacit_err err;

    snprintf(length, sizeof(length), "%zu", json.len);
    headers[2].value = bytes_of(length);
    err = h1_put_request(&out, "POST", bytes_of(target), headers, ARRAY_LEN(headers));
    buf_put(&out, json);
    if (err == TACIT_OK)
        err = buf_err(&out);
    if (err == TACIT_OK)
        err = sock_send(c->fd, buf_bytes(&out), c->deadline);
    buf_done(&out);
    return err;
}

static enum tacit_err head_receive(struct call *c)
{
    struct h1_scan scan = {0};
    enum tacit_err err;

    for (;;) {
        switch (h1_scan(&scan, buf_bytes(&c->in))) {
        case H1_SCAN_DONE:
            buf_consume(&c->in, scan.skip);
            err = h1_reply_parse(&c->head, c->in.ptr, scan.len, c->headers, HEADERS_MAX, false);
            if (err == TACIT_OK && c->head.status < 200)
                err = TACIT_FORMAT;
            buf_consume(&c->in, scan.len);
            return err;
        case H1_SCAN_BARE_LF:
            return TACIT_FORMAT;
        case H1_SCAN_LONG_LINE:
        case H1_SCAN_LONG_HEAD:
            return TACIT_LIMIT;
        case H1_SCAN_MORE:
            break;
        }
        err = sock_receive(c->fd, &c->in, CHUNK, c->deadline);
        if (err != TACIT_OK)
            return err;
    }
}

static enum tacit_err length_receive(struct call *c)
{
    size_t len = (size_t)c->head.content_length;
    enum tacit_err err = TACIT_OK;

    if (c->head.content_length > UNIX_HTTP_REPLY_MAX)
        return TACIT_LIMIT;
    if (c->in.len < len)
        err = sock_receive_all(c->fd, &c->in, len - c->in.len, c->deadline);
    if (err == TACIT_OK)
        buf_put(c->reply, bytes_slice(buf_bytes(&c->in), 0, len));
    return err;
}

static enum tacit_err chunks_take(struct call *c, struct h1_chunks *chunks)
{
    struct bytes rest = buf_bytes(&c->in);
    enum tacit_err err = TACIT_OK;
    struct bytes data = {NULL, 0};

    do {
        err = h1_chunks_next(chunks, &rest, &data);
        if (err == TACIT_OK)
            buf_put(c->reply, data);
    } while (err == TACIT_OK && data.len > 0);
    buf_consume(&c->in, c->in.len - rest.len);
    return err;
}

static enum tacit_err chunks_receive(struct call *c)
{
    struct h1_chunks chunks = {0};
    enum tacit_err err = chunks_take(c, &chunks);

    while (err == TACIT_OK && !chunks.is_done) {
        err = sock_receive(c->fd, &c->in, CHUNK, c->deadline);
        if (err == TACIT_OK)
            err = chunks_take(c, &chunks);
    }
    return err;
}

/* Without a length the end of the stream is the end of the body; its JSON tells if it was cut. */
static enum tacit_err stream_receive(struct call *c)
{
    enum tacit_err err = TACIT_OK;

    while (err == TACIT_OK)
        err = sock_receive(c->fd, &c->in, CHUNK, c->deadline);
    if (err != TACIT_CLOSED)
        return err;
    buf_put(c->reply, buf_bytes(&c->in));
    return TACIT_OK;
}

static enum tacit_err body_receive(struct call *c)
{
    switch (c->head.framing) {
    case H1_BODY_NONE:
        return TACIT_OK;
    case H1_BODY_LENGTH:
        return length_receive(c);
    case H1_BODY_CHUNKED:
        return chunks_receive(c);
    case H1_BODY_CLOSE:
        return stream_receive(c);
    }
    return TACIT_FORMAT;
}

enum tacit_err unix_http_post(struct buf *reply, unsigned *status, const char *socket_path,
                              const char *target, struct bytes json, unsigned timeout_ms)
{
    struct call c = {.fd = sock_unix(socket_path),
                     .deadline = sock_deadline(timeout_ms),
                     .in = buf_make_secret(UNIX_HTTP_REPLY_MAX + LIMIT_HEAD_BYTES),
                     .reply = reply};
    enum tacit_err err = TACIT_OK;

    *status = 0;
    if (c.fd < 0)
        return errno == ENOENT || errno == ECONNREFUSED ? TACIT_NOT_FOUND : TACIT_IO;
    err = request_send(&c, target, json);
    if (err == TACIT_OK)
        err = head_receive(&c);
    if (err == TACIT_OK)
        err = body_receive(&c);
    if (err == TACIT_OK)
        err = buf_err(reply);
    if (err == TACIT_OK)
        *status = c.head.status;
    close(c.fd);
    explicit_bzero(c.headers, sizeof(c.headers));
    buf_done(&c.in);
    return err;
}
