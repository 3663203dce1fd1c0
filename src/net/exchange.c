/* One request and its reply, over either version of HTTP: what programs call, and how the server
 * tells them. Functions here that programs call fire no events; they wake the connection. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/random.h"
#include "net/conn_priv.h"

struct exchange *exchange_new(struct conn *c, size_t text_len, size_t header_count)
{
    size_t list_len = header_count * sizeof(struct header); /* LIMIT_HEADERS and few more */
    struct exchange *x = calloc(1, sizeof(*x) + list_len + text_len);

    if (x == NULL)
        return NULL;
    x->conn = c;
    x->headers = (struct header *)(x + 1);
    x->text = (uint8_t *)(x->headers + header_count);
    x->text_len = text_len;
    x->out = sendq_make(LIMIT_CONN_OUTPUT);
    x->held = sendq_make(LIMIT_CONN_INPUT * 8);
    x->held.buf.is_secret = true;
    x->req.content_length = -1;
    x->req.is_tls = c->tls != NULL;
    memcpy(x->req.peer, c->peer, sizeof(x->req.peer));
    if (random_fill(x->req.id.bytes, sizeof(x->req.id.bytes)) != TACIT_OK) {
        free(x);
        return NULL;
    }
    return x;
}

static void exchange_free(struct exchange *x)
{
    explicit_bzero(x->text, x->text_len); /* keys */
    sendq_done(&x->out);
    sendq_done(&x->held);
    free(x);
}

void exchange_end(struct exchange *x, bool is_complete)
{
    struct conn *c = x->conn;

    if (x == c->x)
        c->x = NULL;
    if (x->prev != NULL)
        x->prev->next = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    if (x == c->streams)
        c->streams = x->next;
    if (x->is_listened) {
        x->is_listened = false;
        x->reply = REPLY_ABORTED; /* whatever is called from inside on_closed is ignored */
        x->events.on_closed(x, is_complete, x->ctx);
    }
    exchange_free(x);
}

void exchange_begin(struct exchange *x)
{
    const struct handler *handler = &x->conn->server->handler;

    handler->on_request(x, &x->req, handler->ctx);
    if (!x->is_listened && x->reply == REPLY_NONE)
        exchange_fail(x, 500, "The server did not answer.");
}

bool exchange_wants_body(const struct exchange *x)
{
    return x->is_listened && !x->is_paused && x->reply < REPLY_FINISHED;
}

void exchange_body(struct exchange *x, struct bytes piece)
{
    x->body_bytes += piece.len;
    if (x->body_bytes > x->conn->server->opts.max_body_bytes && x->reply < REPLY_FINISHED)
        exchange_fail(x, 413, "The request body is too large.");
    else if (piece.len > 0 && x->is_listened && x->reply < REPLY_FINISHED)
        x->events.on_body(x, piece, x->ctx);
}

void exchange_tell_end(struct exchange *x)
{
    if (!x->is_listened || x->is_end_told || x->reply >= REPLY_FINISHED)
        return;
    x->is_end_told = true;
    x->events.on_end(x, x->ctx);
}

size_t exchange_queued(const struct exchange *x)
{
    return sendq_len(&x->out) + conn_queued(x->conn);
}

void exchange_drain_tell(struct exchange *x)
{
    if (!x->is_high || exchange_queued(x) >= LIMIT_QUEUE_LOW)
        return;
    x->is_high = false;
    if (x->is_listened && x->reply == REPLY_OPEN && x->events.on_drain != NULL)
        x->events.on_drain(x, x->ctx);
}

void exchange_check_time(struct exchange *x, uint64_t now_ms)
{
    const struct server_opts *opts = &x->conn->server->opts;

    if (x->is_body_done || !exchange_wants_body(x))
        x->body_deadline_ms = 0;
    else if (x->body_deadline_ms == 0)
        x->body_deadline_ms = now_ms + opts->body_timeout_ms;
    else if (now_ms >= x->body_deadline_ms)
        exchange_fail(x, 408, "The request body did not arrive in time.");
    if (sendq_len(&x->out) == 0)
        x->write_deadline_ms = 0;
    else if (x->write_deadline_ms == 0)
        x->write_deadline_ms = now_ms + opts->write_timeout_ms;
    else if (now_ms >= x->write_deadline_ms && x->req.is_h2)
        h2_reset(x->conn->h2, x->stream); /* the client opens no window: closes the stream */
}

static void default_error_body(struct buf *out, unsigned status, const char *why)
{
    buf_putf(out, "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":null,\"code\":null}}",
             why, status == 500 ? "server_error" : "invalid_request_error");
}

static void error_reply(struct exchange *x, unsigned status, const char *why)
{
    static const struct header json = {{(const uint8_t *)"content-type", 12},
                                       {(const uint8_t *)"application/json", 16}};
    const struct server_opts *opts = &x->conn->server->opts;
    struct buf body = buf_make(LIMIT_CONN_INPUT);

    (opts->error_body != NULL ? opts->error_body : default_error_body)(&body, status, why);
    x->conn->is_keep_alive = false;
    exchange_reply(x, status, &json, 1, buf_bytes(&body));
    buf_done(&body);
}

void exchange_fail(struct exchange *x, unsigned status, const char *why)
{
    bool is_unanswered = x->reply == REPLY_NONE;

    if (x->is_listened) {
        enum reply_state reply = x->reply;

        x->is_listened = false;
        x->reply = REPLY_ABORTED; /* whatever is called from inside on_closed is ignored */
        x->events.on_closed(x, false, x->ctx);
        x->reply = reply;
    }
    if (is_unanswered)
        error_reply(x, status, why);
    else
        exchange_abort(x);
}

struct bytes request_header(const struct request *req, const char *name)
{
    return header_find(req->headers, req->header_count, name);
}

void exchange_listen(struct exchange *x, const struct exchange_events *events, void *ctx)
{
    x->events = *events;
    x->ctx = ctx;
    x->is_listened = true;
}

const struct request *exchange_request(const struct exchange *x)
{
    return &x->req;
}

void exchange_pause(struct exchange *x)
{
    x->is_paused = true;
}

void exchange_resume(struct exchange *x)
{
    x->is_paused = false;
    conn_wake(x->conn);
}

bool exchange_is_head_sent(const struct exchange *x)
{
    return x->reply != REPLY_NONE;
}

/* Fields about this hop are the server's (RFC 9110 7.6.1). */
static bool is_hop_field(struct bytes name)
{
    static const char *const names[] = {"connection", "transfer-encoding", "content-length",
                                        "keep-alive", "proxy-connection",  "upgrade",
                                        "te",         "trailer",           "date"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_eq_cstr(name, names[i]))
            return true;
    return false;
}

/* The program's fields and ours. Returns their number, at most count + 3. */
static size_t head_fields(const struct exchange *x, struct header *all, char length[24],
                          const struct header *headers, size_t count, int64_t body_len)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (!is_hop_field(headers[i].name))
            all[n++] = headers[i];
    all[n++] = (struct header){BYTES_LIT("date"), server_date(x->conn->server)};
    if (body_len >= 0) {
        int len = snprintf(length, 24, "%lld", (long long)body_len);

        all[n++] = (struct header){BYTES_LIT("content-length"), bytes_make(length, (size_t)len)};
    } else if (x->is_chunked) {
        all[n++] = (struct header){BYTES_LIT("transfer-encoding"), BYTES_LIT("chunked")};
    }
    if (!x->req.is_h2 && !x->conn->is_keep_alive)
        all[n++] = (struct header){BYTES_LIT("connection"), BYTES_LIT("close")};
    return n;
}

static enum tacit_err head_put(struct exchange *x, unsigned status, const struct header *headers,
                               size_t count, bool has_body)
{
    struct buf head;
    enum tacit_err err;

    if (x->req.is_h2) {
        err = h2_reply(x->conn->h2, x->stream, status, headers, count, has_body);
        return err == TACIT_STATE ? TACIT_OK : err; /* a stream that has gone is told by on_close */
    }
    head = buf_make(2 * LIMIT_HEAD_BYTES);
    err = h1_put_reply(&head, status, headers, count);
    if (err == TACIT_OK)
        conn_put(x->conn, buf_bytes(&head));
    buf_done(&head);
    return err;
}

/* More body is to come than is worth reading for nothing (HTTP/1.1). */
static bool is_rest_too_long(const struct exchange *x)
{
    const struct conn *c = x->conn;

    return !x->req.is_h2 && !x->is_body_done && !x->is_listened && c->framing == H1_BODY_LENGTH &&
           c->body_left > LIMIT_DISCARD;
}

void exchange_head(struct exchange *x, unsigned status, const struct header *headers, size_t count,
                   int64_t body_len)
{
    struct header all[LIMIT_HEADERS + 3];
    char length[24];
    bool has_none = status == 204 || status == 304;
    enum tacit_err err;
    size_t n;

    if (x->reply == REPLY_OPEN)
        exchange_abort(x);
    if (x->reply != REPLY_NONE)
        return;
    if (count > LIMIT_HEADERS || status < 200 || status > 599) {
        error_reply(x, 500, "The server made an illegal reply.");
        return;
    }
    x->is_bodyless = has_none || bytes_eq_cstr(x->req.method, "HEAD");
    x->is_chunked = !x->req.is_h2 && body_len < 0 && !x->is_bodyless;
    if (x->expects_continue || x->conn->server->is_draining || is_rest_too_long(x))
        x->conn->is_keep_alive = false;
    n = head_fields(x, all, length, headers, count, has_none ? -1 : body_len);
    err = head_put(x, status, all, n, !x->is_bodyless && body_len != 0);
    if (err == TACIT_FORMAT) {
        error_reply(x, 500, "The server made an illegal reply.");
        return;
    }
    if (err != TACIT_OK) {
        x->conn->is_over = true;
        exchange_abort(x);
        return;
    }
    x->reply = REPLY_OPEN;
    x->reply_left = x->is_bodyless || body_len < 0 ? -1 : body_len;
    conn_wake(x->conn);
}

static void body_put(struct exchange *x, struct bytes chunk)
{
    struct conn *c = x->conn;
    char line[24];
    int len;

    if (x->req.is_h2) {
        if (!sendq_put(&x->out, chunk))
            exchange_abort(x);
        h2_resume(c->h2, x->stream);
        return;
    }
    if (!x->is_chunked) {
        conn_put(c, chunk);
        return;
    }
    len = snprintf(line, sizeof(line), "%zx\r\n", chunk.len);
    conn_put(c, bytes_make(line, (size_t)len));
    conn_put(c, chunk);
    conn_put(c, BYTES_LIT("\r\n"));
}

size_t exchange_write(struct exchange *x, struct bytes chunk)
{
    size_t queued;

    if (x->reply == REPLY_NONE)
        exchange_abort(x);
    if (x->reply == REPLY_OPEN && x->reply_left >= 0 && chunk.len > (uint64_t)x->reply_left)
        exchange_abort(x);
    if (x->reply == REPLY_OPEN && chunk.len > 0) {
        if (x->reply_left >= 0)
            x->reply_left -= (int64_t)chunk.len;
        if (!x->is_bodyless)
            body_put(x, chunk);
        conn_wake(x->conn);
    }
    queued = exchange_queued(x);
    x->is_high |= queued > LIMIT_QUEUE_HIGH;
    return queued;
}

void exchange_finish(struct exchange *x)
{
    if (x->reply == REPLY_NONE || (x->reply == REPLY_OPEN && x->reply_left > 0))
        exchange_abort(x);
    if (x->reply != REPLY_OPEN)
        return;
    x->reply = REPLY_FINISHED;
    if (x->req.is_h2) {
        h2_resume(x->conn->h2, x->stream);
    } else {
        if (x->is_chunked)
            conn_put(x->conn, BYTES_LIT("0\r\n\r\n"));
        x->is_sent = true;
        x->sent_mark = x->conn->put_total;
    }
    conn_wake(x->conn);
}

void exchange_reply(struct exchange *x, unsigned status, const struct header *headers, size_t count,
                    struct bytes body)
{
    exchange_head(x, status, headers, count, (int64_t)body.len);
    if (x->reply != REPLY_OPEN)
        return;
    (void)exchange_write(x, body);
    exchange_finish(x);
}

void exchange_abort(struct exchange *x)
{
    if (x->reply >= REPLY_FINISHED)
        return;
    if (x->req.is_h2 && x->reply == REPLY_NONE)
        h2_reset(x->conn->h2, x->stream);
    else if (x->req.is_h2)
        h2_resume(x->conn->h2, x->stream);
    x->reply = REPLY_ABORTED;
    conn_wake(x->conn);
}
