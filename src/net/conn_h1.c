/* HTTP/1.1 on one connection: head, body, reply, and again. Requests are served one after the
 * other; what a client sends ahead waits in the connection's input. */
#include "net/conn_priv.h"

enum { PREFACE_LEN = 24 }; /* of HTTP/2, RFC 9113 3.4 */

/* An exchange for a request that never became one, so that its error goes the usual way. */
static void refuse_head(struct conn *c, unsigned status, const char *why)
{
    struct exchange *x = exchange_new(c, 0, 0);

    c->has_served = true;
    c->is_keep_alive = false;
    if (x == NULL) {
        c->is_over = true;
        return;
    }
    c->x = x;
    x->is_body_done = true;
    conn_enter(c, CONN_REPLY);
    exchange_fail(x, status, why);
}

void h1_head_late(struct conn *c)
{
    if (sendq_len(&c->in) == 0)
        c->is_over = true;
    else
        refuse_head(c, 408, "The request head did not arrive in time.");
}

/* What of the parsed head the connection and the program go by. */
static void request_take(struct conn *c, struct exchange *x, const struct h1_request *q)
{
    x->req.method = q->method;
    x->req.path = q->path;
    x->req.query = q->query;
    x->req.headers = q->headers;
    x->req.header_count = q->header_count;
    x->req.has_body = q->framing != H1_BODY_NONE;
    x->req.content_length = q->content_length;
    x->expects_continue = q->expects_continue;
    x->is_body_done = q->framing == H1_BODY_NONE;
    c->framing = q->framing;
    c->body_left = q->framing == H1_BODY_LENGTH ? (uint64_t)q->content_length : 0;
    c->chunks = (struct h1_chunks){0};
    c->discarded = 0;
    c->is_keep_alive = q->is_keep_alive && !c->server->is_draining;
}

static void request_start(struct conn *c, struct bytes in)
{
    struct h1_scan scan = c->scan;
    struct exchange *x = exchange_new(c, scan.len, scan.lines);
    struct h1_request q;
    struct h1_refusal no;

    c->scan = (struct h1_scan){0};
    c->head_deadline_ms = 0;
    if (x == NULL) {
        c->is_over = true;
        return;
    }
    memcpy(x->text, in.ptr + scan.skip, scan.len);
    sendq_skip(&c->in, scan.skip + scan.len);
    if (h1_request_parse(&q, &no, x->text, scan.len, x->headers, scan.lines) != TACIT_OK) {
        exchange_end(x, false);
        refuse_head(c, no.status, no.why);
        return;
    }
    c->has_served = true;
    c->x = x;
    request_take(c, x, &q);
    conn_enter(c, x->is_body_done ? CONN_REPLY : CONN_BODY);
    if (q.content_length > 0 && (uint64_t)q.content_length > c->server->opts.max_body_bytes)
        exchange_fail(x, 413, "The request body is too large.");
    else
        exchange_begin(x);
    if (x->is_body_done)
        exchange_tell_end(x);
}

static bool head_wait(struct conn *c)
{
    uint64_t now_ms = conn_now_ms(c);

    if (c->is_eof)
        c->is_over = true;
    else if (c->server->is_draining)
        c->is_ending = true;
    else if (c->head_deadline_ms == 0 && c->idle_deadline_ms == 0)
        c->idle_deadline_ms = now_ms + c->server->opts.idle_timeout_ms;
    return false;
}

static bool is_preface(struct bytes in)
{
    return bytes_starts_with(BYTES_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                             bytes_slice(in, 0, PREFACE_LEN));
}

static bool head_step(struct conn *c)
{
    struct bytes in = sendq_view(&c->in);

    if (in.len == 0)
        return head_wait(c);
    c->idle_deadline_ms = 0;
    if (c->head_deadline_ms == 0)
        c->head_deadline_ms = conn_now_ms(c) + c->server->opts.head_timeout_ms;
    if (!c->has_served && c->tls == NULL && is_preface(in)) {
        c->is_over |= c->is_eof;
        if (in.len >= PREFACE_LEN)
            h2_start(c);
        return c->state == CONN_H2;
    }
    switch (h1_scan(&c->scan, in)) {
    case H1_SCAN_MORE:
        c->is_over |= c->is_eof;
        return false;
    case H1_SCAN_DONE:
        request_start(c, in);
        break;
    case H1_SCAN_BARE_LF:
        refuse_head(c, 400, "The head does not consist of lines that end in CR LF.");
        break;
    case H1_SCAN_LONG_LINE:
        refuse_head(c, 414, "The request target is too long.");
        break;
    case H1_SCAN_LONG_HEAD:
        refuse_head(c, 431, "The header fields are too large or too many.");
        break;
    }
    return true;
}

/* The next piece of body at the front of the input; *used octets of it are then done with. */
static enum tacit_err piece_next(struct conn *c, struct bytes *piece, size_t *used)
{
    struct bytes in = sendq_view(&c->in);
    struct bytes rest = in;
    enum tacit_err err = TACIT_OK;

    if (c->framing == H1_BODY_CHUNKED) {
        err = h1_chunks_next(&c->chunks, &rest, piece);
        *used = in.len - rest.len;
        return err;
    }
    *piece = bytes_slice(in, 0, c->body_left < in.len ? (size_t)c->body_left : in.len);
    *used = piece->len;
    c->body_left -= piece->len;
    return TACIT_OK;
}

static bool is_body_complete(const struct conn *c)
{
    return c->framing == H1_BODY_CHUNKED ? c->chunks.is_done : c->body_left == 0;
}

/* Body that nobody wants, so that the connection can go on. Beyond a limit it is not worth it. */
static void body_discard(struct conn *c, size_t used)
{
    c->discarded += used;
    if (c->discarded > LIMIT_DISCARD) {
        c->is_keep_alive = false;
        c->is_ending |= c->x == NULL;
    }
}

static bool body_piece(struct conn *c)
{
    struct exchange *x = c->x;
    bool is_wanted = x != NULL && exchange_wants_body(x);
    struct bytes piece;
    size_t used = 0;

    if (is_body_complete(c) || sendq_len(&c->in) == 0 || (x != NULL && x->is_paused) ||
        (!is_wanted && !c->is_keep_alive))
        return false;
    if (piece_next(c, &piece, &used) != TACIT_OK) {
        c->is_keep_alive = false;
        if (x != NULL)
            exchange_fail(x, 400, "The chunked body is broken.");
        else
            c->is_over = true;
        return false;
    }
    if (!is_wanted)
        body_discard(c, used);
    else if (piece.len > 0)
        exchange_body(x, piece);
    if (x != NULL)
        x->body_deadline_ms = 0;
    sendq_skip(&c->in, used);
    return used > 0;
}

static void body_complete(struct conn *c)
{
    if (c->x == NULL) {
        c->head_deadline_ms = 0;
        conn_enter(c, CONN_HEAD);
        return;
    }
    conn_enter(c, CONN_REPLY);
    c->x->is_body_done = true;
    exchange_tell_end(c->x);
}

static bool body_step(struct conn *c)
{
    struct exchange *x = c->x;
    bool has_moved = false;

    if (x != NULL && x->expects_continue && exchange_wants_body(x)) {
        x->expects_continue = false;
        if (x->reply == REPLY_NONE && sendq_len(&c->in) == 0)
            conn_put(c, BYTES_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    while (body_piece(c))
        has_moved = true;
    if (is_body_complete(c)) {
        body_complete(c);
        return true;
    }
    if (c->is_eof && (x == NULL || x->reply < REPLY_FINISHED))
        c->is_over = true; /* nothing more will come, and nobody waits for the reply */
    return has_moved;
}

bool h1_step(struct conn *c)
{
    if (c->is_cut || c->is_ending)
        return false;
    if (c->state == CONN_HEAD)
        return head_step(c);
    if (c->state == CONN_BODY)
        return body_step(c);
    /* The reply is being made: a client that leaves meanwhile is noticed here. */
    if (c->is_eof && c->x != NULL && c->x->reply < REPLY_FINISHED)
        c->is_over = true;
    return false;
}

static void reply_complete(struct conn *c)
{
    struct exchange *x = c->x;

    c->x = NULL;
    exchange_end(x, true);
    if (!c->is_keep_alive)
        c->is_ending = true;
    else if (c->state == CONN_REPLY)
        conn_enter(c, CONN_HEAD);
    else
        c->head_deadline_ms = conn_now_ms(c) + c->server->opts.body_timeout_ms;
}

bool h1_settle(struct conn *c)
{
    struct exchange *x = c->x;

    if (x == NULL || c->is_over)
        return false;
    if (x->reply == REPLY_ABORTED) {
        c->x = NULL;
        c->is_cut = true;
        exchange_end(x, false);
        return true;
    }
    if (x->is_sent && c->done_total >= x->sent_mark) {
        reply_complete(c);
        return true;
    }
    exchange_drain_tell(x);
    return false;
}
