/* Bytes between one socket, its TLS engine and the connection's queues. */
#include "net/conn_priv.h"

enum { INFLIGHT_KEEP = 4096 };

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *c = handle->data;

    UNUSED(suggested);
    buf->base = (char *)c->server->scratch;
    buf->len = sizeof(c->server->scratch);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct conn *c = stream->data;
    struct bytes in = {0};

    if (got == 0)
        return;
    if (got == UV_EOF) {
        c->is_eof = true;
        c->is_reading = false; /* libuv has stopped */
    } else if (got < 0) {
        c->is_over = true;
    } else {
        in = bytes_make(buf->base, (size_t)got);
    }
    if (c->state == CONN_LINGER)
        in.len = 0;
    if (c->tls == NULL)
        c->is_over |= in.len > 0 && !sendq_put(&c->in, in);
    else
        c->is_over |= tls_conn_feed(c->tls, in) != TACIT_OK;
    conn_run(c);
}

void conn_read_start(struct conn *c)
{
    if (c->is_reading)
        return;
    c->is_reading = uv_read_start(&c->uv.stream, on_alloc, on_read) == 0;
    if (!c->is_reading) {
        c->is_over = true;
        conn_wake(c);
    }
}

void conn_read_stop(struct conn *c)
{
    if (!c->is_reading)
        return;
    uv_read_stop(&c->uv.stream);
    c->is_reading = false;
}

void conn_decrypt(struct conn *c)
{
    if (c->tls == NULL || c->state == CONN_HANDSHAKE || c->state == CONN_LINGER || c->is_cut)
        return;
    while (sendq_len(&c->in) < LIMIT_CONN_INPUT) {
        uint8_t *out = c->server->scratch;
        size_t got = 0;
        enum tacit_err err = tls_conn_read(c->tls, out, SCRATCH_LEN, &got);

        if (err == TACIT_BUSY)
            return;
        if (err == TACIT_CLOSED) {
            c->is_eof = true;
            return;
        }
        if (err != TACIT_OK) {
            c->is_cut = true; /* after the alert */
            return;
        }
        if (!sendq_put(&c->in, (struct bytes){out, got}))
            c->is_over = true;
    }
}

/* A small buffer stays, for the next token of a stream; a large one goes back. */
static void inflight_empty(struct conn *c)
{
    if (c->inflight.cap > INFLIGHT_KEEP)
        buf_done(&c->inflight);
    else
        buf_reset(&c->inflight);
    c->done_total = c->taken_total;
}

static void on_written(uv_write_t *write, int status)
{
    struct conn *c = write->data;

    c->is_writing = false;
    inflight_empty(c);
    c->is_over |= status != 0;
    conn_run(c);
}

/* The next batch for the socket, in order. Under TLS it is encrypted first. */
static bool batch_take(struct conn *c)
{
    struct bytes plain = bytes_slice(sendq_view(&c->out), 0, LIMIT_QUEUE_HIGH);
    size_t cipher_len;
    uint8_t *to;

    if (c->tls == NULL) {
        buf_put(&c->inflight, plain);
    } else {
        if (plain.len > 0 && tls_conn_write(c->tls, plain) != TACIT_OK)
            return false;
        cipher_len = tls_conn_pending(c->tls);
        to = buf_reserve(&c->inflight, cipher_len);
        if (to == NULL)
            return false;
        buf_commit(&c->inflight, tls_conn_take(c->tls, to, cipher_len));
    }
    c->taken_total += plain.len;
    sendq_skip(&c->out, plain.len);
    return !c->inflight.failed;
}

/* Writes the batch: what the kernel does not take at once goes to libuv. */
static bool batch_write(struct conn *c)
{
    uv_buf_t buf = uv_buf_init((char *)c->inflight.ptr, (unsigned)c->inflight.len);
    int taken = uv_try_write(&c->uv.stream, &buf, 1);

    if (taken == UV_EAGAIN)
        taken = 0;
    if (taken < 0)
        return false;
    if ((size_t)taken == c->inflight.len) {
        inflight_empty(c);
        return true;
    }
    buf = uv_buf_init((char *)c->inflight.ptr + taken, (unsigned)(c->inflight.len - (size_t)taken));
    c->write.data = c;
    c->is_writing = uv_write(&c->write, &c->uv.stream, &buf, 1, on_written) == 0;
    c->write_left = buf.len;
    c->write_deadline_ms = conn_now_ms(c) + c->server->opts.write_timeout_ms;
    return c->is_writing;
}

void conn_flush(struct conn *c)
{
    while (!c->is_writing && !c->is_over) {
        if (sendq_len(&c->out) == 0 && (c->tls == NULL || tls_conn_pending(c->tls) == 0))
            return;
        c->is_over = !batch_take(c) || !batch_write(c);
    }
}

bool conn_is_flushed(const struct conn *c)
{
    return !c->is_writing && conn_queued(c) == 0;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    UNUSED(request);
    UNUSED(status);
}

void conn_linger(struct conn *c)
{
    if (c->tls != NULL)
        tls_conn_shutdown(c->tls);
    conn_flush(c);
    conn_enter(c, CONN_LINGER);
    c->linger_deadline_ms = conn_now_ms(c) + LINGER_MS;
    if (uv_shutdown(&c->shutdown, &c->uv.stream, on_shutdown) != 0)
        c->is_over = true;
    c->is_woken = true;
}
