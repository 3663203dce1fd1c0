/* A GET for the supervisor's thread. It does not keep connections and trusts nothing it reads. */
#include "engine/probe_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "codec/jscan.h"
#include "http/h1.h"

enum {
    PROBE_REPLY_MAX = 256 * 1024, /* a model list of llama-server has 2 KiB */
    PROBE_PIECE = 16 * 1024,
};

struct probe {
    int fd, wake_fd;
    uint64_t deadline_ms;
};

/* Waits for `events` on the socket. */
static enum tacit_err wait_for(const struct probe *p, short events)
{
    struct pollfd fds[2] = {{p->fd, events, 0}, {p->wake_fd, POLLIN, 0}};
    uint64_t now_ms = clock_mono_ms();
    int n;

    if (now_ms >= p->deadline_ms)
        return TACIT_TIMEOUT;
    n = poll(fds, p->wake_fd < 0 ? 1 : 2, (int)(p->deadline_ms - now_ms));
    if (n < 0)
        return errno == EINTR ? TACIT_OK : TACIT_IO;
    if (n == 0)
        return TACIT_TIMEOUT;
    return fds[1].revents != 0 ? TACIT_CLOSED : TACIT_OK;
}

static enum tacit_err open_socket(struct probe *p, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(addr.sun_path))
        return TACIT_IO;
    memcpy(addr.sun_path, path, strlen(path));
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->fd < 0 || connect(p->fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
        return TACIT_IO;
    return TACIT_OK;
}

static enum tacit_err send_all(const struct probe *p, struct bytes out)
{
    while (out.len > 0) {
        ssize_t n = send(p->fd, out.ptr, out.len, MSG_NOSIGNAL);

        if (n >= 0) {
            out = bytes_slice(out, (size_t)n, out.len);
        } else if (errno == EAGAIN) {
            enum tacit_err err = wait_for(p, POLLOUT);

            if (err != TACIT_OK)
                return err;
        } else if (errno != EINTR) {
            return TACIT_IO;
        }
    }
    return TACIT_OK;
}

/* Reads until the peer closes: the request asks for that. */
static enum tacit_err read_all(const struct probe *p, struct buf *in)
{
    for (;;) {
        uint8_t *to = buf_reserve(in, PROBE_PIECE);
        enum tacit_err err;
        ssize_t n;

        if (to == NULL)
            return TACIT_LIMIT;
        n = recv(p->fd, to, PROBE_PIECE, 0);
        if (n == 0)
            return TACIT_OK;
        if (n > 0) {
            buf_commit(in, (size_t)n);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return TACIT_IO;
        err = wait_for(p, POLLIN);
        if (err != TACIT_OK)
            return err;
    }
}

static enum tacit_err take_body(struct buf *body, const struct h1_reply *reply, struct bytes rest)
{
    struct h1_chunks chunks = {0};

    switch (reply->framing) {
    case H1_BODY_NONE:
        return TACIT_OK;
    case H1_BODY_LENGTH:
        if (rest.len != (size_t)reply->content_length)
            return TACIT_FORMAT;
        buf_put(body, rest);
        return body->failed ? TACIT_LIMIT : TACIT_OK;
    case H1_BODY_CLOSE:
        buf_put(body, rest);
        return body->failed ? TACIT_LIMIT : TACIT_OK;
    case H1_BODY_CHUNKED:
        while (!chunks.is_done) {
            struct bytes data;
            enum tacit_err err = h1_chunks_next(&chunks, &rest, &data);

            if (err != TACIT_OK)
                return err;
            if (data.len == 0 && !chunks.is_done)
                return TACIT_FORMAT; /* cut off */
            buf_put(body, data);
        }
        return body->failed ? TACIT_LIMIT : TACIT_OK;
    }
    return TACIT_FORMAT;
}

static enum tacit_err take_reply(unsigned *status, struct buf *body, struct buf *in)
{
    struct header headers[LIMIT_HEADERS];
    struct h1_scan scan = {0};
    struct h1_reply reply;
    enum tacit_err err;

    if (h1_scan(&scan, buf_bytes(in)) != H1_SCAN_DONE)
        return TACIT_FORMAT;
    err = h1_reply_parse(&reply, in->ptr + scan.skip, scan.len, headers, ARRAY_LEN(headers), false);
    if (err != TACIT_OK)
        return err;
    *status = reply.status;
    return take_body(body, &reply, bytes_slice(buf_bytes(in), scan.skip + scan.len, in->len));
}

enum tacit_err probe_get(unsigned *status, struct buf *body, const char *socket_path,
                         const char *target, uint64_t timeout_ms, int wake_fd)
{
    struct probe p = {-1, wake_fd, clock_mono_ms() + timeout_ms};
    struct buf in = buf_make(PROBE_REPLY_MAX);
    struct buf out = buf_make(LIMIT_TARGET_BYTES);
    enum tacit_err err;

    *status = 0;
    buf_putf(&out, "GET %s HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", target);
    err = open_socket(&p, socket_path);
    if (err == TACIT_OK)
        err = send_all(&p, buf_bytes(&out));
    if (err == TACIT_OK)
        err = read_all(&p, &in);
    if (err == TACIT_OK)
        err = take_reply(status, body, &in);
    if (p.fd >= 0)
        close(p.fd);
    buf_done(&in);
    buf_done(&out);
    return err;
}

static bool lists_model(struct bytes body, const char *model)
{
    struct jval root, item;
    struct jiter it;

    if (jscan_object(&root, body) != TACIT_OK)
        return false;
    it = jscan_iter(jscan_member(root, "data"));
    while (jscan_next(&it, NULL, &item))
        if (jscan_str_eq_cstr(jscan_member(item, "id"), model))
            return true;
    return false;
}

enum tacit_err probe_ready(const char *socket_path, const char *model, uint64_t timeout_ms,
                           int wake_fd)
{
    struct buf body = buf_make(PROBE_REPLY_MAX);
    unsigned status = 0;
    enum tacit_err err = probe_get(&status, &body, socket_path, "/health", timeout_ms, wake_fd);

    if (err == TACIT_OK && status != 200)
        err = TACIT_BUSY;
    buf_reset(&body);
    if (err == TACIT_OK)
        err = probe_get(&status, &body, socket_path, "/v1/models", timeout_ms, wake_fd);
    if (err == TACIT_OK && status != 200)
        err = TACIT_BUSY;
    if (err == TACIT_OK && !lists_model(buf_bytes(&body), model))
        err = TACIT_MISMATCH;
    buf_done(&body);
    return err;
}
