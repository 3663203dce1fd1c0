/* The listener, the clock over all connections, and the two ways to end. Memory of a server goes
 * with its last libuv handle. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/utc.h"
#include "net/conn_priv.h"
#include "net/listen_priv.h"

enum { CLOCK_MIN_MS = 5, CLOCK_MAX_MS = 500 };

static void on_clock(uv_timer_t *timer)
{
    struct server *s = timer->data;
    uint64_t now_ms = uv_now(loop_uv(s->loop));
    struct conn *next;

    for (struct conn *c = s->conns; c != NULL; c = next) {
        next = c->next; /* nothing but c itself is closed by its own deadlines */
        conn_check_time(c, now_ms);
    }
    if (s->conns == NULL && !s->is_draining)
        uv_timer_stop(timer); /* started again by the next connection */
    if (!s->is_draining || now_ms < s->drain_deadline_ms)
        return;
    while (s->conns != NULL)
        conn_shut(s->conns);
}

static void accept_waiting(struct server *s)
{
    if (!s->has_waiting || !s->is_listening || s->conn_count >= s->opts.max_connections)
        return;
    s->has_waiting = !conn_accept(s);
    if (!uv_is_active((uv_handle_t *)&s->clock))
        uv_timer_start(&s->clock, on_clock, s->clock_ms, s->clock_ms);
}

/* libuv takes one connection off the backlog and takes no more until it is accepted. */
static void on_connection(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;

    if (status != 0)
        return;
    s->has_waiting = true;
    accept_waiting(s);
}

static void drained_tell(struct server *s)
{
    void (*done)(void *ctx) = s->on_drained;

    if (done == NULL || s->conn_count > 0)
        return;
    s->on_drained = NULL;
    uv_timer_stop(&s->clock);
    done(s->drained_ctx);
}

/* Before the loop sleeps: whatever programs did to exchanges takes effect. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct server *s = prepare->data;

    while (s->woken != NULL) {
        struct conn *c = s->woken;

        s->woken = c->next_woken;
        c->is_listed = false;
        conn_run(c);
    }
    if (!s->is_freed)
        drained_tell(s);
}

void server_handle_closed(uv_handle_t *handle)
{
    struct server *s = handle->data;

    s->open_handles--;
    if (s->is_freed && s->open_handles == 0)
        free(s);
}

void server_conn_gone(struct server *s)
{
    s->conn_count--;
    s->open_handles--;
    if (s->is_freed && s->open_handles == 0) {
        free(s);
        return;
    }
    accept_waiting(s);
}

struct bytes server_date(struct server *s)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t now_s = clock_unix_s();
    struct utc t;

    if (s->date_unix_s != now_s) {
        t = utc_from_unix(now_s);
        s->date_unix_s = now_s;
        (void)snprintf(s->date, sizeof(s->date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                       days[(size_t)(now_s / 86400) % 7], t.day % 100,
                       months[(size_t)(t.month - 1) % 12], t.year % 10000, t.hour % 100,
                       t.minute % 100, t.second % 100);
    }
    return bytes_of(s->date);
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static void opts_take(struct server *s, const struct server_opts *opts)
{
    struct server_opts *o = &s->opts;
    uint64_t shortest;

    *o = *opts;
    o->head_timeout_ms = or_default(o->head_timeout_ms, 10 * 1000);
    o->body_timeout_ms = or_default(o->body_timeout_ms, 30 * 1000);
    o->write_timeout_ms = or_default(o->write_timeout_ms, 30 * 1000);
    o->idle_timeout_ms = or_default(o->idle_timeout_ms, 75 * 1000);
    o->max_connections = or_default(o->max_connections, 4096);
    o->max_body_bytes = or_default(o->max_body_bytes, LIMIT_BODY_BYTES);
    if (o->tls != NULL)
        o->tls = tls_server_ref(o->tls);
    shortest = o->head_timeout_ms;
    shortest = o->body_timeout_ms < shortest ? o->body_timeout_ms : shortest;
    shortest = o->write_timeout_ms < shortest ? o->write_timeout_ms : shortest;
    shortest = o->idle_timeout_ms < shortest ? o->idle_timeout_ms : shortest;
    s->clock_ms = shortest / 8;
    if (s->clock_ms < CLOCK_MIN_MS)
        s->clock_ms = CLOCK_MIN_MS;
    if (s->clock_ms > CLOCK_MAX_MS)
        s->clock_ms = CLOCK_MAX_MS;
}

enum tacit_err server_new(struct server **out, struct loop *loop, const struct server_opts *opts,
                          const struct handler *handler, char why[static 256])
{
    struct server *s = calloc(1, sizeof(*s));
    enum tacit_err err;

    *out = NULL;
    why[0] = 0;
    if (s == NULL)
        return TACIT_NOMEM;
    s->loop = loop;
    s->handler = *handler;
    opts_take(s, opts);
    uv_prepare_init(loop_uv(loop), &s->prepare); /* these two cannot fail */
    uv_timer_init(loop_uv(loop), &s->clock);
    s->prepare.data = s;
    s->clock.data = s;
    s->open_handles = 2;
    uv_prepare_start(&s->prepare, on_prepare);
    err = listen_open(s, on_connection, why);
    if (err != TACIT_OK) {
        server_free(s);
        return err;
    }
    *out = s;
    return TACIT_OK;
}

uint16_t server_port(const struct server *s)
{
    struct sockaddr_storage addr;
    int len = sizeof(addr);

    if (s->opts.addr.is_unix || !s->is_listening ||
        uv_tcp_getsockname(&s->listener.tcp, (struct sockaddr *)&addr, &len) != 0)
        return 0;
    if (addr.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

size_t server_connections(const struct server *s)
{
    return s->conn_count;
}

static void listener_close(struct server *s)
{
    if (s->is_listening)
        uv_close(&s->listener.handle, server_handle_closed);
    s->is_listening = false;
    s->has_waiting = false;
}

void server_drain(struct server *s, uint64_t grace_ms, void (*done)(void *ctx), void *ctx)
{
    if (s->is_draining)
        return;
    s->is_draining = true;
    s->on_drained = done;
    s->drained_ctx = ctx;
    s->drain_deadline_ms = uv_now(loop_uv(s->loop)) + grace_ms;
    listener_close(s);
    uv_timer_start(&s->clock, on_clock, s->clock_ms, s->clock_ms);
    for (struct conn *c = s->conns; c != NULL; c = c->next)
        conn_wake(c);
}

void server_free(struct server *s)
{
    if (s == NULL)
        return;
    assert(!s->is_freed);
    listener_close(s);
    while (s->conns != NULL)
        conn_shut(s->conns);
    tls_server_unref(s->opts.tls);
    s->is_freed = true;
    uv_close((uv_handle_t *)&s->prepare, server_handle_closed);
    uv_close((uv_handle_t *)&s->clock, server_handle_closed);
}
