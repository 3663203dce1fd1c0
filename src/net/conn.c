/* One connection: its life from accept to close, and the one function through which everything
 * happens to it. Bytes are moved in conn_io.c, spoken in conn_h1.c and conn_h2.c. */
#include <assert.h>
#include <stdlib.h>

#include "net/conn_priv.h"

static const unsigned conn_next[] = {
    [CONN_HANDSHAKE] = BIT(CONN_HEAD) | BIT(CONN_H2) | BIT(CONN_LINGER) | BIT(CONN_CLOSED),
    [CONN_HEAD] =
        BIT(CONN_BODY) | BIT(CONN_REPLY) | BIT(CONN_H2) | BIT(CONN_LINGER) | BIT(CONN_CLOSED),
    [CONN_BODY] = BIT(CONN_REPLY) | BIT(CONN_HEAD) | BIT(CONN_LINGER) | BIT(CONN_CLOSED),
    [CONN_REPLY] = BIT(CONN_HEAD) | BIT(CONN_LINGER) | BIT(CONN_CLOSED),
    [CONN_H2] = BIT(CONN_LINGER) | BIT(CONN_CLOSED),
    [CONN_LINGER] = BIT(CONN_CLOSED),
    [CONN_CLOSED] = 0,
};

void conn_enter(struct conn *c, enum conn_state to)
{
    assert((conn_next[c->state] & BIT(to)) != 0);
    c->state = to;
}

uint64_t conn_now_ms(const struct conn *c)
{
    return uv_now(c->uv.handle.loop);
}

void conn_wake(struct conn *c)
{
    c->is_woken = true;
    if (c->is_running || c->is_listed || c->state == CONN_CLOSED)
        return;
    c->is_listed = true;
    c->next_woken = c->server->woken;
    c->server->woken = c;
}

void conn_put(struct conn *c, struct bytes plain)
{
    if (sendq_put(&c->out, plain))
        c->put_total += plain.len;
    else
        c->is_over = true;
}

size_t conn_queued(const struct conn *c)
{
    size_t n = sendq_len(&c->out);

    if (c->tls != NULL)
        n += tls_conn_pending(c->tls);
    if (c->is_writing)
        n += uv_stream_get_write_queue_size(&c->uv.stream);
    return n;
}

static bool handshake_step(struct conn *c)
{
    enum tacit_err err;

    if (c->is_cut)
        return false;
    err = tls_conn_handshake(c->tls);
    if (err == TACIT_BUSY) {
        c->is_over |= c->is_eof;
        return false;
    }
    if (err != TACIT_OK) {
        c->is_cut = true; /* after the alert */
        return false;
    }
    if (tls_conn_is_h2(c->tls))
        h2_start(c);
    else
        conn_enter(c, CONN_HEAD);
    return true;
}

static bool conn_step(struct conn *c)
{
    switch (c->state) {
    case CONN_HANDSHAKE:
        return handshake_step(c);
    case CONN_HEAD:
    case CONN_BODY:
    case CONN_REPLY:
        return h1_step(c);
    case CONN_H2:
        return h2_step(c);
    case CONN_LINGER:
        sendq_skip(&c->in, SIZE_MAX);
        c->is_over |= c->is_eof;
        return false;
    case CONN_CLOSED:
        break;
    }
    return false;
}

static bool conn_settle(struct conn *c)
{
    bool has_moved = c->state == CONN_H2 ? h2_settle(c) : h1_settle(c);

    if (has_moved || !conn_is_flushed(c))
        return has_moved;
    if (c->is_cut)
        c->is_over = true;
    else if (c->is_ending && c->state != CONN_LINGER)
        conn_linger(c);
    return false;
}

/* Whether input is of use now. Output that piles up stops it too, for input makes output. */
static bool wants_input(const struct conn *c)
{
    if (c->is_eof)
        return false;
    if (c->state == CONN_LINGER || c->state == CONN_HANDSHAKE)
        return true;
    return sendq_len(&c->in) < LIMIT_CONN_INPUT && conn_queued(c) < LIMIT_QUEUE_HIGH;
}

void conn_run(struct conn *c)
{
    if (c->is_running || c->state == CONN_CLOSED)
        return;
    c->is_running = true;
    do {
        c->is_woken = false;
        conn_decrypt(c);
        if (conn_step(c))
            c->is_woken = true;
        conn_flush(c);
        if (conn_settle(c))
            c->is_woken = true;
    } while (c->is_woken && !c->is_over);
    c->is_running = false;
    if (c->is_over)
        conn_shut(c);
    else if (wants_input(c))
        conn_read_start(c);
    else
        conn_read_stop(c);
}

static void woken_forget(struct conn *c)
{
    for (struct conn **at = &c->server->woken; *at != NULL; at = &(*at)->next_woken)
        if (*at == c) {
            *at = c->next_woken;
            return;
        }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;
    struct server *s = c->server;

    if (c->is_listed)
        woken_forget(c);
    tls_conn_free(c->tls);
    h2_free(c->h2);
    sendq_done(&c->in);
    sendq_done(&c->out);
    buf_done(&c->inflight);
    free(c);
    server_conn_gone(s);
}

void conn_shut(struct conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    conn_enter(c, CONN_CLOSED);
    if (c->x != NULL)
        exchange_end(c->x, false);
    while (c->streams != NULL)
        exchange_end(c->streams, false);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        c->server->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    uv_close(&c->uv.handle, on_handle_closed);
}

static void peer_name(struct conn *c)
{
    struct sockaddr_storage addr;
    int len = sizeof(addr);

    if (c->server->opts.addr.is_unix ||
        uv_tcp_getpeername(&c->uv.tcp, (struct sockaddr *)&addr, &len) != 0 ||
        uv_ip_name((struct sockaddr *)&addr, c->peer, sizeof(c->peer)) != 0)
        memcpy(c->peer, "unix", sizeof("unix"));
}

static struct conn *conn_new(struct server *s)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->server = s;
    c->in = sendq_make(LIMIT_CONN_INPUT + SCRATCH_LEN);
    c->in.buf.is_secret = true; /* keys and prompts pass through */
    c->out = sendq_make(LIMIT_CONN_OUTPUT);
    c->inflight = buf_make(2 * LIMIT_QUEUE_HIGH + SCRATCH_LEN);
    if (s->opts.tls != NULL) {
        c->tls = tls_conn_server(s->opts.tls);
        if (c->tls == NULL) {
            free(c);
            return NULL;
        }
    }
    c->state = c->tls == NULL ? CONN_HEAD : CONN_HANDSHAKE;
    return c;
}

bool conn_accept(struct server *s)
{
    struct conn *c = conn_new(s);
    bool is_accepted;

    if (c == NULL)
        return false;
    if (s->opts.addr.is_unix)
        uv_pipe_init(loop_uv(s->loop), &c->uv.pipe, 0); /* cannot fail */
    else
        uv_tcp_init(loop_uv(s->loop), &c->uv.tcp); /* cannot fail: opens no socket */
    c->uv.handle.data = c;
    c->next = s->conns;
    if (s->conns != NULL)
        s->conns->prev = c;
    s->conns = c;
    s->conn_count++;
    s->open_handles++;
    is_accepted = uv_accept(&s->listener.stream, &c->uv.stream) == 0;
    if (!is_accepted) {
        conn_shut(c);
        return true;
    }
    if (!s->opts.addr.is_unix) {
        uv_tcp_nodelay(&c->uv.tcp, 1);
        uv_tcp_keepalive(&c->uv.tcp, 1, 60);
    }
    peer_name(c);
    c->head_deadline_ms = conn_now_ms(c) + s->opts.head_timeout_ms;
    conn_read_start(c);
    return true;
}
