/* The test program's server side and its blocking clients. */
#include "app.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"

struct task {
    struct app *app;
    struct exchange *x;
    struct buf body;
    struct timer *timer;
    size_t left;
    size_t got;
    bool is_echo, is_source, is_stall;
};

#define CHECK(what)                                          \
    do {                                                     \
        if (!(what)) {                                       \
            fprintf(stderr, "app: " #what " is not true\n"); \
            abort();                                         \
        }                                                    \
    } while (0)

static void source_pump(struct task *t)
{
    static const uint8_t piece[8192];

    while (t->left > 0) {
        size_t n = t->left < sizeof(piece) ? t->left : sizeof(piece);
        size_t queued = exchange_write(t->x, (struct bytes){piece, n});

        t->left -= n;
        if (queued > atomic_load(&t->app->max_queued))
            atomic_store(&t->app->max_queued, queued);
        if (queued > LIMIT_QUEUE_HIGH)
            return;
    }
    exchange_finish(t->x);
}

static void on_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    struct task *t = ctx;

    UNUSED(x);
    t->got += chunk.len;
    if (t->is_echo)
        buf_put(&t->body, chunk);
}

static void number_reply(struct task *t)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%zu", t->got);

    exchange_reply(t->x, 200, NULL, 0, bytes_make(text, (size_t)n));
}

static void on_end(struct exchange *x, void *ctx)
{
    struct task *t = ctx;

    if (t->is_echo)
        exchange_reply(x, 200, NULL, 0, buf_bytes(&t->body));
    if (t->is_source)
        source_pump(t);
    if (t->is_stall)
        number_reply(t);
}

static void on_drain(struct exchange *x, void *ctx)
{
    UNUSED(x);
    source_pump(ctx);
}

static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct task *t = ctx;

    exchange_reply(x, 200, NULL, 0, BYTES_LIT("too late, must be ignored"));
    atomic_fetch_add(is_complete ? &t->app->closed_complete : &t->app->closed_early, 1);
    atomic_fetch_sub(&t->app->running, 1);
    timer_free(t->timer);
    buf_done(&t->body);
    free(t);
}

static void on_late(void *ctx)
{
    struct task *t = ctx;

    if (t->is_stall)
        exchange_resume(t->x);
    else
        exchange_reply(t->x, 200, NULL, 0, BYTES_LIT("late"));
}

static struct task *task_new(struct app *app, struct exchange *x)
{
    static const struct exchange_events events = {on_body, on_end, on_drain, on_closed};
    struct task *t = calloc(1, sizeof(*t));

    CHECK(t != NULL);
    *t = (struct task){.app = app, .x = x, .body = buf_make(LIMIT_BODY_BYTES)};
    atomic_fetch_add(&app->running, 1);
    exchange_listen(x, &events, t);
    return t;
}

static void timer_set(struct task *t, uint64_t ms)
{
    t->timer = timer_new(t->app->loop, on_late, t);
    CHECK(t->timer != NULL);
    timer_start(t->timer, ms, 0);
}

static void listened_request(struct app *app, struct exchange *x, const struct request *req)
{
    struct task *t = task_new(app, x);
    uint64_t n = 0;

    if (bytes_eq_cstr(req->path, "/echo")) {
        t->is_echo = true;
    } else if (bytes_eq_cstr(req->path, "/source")) {
        CHECK(bytes_to_u64(&n, req->query, UINT32_MAX));
        t->is_source = true;
        t->left = (size_t)n;
        exchange_head(x, 200, NULL, 0, -1);
    } else if (bytes_eq_cstr(req->path, "/late")) {
        timer_set(t, 50);
    } else if (bytes_eq_cstr(req->path, "/stall")) {
        t->is_stall = true;
        exchange_pause(x);
        timer_set(t, 100);
    } else if (bytes_eq_cstr(req->path, "/abort")) {
        exchange_head(x, 200, NULL, 0, -1);
        (void)exchange_write(x, BYTES_LIT("last words"));
        exchange_abort(x);
    } else if (bytes_eq_cstr(req->path, "/short")) {
        exchange_head(x, 200, NULL, 0, 100);
        (void)exchange_write(x, BYTES_LIT("ten octets"));
        exchange_finish(x);
    }
}

static void on_request(struct exchange *x, const struct request *req, void *ctx)
{
    const struct header bad = {BYTES_LIT("x-bad"), BYTES_LIT("a\r\nset-cookie: b")};
    const struct header plain = {BYTES_LIT("content-type"), BYTES_LIT("text/plain")};
    struct app *app = ctx;

    atomic_fetch_add(&app->requests, 1);
    if (bytes_eq_cstr(req->path, "/hello"))
        exchange_reply(x, 200, &plain, 1, BYTES_LIT("hello"));
    else if (bytes_eq_cstr(req->path, "/inject"))
        exchange_reply(x, 200, &bad, 1, BYTES_LIT("x"));
    else if (bytes_eq_cstr(req->path, "/silent"))
        return;
    else if (bytes_eq_cstr(req->path, "/gone"))
        exchange_reply(x, 204, &plain, 1, BYTES_LIT(""));
    else
        listened_request(app, x, req);
}

static void *thread_main(void *arg)
{
    struct app *app = arg;

    loop_run(app->loop);
    return NULL;
}

static void tls_load(struct app *app)
{
    struct buf cert = buf_make(1 << 16);
    struct buf key = buf_make(1 << 16);

    CHECK(file_read(&cert, TEST_DATA_DIR "/net/server.cert.pem") == TACIT_OK);
    CHECK(file_read(&key, TEST_DATA_DIR "/net/server.key.pem") == TACIT_OK);
    CHECK(tls_server_new(&app->tls, buf_bytes(&cert), buf_bytes(&key)) == TACIT_OK);
    buf_done(&cert);
    buf_done(&key);
}

struct app *app_start(const struct server_opts *limits, bool is_tls)
{
    struct app *app = calloc(1, sizeof(*app));
    struct server_opts opts = *limits;
    struct handler handler = {on_request, app};
    char why[256];

    CHECK(app != NULL);
    app->loop = loop_new();
    CHECK(app->loop != NULL);
    if (is_tls)
        tls_load(app);
    opts.tls = app->tls;
    if (!opts.addr.is_unix)
        memcpy(opts.addr.host, "127.0.0.1", sizeof("127.0.0.1"));
    else
        memcpy(app->unix_path, opts.addr.host, sizeof(app->unix_path));
    if (server_new(&app->server, app->loop, &opts, &handler, why) != TACIT_OK) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    app->port = server_port(app->server);
    CHECK(pthread_create(&app->thread, NULL, thread_main, app) == 0);
    return app;
}

struct drain {
    struct app *app;
    uint64_t grace_ms;
};

static void on_drained(void *ctx)
{
    struct app *app = ctx;

    CHECK(server_connections(app->server) == 0);
    server_free(app->server);
    app->server = NULL;
    atomic_store(&app->is_drained, true);
}

static void drain_here(void *ctx)
{
    struct drain *d = ctx;

    server_drain(d->app->server, d->grace_ms, on_drained, d->app);
    free(d);
}

void app_drain(struct app *app, uint64_t grace_ms)
{
    struct drain *d = malloc(sizeof(*d));

    CHECK(d != NULL);
    *d = (struct drain){app, grace_ms};
    CHECK(loop_post(app->loop, drain_here, d));
}

static void stop_here(void *ctx)
{
    struct app *app = ctx;

    server_free(app->server);
    loop_stop(app->loop);
}

void app_stop(struct app *app)
{
    CHECK(loop_post(app->loop, stop_here, app));
    pthread_join(app->thread, NULL);
    loop_free(app->loop);
    tls_server_unref(app->tls);
    CHECK(atomic_load(&app->running) == 0);
    free(app);
}

bool app_wait(atomic_int *counter, int wanted)
{
    for (int i = 0; i < 2000; i++) {
        if (atomic_load(counter) >= wanted)
            return true;
        usleep(5000);
    }
    return false;
}

int app_connect(const struct app *app)
{
    bool is_unix = app->unix_path[0] != 0;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(app->port)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(un.sun_path, app->unix_path, sizeof(un.sun_path));
    CHECK(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    CHECK(connect(fd, is_unix ? (struct sockaddr *)&un : (struct sockaddr *)&in,
                  is_unix ? sizeof(un) : sizeof(in)) == 0);
    return fd;
}

void send_bytes(int fd, struct bytes b)
{
    while (b.len > 0) {
        ssize_t n = send(fd, b.ptr, b.len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the server may have closed: the test looks at what it said */
        b = bytes_slice(b, (size_t)n, SIZE_MAX);
    }
}

void send_text(int fd, const char *text)
{
    send_bytes(fd, bytes_of(text));
}

static ssize_t recv_some(int fd, struct buf *in)
{
    uint8_t *to = buf_reserve(in, 65536);
    ssize_t n;

    CHECK(to != NULL);
    do
        n = recv(fd, to, 65536, 0);
    while (n < 0 && errno == EINTR); /* a socket with a time limit is not resumed by the kernel */
    if (n > 0)
        buf_commit(in, (size_t)n);
    return n;
}

bool recv_until(int fd, struct buf *in, const char *end)
{
    size_t from = in->len;

    for (;;) {
        if (bytes_find(bytes_slice(buf_bytes(in), from, SIZE_MAX), bytes_of(end)) != SIZE_MAX)
            return true;
        if (recv_some(fd, in) <= 0)
            return false;
    }
}

bool recv_all(int fd, struct buf *in)
{
    ssize_t n;

    while ((n = recv_some(fd, in)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

const char *talk(const struct app *app, struct buf *in, const char *text)
{
    int fd = app_connect(app);

    buf_reset(in);
    send_text(fd, text);
    CHECK(recv_all(fd, in));
    close(fd);
    return buf_cstr(in) == NULL ? "" : buf_cstr(in);
}
