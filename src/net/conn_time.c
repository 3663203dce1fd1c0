/* The deadlines of one connection, looked at a few times per shortest limit. A deadline of 0 is set
 * here when its cause is found, and put back to 0 by whoever makes progress. */
#include "net/conn_priv.h"

static bool is_past(uint64_t deadline_ms, uint64_t now_ms)
{
    return deadline_ms != 0 && now_ms >= deadline_ms;
}

/* Bytes given to libuv must shrink. */
static void check_write(struct conn *c, uint64_t now_ms)
{
    size_t left;

    if (!c->is_writing)
        return;
    left = uv_stream_get_write_queue_size(&c->uv.stream);
    if (left != c->write_left) {
        c->write_left = left;
        c->write_deadline_ms = now_ms + c->server->opts.write_timeout_ms;
    }
    c->is_over |= is_past(c->write_deadline_ms, now_ms);
}

/* An HTTP/2 connection is idle without streams; a header block must end in time. */
static void check_h2(struct conn *c, uint64_t now_ms)
{
    if (c->streams != NULL || h2_is_mid_head(c->h2))
        c->idle_deadline_ms = 0;
    else if (c->idle_deadline_ms == 0)
        c->idle_deadline_ms = now_ms + c->server->opts.idle_timeout_ms;
    if (!h2_is_mid_head(c->h2))
        c->head_deadline_ms = 0;
    else if (c->head_deadline_ms == 0)
        c->head_deadline_ms = now_ms + c->server->opts.head_timeout_ms;
    c->is_over |= is_past(c->head_deadline_ms, now_ms);
    if (is_past(c->idle_deadline_ms, now_ms) && !c->is_goaway_sent) {
        c->is_goaway_sent = true;
        h2_goaway(c->h2);
    }
}

void conn_check_time(struct conn *c, uint64_t now_ms)
{
    struct exchange *next;

    check_write(c, now_ms);
    switch (c->state) {
    case CONN_HANDSHAKE:
        c->is_over |= is_past(c->head_deadline_ms, now_ms);
        break;
    case CONN_HEAD:
        if (is_past(c->head_deadline_ms, now_ms))
            h1_head_late(c);
        c->is_ending |= is_past(c->idle_deadline_ms, now_ms);
        break;
    case CONN_BODY:
    case CONN_REPLY:
        if (c->x != NULL)
            exchange_check_time(c->x, now_ms);
        else
            c->is_over |= is_past(c->head_deadline_ms, now_ms);
        break;
    case CONN_H2:
        check_h2(c, now_ms);
        for (struct exchange *x = c->streams; x != NULL; x = next) {
            next = x->next;
            exchange_check_time(x, now_ms);
        }
        break;
    case CONN_LINGER:
        c->is_over |= is_past(c->linger_deadline_ms, now_ms);
        break;
    case CONN_CLOSED:
        return;
    }
    conn_run(c);
}
