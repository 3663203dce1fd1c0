/* The upstream: options, the pool of idle connections, and the start of calls. */
#include <stdio.h>
#include <stdlib.h>

#include "net/client_priv.h"

enum {
    CONNECT_TIMEOUT_MS = 5 * 1000,
    FIRST_BYTE_TIMEOUT_MS = 120 * 1000,
    BETWEEN_TIMEOUT_MS = 60 * 1000,
    TOTAL_TIMEOUT_MS = 60 * 60 * 1000,
    IDLE_TIMEOUT_MS = 60 * 1000,
    MAX_IDLE = 64,
    ADDED_HEADERS = 2, /* host and content-length */
    PORT_HTTP = 80,
    PORT_HTTPS = 443,
};

static uint64_t or_default(uint64_t v, uint64_t fallback)
{
    return v == 0 ? fallback : v;
}

/* The Host field: the port is left out where the scheme implies it (RFC 9110 7.2). */
static void set_host(struct upstream *u, const char *host)
{
    const struct net_addr *a = &u->opts.addr;
    unsigned usual_port = u->opts.tls == NULL ? PORT_HTTP : PORT_HTTPS;
    bool is_v6 = strchr(a->host, ':') != NULL;

    if (host != NULL)
        (void)snprintf(u->host_text, sizeof(u->host_text), "%s", host);
    else if (a->is_unix)
        (void)snprintf(u->host_text, sizeof(u->host_text), "localhost");
    else if (a->port == usual_port)
        (void)snprintf(u->host_text, sizeof(u->host_text), is_v6 ? "[%s]" : "%s", a->host);
    else
        (void)snprintf(u->host_text, sizeof(u->host_text), is_v6 ? "[%s]:%u" : "%s:%u", a->host,
                       (unsigned)a->port);
    u->opts.host = u->host_text;
}

struct upstream *upstream_new(struct loop *loop, const struct upstream_opts *opts)
{
    struct upstream *u = calloc(1, sizeof(*u));

    if (u == NULL || uv_timer_init(loop_uv(loop), &u->idle_timer) != 0) {
        free(u);
        return NULL;
    }
    u->idle_timer.data = u;
    u->loop = loop;
    u->opts = *opts;
    if (opts->tls != NULL)
        u->opts.tls = tls_client_ref(opts->tls);
    set_host(u, opts->host);
    u->opts.connect_timeout_ms = or_default(opts->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    u->opts.first_byte_timeout_ms = or_default(opts->first_byte_timeout_ms, FIRST_BYTE_TIMEOUT_MS);
    u->opts.between_timeout_ms = or_default(opts->between_timeout_ms, BETWEEN_TIMEOUT_MS);
    u->opts.total_timeout_ms = or_default(opts->total_timeout_ms, TOTAL_TIMEOUT_MS);
    u->opts.idle_timeout_ms = or_default(opts->idle_timeout_ms, IDLE_TIMEOUT_MS);
    u->opts.max_idle = opts->max_idle == 0 ? MAX_IDLE : opts->max_idle;
    return u;
}

static void on_upstream_closed(uv_handle_t *handle)
{
    struct upstream *u = handle->data;

    tls_client_unref(u->opts.tls);
    free(u);
}

void upstream_free(struct upstream *u)
{
    if (u == NULL || u->is_dead)
        return;
    u->is_dead = true;
    while (u->calls != NULL)
        call_end(u->calls, TACIT_CLOSED);
    while (u->idle != NULL)
        upstream_forget(u, u->idle);
    uv_close((uv_handle_t *)&u->idle_timer, on_upstream_closed);
}

void upstream_forget(struct upstream *u, struct conn *c)
{
    struct conn **at = &u->idle;

    while (*at != NULL && *at != c)
        at = &(*at)->next_idle;
    if (*at == c) {
        *at = c->next_idle;
        u->idle_count--;
    }
    conn_close(c);
}

static void on_idle_timer(uv_timer_t *timer)
{
    struct upstream *u = timer->data;
    uint64_t now = uv_now(loop_uv(u->loop));
    struct conn *c = u->idle;

    while (c != NULL) {
        struct conn *next = c->next_idle;

        if (now - c->idle_since_ms >= u->opts.idle_timeout_ms)
            upstream_forget(u, c);
        c = next;
    }
    if (u->idle == NULL)
        (void)uv_timer_stop(timer);
}

void upstream_keep(struct upstream *u, struct conn *c)
{
    uint64_t half_ms = u->opts.idle_timeout_ms / 2 + 1;

    if (u->idle_count >= u->opts.max_idle) {
        conn_close(c);
        return;
    }
    c->is_reused = true;
    c->idle_since_ms = uv_now(loop_uv(u->loop));
    c->next_idle = u->idle;
    u->idle = c;
    u->idle_count++;
    request_bytes_unref(c->out);
    c->out = NULL;
    conn_resume(c); /* to see the peer go */
    if (!uv_is_active((uv_handle_t *)&u->idle_timer))
        (void)uv_timer_start(&u->idle_timer, on_idle_timer, half_ms, half_ms);
}

struct conn *upstream_take(struct upstream *u)
{
    struct conn *c = u->idle;

    while (c != NULL && uv_now(loop_uv(u->loop)) - c->idle_since_ms >= u->opts.idle_timeout_ms) {
        upstream_forget(u, c);
        c = u->idle;
    }
    if (c == NULL)
        return NULL;
    u->idle = c->next_idle;
    u->idle_count--;
    c->next_idle = NULL;
    return c;
}

/* Head and body in one piece of memory. */
static enum tacit_err put_request(struct buf *out, const struct upstream *u, const char *method,
                                  struct bytes target, const struct header *headers, size_t count,
                                  struct bytes body)
{
    struct header all[LIMIT_HEADERS + ADDED_HEADERS];
    char length[24];
    bool has_body = body.len > 0 || strcmp(method, "POST") == 0;
    enum tacit_err err;

    if (count > LIMIT_HEADERS)
        return TACIT_LIMIT;
    all[0] = (struct header){BYTES_LIT("host"), bytes_of(u->opts.host)};
    for (size_t i = 0; i < count; i++)
        all[i + 1] = headers[i];
    count++;
    if (has_body) {
        (void)snprintf(length, sizeof(length), "%zu", body.len);
        all[count++] = (struct header){BYTES_LIT("content-length"), bytes_of(length)};
    }
    err = h1_put_request(out, method, target, all, count);
    buf_put(out, body);
    return err == TACIT_OK ? buf_err(out) : err;
}

static struct call *call_new(struct upstream *u, const struct call_events *events, void *ctx)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    call->request = calloc(1, sizeof(*call->request));
    if (call->request == NULL || uv_timer_init(loop_uv(u->loop), &call->timer) != 0) {
        free(call->request);
        free(call);
        return NULL;
    }
    call->request->refs = 1;
    call->timer.data = call;
    call->upstream = u;
    call->events = *events;
    call->ctx = ctx;
    call->head = buf_make(LIMIT_HEAD_BYTES + CLIENT_READ_PIECE);
    call->next = u->calls;
    if (u->calls != NULL)
        u->calls->prev = call;
    u->calls = call;
    return call;
}

struct call *call_start(struct upstream *u, const char *method, struct bytes target,
                        const struct header *headers, size_t count, struct bytes body,
                        const struct call_events *events, void *ctx)
{
    struct call *call = u->is_dead ? NULL : call_new(u, events, ctx);

    if (call == NULL)
        return NULL;
    uv_update_time(loop_uv(u->loop));
    call->start_ms = uv_now(loop_uv(u->loop));
    call->is_to_head = strcmp(method, "HEAD") == 0;
    call->request->buf = buf_make(LIMIT_HEAD_BYTES * 2 + body.len);
    call->start_err = put_request(&call->request->buf, u, method, target, headers, count, body);
    if (call->start_err == TACIT_FORMAT)
        call->start_err = TACIT_USAGE; /* ours, not the peer's */
    if (call->start_err == TACIT_OK && !call_connect(call, true))
        call->start_err = TACIT_IO;
    call_arm(call);
    return call;
}
