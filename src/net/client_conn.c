/* One connection of the client: name, address, socket, TLS, and bytes both ways. It knows nothing
 * of HTTP. Invariant: after conn_close no event reaches anybody, and the memory goes when the loop
 * has closed what it holds. */
#include <stdlib.h>

#include "net/client_priv.h"

static void try_next_addr(struct conn *c);
static void write_next(struct conn *c);

struct request_bytes *request_bytes_ref(struct request_bytes *r)
{
    r->refs++;
    return r;
}

void request_bytes_unref(struct request_bytes *r)
{
    if (r == NULL || --r->refs > 0)
        return;
    buf_done(&r->buf);
    free(r);
}

static void conn_free(struct conn *c)
{
    if (c->addrs != NULL)
        uv_freeaddrinfo(c->addrs);
    tls_conn_free(c->tls);
    request_bytes_unref(c->out);
    buf_done(&c->in);
    free(c);
}

static void on_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;

    c->has_socket = false;
    if (!c->is_resolving)
        conn_free(c);
}

void conn_close(struct conn *c)
{
    if (c->is_closed)
        return;
    c->is_closed = true;
    c->upstream = NULL;
    c->call = NULL;
    if (c->is_resolving)
        (void)uv_cancel((uv_req_t *)&c->resolve); /* its callback frees, called off or not */
    if (c->has_socket) {
        if (!uv_is_closing(&c->socket.handle))
            uv_close(&c->socket.handle, on_closed);
    } else if (!c->is_resolving) {
        conn_free(c);
    }
}

static void fail(struct conn *c, enum tacit_err err)
{
    if (c->is_closed)
        return;
    if (c->call != NULL)
        call_conn_failed(c->call, err);
    else
        upstream_forget(c->upstream, c);
}

static void on_wrote(uv_write_t *req, int status)
{
    struct conn *c = req->data;

    c->is_writing = false;
    if (c->is_closed)
        return;
    if (status < 0) {
        c->is_write_broken =
            true; /* reading goes on: the peer may have answered before it closed */
        return;
    }
    if (c->call != NULL && c->is_established)
        call_conn_wrote(c->call);
    if (!c->is_closed)
        write_next(c);
}

static void write_bytes(struct conn *c, struct bytes data)
{
    uv_buf_t out = uv_buf_init((char *)(uintptr_t)data.ptr, (unsigned)data.len);

    c->write.data = c;
    if (uv_write(&c->write, &c->socket.stream, &out, 1, on_wrote) == 0)
        c->is_writing = true;
    else
        c->is_write_broken = true;
}

/* The next piece of the request, encrypted if need be; one write is under way at a time. */
static void write_next(struct conn *c)
{
    struct bytes rest;

    if (c->is_writing || c->is_write_broken || c->is_closed)
        return;
    rest = c->out == NULL || !c->is_established
               ? (struct bytes){0}
               : bytes_slice(buf_bytes(&c->out->buf), c->out_at, CLIENT_WRITE_PIECE);
    if (c->tls == NULL) {
        c->out_at += rest.len;
        if (rest.len > 0)
            write_bytes(c, rest);
        return;
    }
    if (tls_conn_pending(c->tls) == 0 && rest.len > 0) {
        c->out_at += rest.len;
        if (tls_conn_write(c->tls, rest) != TACIT_OK) {
            c->is_write_broken = true;
            return;
        }
    }
    if (tls_conn_pending(c->tls) > 0) {
        size_t n = tls_conn_take(c->tls, c->cipher, sizeof(c->cipher));

        write_bytes(c, bytes_make(c->cipher, n));
    }
}

void conn_send(struct conn *c, struct request_bytes *out)
{
    request_bytes_unref(c->out);
    c->out = request_bytes_ref(out);
    c->out_at = 0;
    write_next(c);
}

bool conn_is_sent(const struct conn *c)
{
    return c->out != NULL && c->out_at == c->out->buf.len && !c->is_writing &&
           !c->is_write_broken && (c->tls == NULL || tls_conn_pending(c->tls) == 0);
}

struct bytes conn_in(const struct conn *c)
{
    return bytes_slice(buf_bytes(&c->in), c->in_at, c->in.len);
}

void conn_used(struct conn *c, size_t count)
{
    c->in_at += count;
    if (c->in_at == c->in.len) {
        buf_reset(&c->in);
        c->in_at = 0;
    }
}

static void compact(struct conn *c)
{
    buf_consume(&c->in, c->in_at);
    c->in_at = 0;
}

/* Decrypts what fits; the rest waits inside TLS until there is room. */
bool conn_pull(struct conn *c)
{
    size_t before = conn_in(c).len;

    if (c->tls == NULL || !c->is_established || c->is_eof)
        return false;
    compact(c);
    while (c->in.len < CLIENT_IN_HIGH) {
        uint8_t *to = buf_reserve(&c->in, CLIENT_READ_PIECE);
        enum tacit_err err = TACIT_NOMEM;
        size_t got = 0;

        if (to != NULL)
            err = tls_conn_read(c->tls, to, CLIENT_READ_PIECE, &got);
        if (err == TACIT_BUSY)
            break;
        if (err != TACIT_OK) {
            c->is_eof = true;
            c->is_clean = err == TACIT_CLOSED;
            break;
        }
        buf_commit(&c->in, got);
    }
    return c->in.len > before || c->is_eof;
}

static void tell_data(struct conn *c)
{
    if (c->is_closed)
        return;
    if (c->call != NULL)
        call_conn_data(c->call);
    else
        upstream_forget(c->upstream, c); /* an idle peer has nothing to say but its end */
}

static void established(struct conn *c)
{
    c->is_established = true;
    if (c->call != NULL)
        call_conn_ready(c->call);
}

static void drive_handshake(struct conn *c)
{
    enum tacit_err err = tls_conn_handshake(c->tls);

    write_next(c);
    if (err == TACIT_OK)
        established(c);
    else if (err != TACIT_BUSY)
        fail(c, err == TACIT_MISMATCH ? TACIT_MISMATCH : TACIT_IO);
}

static void take_cipher(struct conn *c, struct bytes cipher)
{
    if (tls_conn_feed(c->tls, cipher) != TACIT_OK) {
        fail(c, c->is_established ? TACIT_CLOSED : TACIT_IO);
        return;
    }
    if (!c->is_established)
        drive_handshake(c);
    if (c->is_closed || !c->is_established)
        return;
    write_next(c); /* answers of TLS itself, such as a key update */
    if (conn_pull(c))
        tell_data(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct conn *c = handle->data;

    UNUSED(suggested);
    *out = uv_buf_init(c->read_mem, sizeof(c->read_mem));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *mem)
{
    struct conn *c = stream->data;

    if (c->is_closed || n == 0)
        return;
    if (n > 0 && c->tls != NULL) {
        take_cipher(c, bytes_make(mem->base, (size_t)n));
        return;
    }
    if (n > 0) {
        compact(c);
        buf_put(&c->in, bytes_make(mem->base, (size_t)n));
        if (c->in.failed)
            fail(c, TACIT_LIMIT);
        else
            tell_data(c);
        return;
    }
    (void)uv_read_stop(stream);
    if (!c->is_established) {
        fail(c, TACIT_IO);
        return;
    }
    if (!c->is_eof) /* TLS that ends without its closing message was cut */
        c->is_clean = n == UV_EOF && c->tls == NULL;
    c->is_eof = true;
    tell_data(c);
}

void conn_pause(struct conn *c)
{
    if (!c->is_closed && c->has_socket && c->is_reading)
        (void)uv_read_stop(&c->socket.stream);
    c->is_reading = false;
}

void conn_resume(struct conn *c)
{
    if (!c->is_closed && c->has_socket && !c->is_reading && !c->is_eof)
        c->is_reading = uv_read_start(&c->socket.stream, on_alloc, on_read) == 0;
}

static void on_connect(uv_connect_t *req, int status)
{
    struct conn *c = req->data;

    if (c->is_closed)
        return;
    if (status < 0) {
        try_next_addr(c);
        return;
    }
    if (!c->upstream->opts.addr.is_unix)
        (void)uv_tcp_nodelay(&c->socket.tcp, 1);
    conn_resume(c);
    if (c->tls != NULL)
        drive_handshake(c);
    else
        established(c);
}

/* A socket for `addr`; 0 or an error of libuv. */
static int connect_to(struct conn *c, const struct sockaddr *addr)
{
    int status = uv_tcp_init(loop_uv(c->upstream->loop), &c->socket.tcp);

    if (status != 0)
        return status;
    c->socket.handle.data = c;
    c->has_socket = true;
    c->connect.data = c;
    return uv_tcp_connect(&c->connect, &c->socket.tcp, addr, on_connect);
}

static void connect_here(struct conn *c)
{
    const struct addrinfo *addr = c->addr;

    if (addr == NULL) {
        fail(c, TACIT_IO);
        return;
    }
    c->addr = addr->ai_next;
    if (connect_to(c, addr->ai_addr) != 0)
        try_next_addr(c);
}

static void on_attempt_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;

    c->has_socket = false;
    if (!c->is_closed)
        connect_here(c);
    else if (!c->is_resolving)
        conn_free(c);
}

static void try_next_addr(struct conn *c)
{
    c->is_reading = false;
    if (c->has_socket)
        uv_close(&c->socket.handle, on_attempt_closed);
    else
        connect_here(c);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct conn *c = req->data;

    c->is_resolving = false;
    c->addrs = found;
    if (c->is_closed) {
        conn_free(c);
        return;
    }
    c->addr = status == 0 ? found : NULL;
    connect_here(c);
}

static int open_name(struct conn *c, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int status;

    c->resolve.data = c;
    status =
        uv_getaddrinfo(loop_uv(c->upstream->loop), &c->resolve, on_resolved, host, port, &hints);
    c->is_resolving = status == 0;
    return status;
}

static int open_unix(struct conn *c, const char *path)
{
    int status = uv_pipe_init(loop_uv(c->upstream->loop), &c->socket.pipe, 0);

    if (status != 0)
        return status;
    c->socket.handle.data = c;
    c->has_socket = true;
    c->connect.data = c;
    uv_pipe_connect(&c->connect, &c->socket.pipe, path, on_connect);
    return 0;
}

static int open_addr(struct conn *c, const struct net_addr *addr)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    char port[8];

    if (addr->is_unix)
        return open_unix(c, addr->host);
    if (uv_ip4_addr(addr->host, addr->port, &v4) == 0)
        return connect_to(c, (const struct sockaddr *)&v4);
    if (uv_ip6_addr(addr->host, addr->port, &v6) == 0)
        return connect_to(c, (const struct sockaddr *)&v6);
    (void)snprintf(port, sizeof(port), "%u", (unsigned)addr->port);
    return open_name(c, addr->host, port);
}

struct conn *conn_open(struct upstream *u, struct call *call)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->upstream = u;
    c->call = call;
    c->in = buf_make(CLIENT_IN_MAX);
    if (u->opts.tls != NULL) {
        c->tls = tls_conn_client(u->opts.tls, u->opts.addr.host);
        if (c->tls == NULL) {
            conn_free(c);
            return NULL;
        }
    }
    if (open_addr(c, &u->opts.addr) == 0)
        return c;
    conn_close(c);
    return NULL;
}
