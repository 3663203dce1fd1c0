/* HTTP/2 on one connection: between http/h2.h and the exchanges, one for each stream. */
#include "net/conn_priv.h"

static struct exchange *stream_find(const struct conn *c, int32_t stream)
{
    struct exchange *x = c->streams;

    while (x != NULL && x->stream != stream)
        x = x->next;
    return x;
}

static struct bytes text_put(struct exchange *x, size_t *at, struct bytes in)
{
    struct bytes copy = {x->text + *at, in.len};

    if (in.len > 0)
        memcpy(x->text + *at, in.ptr, in.len);
    *at += in.len;
    return copy;
}

static void request_take(struct exchange *x, const struct h2_head *head)
{
    size_t at = 0;

    x->req.method = text_put(x, &at, head->method);
    x->req.path = text_put(x, &at, head->path);
    x->req.query = text_put(x, &at, head->query);
    for (size_t i = 0; i < head->count; i++) {
        x->headers[i].name = text_put(x, &at, head->headers[i].name);
        x->headers[i].value = text_put(x, &at, head->headers[i].value);
    }
    x->req.headers = x->headers;
    x->req.header_count = head->count;
    x->req.has_body = head->has_body;
    x->req.content_length = head->has_body ? head->content_length : 0;
    x->expects_continue = head->expects_continue;
}

static size_t text_len(const struct h2_head *head)
{
    size_t len = head->method.len + head->path.len + head->query.len;

    for (size_t i = 0; i < head->count; i++)
        len += head->headers[i].name.len + head->headers[i].value.len;
    return len; /* a sum within LIMIT_HEAD_BYTES */
}

static void on_head(void *ctx, int32_t stream, const struct h2_head *head)
{
    struct conn *c = ctx;
    struct exchange *x = exchange_new(c, text_len(head), head->count);

    if (x == NULL) {
        h2_reset(c->h2, stream);
        return;
    }
    x->stream = stream;
    x->req.is_h2 = true;
    x->next = c->streams;
    if (c->streams != NULL)
        c->streams->prev = x;
    c->streams = x;
    request_take(x, head);
    if (head->no.status != 0)
        exchange_fail(x, head->no.status, head->no.why);
    else if (head->content_length > 0 &&
             (uint64_t)head->content_length > c->server->opts.max_body_bytes)
        exchange_fail(x, 413, "The request body is too large.");
    else
        exchange_begin(x);
}

static void on_body(void *ctx, int32_t stream, struct bytes piece)
{
    struct conn *c = ctx;
    struct exchange *x = stream_find(c, stream);

    if (x != NULL) {
        x->body_deadline_ms = 0;
        if (x->is_listened && (x->is_paused || sendq_len(&x->held) > 0)) {
            if (!sendq_put(&x->held, piece))
                exchange_abort(x);
            return;
        }
        exchange_body(x, piece);
    }
    h2_consumed(c->h2, stream, piece.len);
}

static void on_end(void *ctx, int32_t stream)
{
    struct exchange *x = stream_find(ctx, stream);

    if (x == NULL)
        return;
    x->is_body_done = true;
    if (sendq_len(&x->held) == 0)
        exchange_tell_end(x);
}

static enum h2_take on_take(void *ctx, int32_t stream, uint8_t *out, size_t cap, size_t *len)
{
    struct exchange *x = stream_find(ctx, stream);
    struct bytes view;

    if (x == NULL)
        return H2_TAKE_FAIL;
    view = bytes_slice(sendq_view(&x->out), 0, cap);
    if (view.len > 0) {
        memcpy(out, view.ptr, view.len);
        *len = view.len;
        sendq_skip(&x->out, view.len);
        x->write_deadline_ms = 0;
    }
    if (sendq_len(&x->out) == 0 && x->reply == REPLY_FINISHED)
        return H2_TAKE_END;
    if (view.len > 0)
        return H2_TAKE_SOME;
    return x->reply == REPLY_ABORTED ? H2_TAKE_FAIL : H2_TAKE_LATER;
}

static void on_sent(void *ctx, int32_t stream)
{
    struct conn *c = ctx;
    struct exchange *x = stream_find(c, stream);

    if (x == NULL)
        return;
    x->is_sent = true;
    x->sent_mark = c->put_total;
}

static void on_close(void *ctx, int32_t stream)
{
    struct exchange *x = stream_find(ctx, stream);

    if (x != NULL)
        x->is_gone = true;
}

void h2_start(struct conn *c)
{
    static const struct h2_events events = {.on_head = on_head,
                                            .on_body = on_body,
                                            .on_end = on_end,
                                            .on_take = on_take,
                                            .on_sent = on_sent,
                                            .on_close = on_close};

    c->h2 = h2_new(&events, c, LIMIT_H2_STREAMS);
    if (c->h2 == NULL) {
        c->is_over = true;
        return;
    }
    conn_enter(c, CONN_H2);
}

/* The peer broke the rules: what runs is over, the GOAWAY still goes out. */
static void session_fail(struct conn *c)
{
    c->is_h2_failed = true;
    c->is_ending = true;
    while (c->streams != NULL)
        exchange_end(c->streams, false);
}

static bool input_step(struct conn *c)
{
    struct bytes in = sendq_view(&c->in);
    enum tacit_err err;

    if (in.len == 0 || conn_queued(c) >= LIMIT_QUEUE_HIGH)
        return false;
    if (c->is_h2_failed) {
        sendq_skip(&c->in, in.len);
        return false;
    }
    err = h2_feed(c->h2, in, conn_now_ms(c));
    sendq_skip(&c->in, in.len);
    if (err != TACIT_OK)
        session_fail(c);
    return true;
}

/* Body that was held back, for an exchange that wants it again. */
static bool held_step(struct exchange *x)
{
    size_t len = sendq_len(&x->held);

    if (x->expects_continue && exchange_wants_body(x)) {
        x->expects_continue = false;
        if (x->reply == REPLY_NONE && !x->is_body_done)
            h2_continue(x->conn->h2, x->stream);
    }
    if (len == 0 || (x->is_listened && x->is_paused))
        return false;
    exchange_body(x, sendq_view(&x->held));
    sendq_skip(&x->held, len);
    h2_consumed(x->conn->h2, x->stream, len);
    if (x->is_body_done)
        exchange_tell_end(x);
    return true;
}

/* Only so much is taken from the streams that none of them waits long behind another. */
static bool output_step(struct conn *c)
{
    bool has_moved = false;

    while (conn_queued(c) < LIMIT_QUEUE_LOW) {
        struct bytes out = h2_take_out(c->h2);

        if (out.len == 0)
            break;
        conn_put(c, out);
        has_moved = true;
    }
    return has_moved;
}

bool h2_step(struct conn *c)
{
    bool has_moved;

    if (c->is_cut || (c->is_eof && sendq_len(&c->in) == 0)) {
        c->is_over |= c->is_eof;
        return false;
    }
    if (c->server->is_draining && !c->is_goaway_sent) {
        c->is_goaway_sent = true;
        h2_goaway(c->h2);
    }
    has_moved = input_step(c);
    for (struct exchange *x = c->streams; x != NULL; x = x->next)
        has_moved |= held_step(x);
    has_moved |= output_step(c);
    c->is_ending |= c->streams == NULL && h2_is_done(c->h2);
    return has_moved;
}

bool h2_settle(struct conn *c)
{
    bool has_moved = false;
    struct exchange *next;

    for (struct exchange *x = c->streams; x != NULL && !c->is_over; x = next) {
        bool is_complete =
            x->is_sent && x->reply == REPLY_FINISHED && c->done_total >= x->sent_mark;
        bool is_failed = x->is_gone && (!x->is_sent || x->reply == REPLY_ABORTED);

        next = x->next;
        exchange_drain_tell(x);
        if (is_complete || is_failed) {
            exchange_end(x, is_complete);
            has_moved = true;
        }
    }
    return has_moved;
}
