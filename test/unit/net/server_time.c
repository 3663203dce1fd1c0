/* Claims about time limits, connection limits and the graceful end of the server. */
#include "cmocka_all.h"

#include <sys/socket.h>
#include <unistd.h>

#include "app.h"
#include "base/clock.h"
#include "base/limits.h"

#define HOST "Host: h\r\n"
#define CLOSE HOST "Connection: close\r\n"

static const struct server_opts defaults;
static const struct server_opts quick = {.head_timeout_ms = 200,
                                         .body_timeout_ms = 200,
                                         .write_timeout_ms = 300,
                                         .idle_timeout_ms = 200};

/* Reads to the end and says how long that took. */
static uint64_t drain_ms(int fd, struct buf *in)
{
    uint64_t start = clock_mono_ms();

    assert_true(recv_all(fd, in));
    close(fd);
    return clock_mono_ms() - start;
}

static void starts_with(struct buf *in, const char *text)
{
    assert_true(bytes_starts_with(buf_bytes(in), bytes_of(text)));
    buf_reset(in);
}

static void slow_heads_are_answered_408(void **state)
{
    struct app *app = app_start(&quick, false);
    struct buf in = buf_make(1 << 20);
    int fd = app_connect(app);
    uint64_t took;

    UNUSED(state);
    send_text(fd, "GET /hello HTT");
    took = drain_ms(fd, &in);
    assert_in_range(took, 150, 2000);
    starts_with(&in, "HTTP/1.1 408 ");
    /* One octet at a time does not extend the limit. */
    fd = app_connect(app);
    for (int i = 0; i < 10; i++) {
        send_text(fd, "G");
        usleep(40000);
    }
    (void)drain_ms(fd, &in);
    starts_with(&in, "HTTP/1.1 408 ");
    buf_done(&in);
    app_stop(app);
}

static void silent_connections_are_closed_without_a_word(void **state)
{
    struct app *app = app_start(&quick, false);
    struct buf in = buf_make(1 << 20);
    int fd = app_connect(app);

    UNUSED(state);
    assert_in_range(drain_ms(fd, &in), 150, 2000);
    assert_int_equal(in.len, 0);
    fd = app_connect(app);
    send_text(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(recv_until(fd, &in, "hello"));
    buf_reset(&in);
    assert_in_range(drain_ms(fd, &in), 150, 2000);
    assert_int_equal(in.len, 0);
    buf_done(&in);
    app_stop(app);
}

static void slow_bodies_are_answered_408(void **state)
{
    struct app *app = app_start(&quick, false);
    struct buf in = buf_make(1 << 20);
    int fd = app_connect(app);

    UNUSED(state);
    send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    assert_in_range(drain_ms(fd, &in), 150, 2000);
    starts_with(&in, "HTTP/1.1 408 ");
    assert_true(app_wait(&app->closed_early, 1));
    /* A body that moves is not cut, however long it takes. */
    fd = app_connect(app);
    send_text(fd, "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 8\r\n\r\n");
    for (int i = 0; i < 8; i++) {
        usleep(60000);
        send_text(fd, "x");
    }
    (void)drain_ms(fd, &in);
    starts_with(&in, "HTTP/1.1 200 ");
    buf_done(&in);
    app_stop(app);
}

static void a_reader_that_stops_is_cut_off(void **state)
{
    struct app *app = app_start(&quick, false);
    int fd = app_connect(app);

    UNUSED(state);
    send_text(fd, "GET /source?100000000 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(app_wait(&app->closed_early, 1));
    assert_true(atomic_load(&app->max_queued) < LIMIT_QUEUE_HIGH + 10000);
    close(fd);
    app_stop(app);
}

static void waiting_for_the_program_is_not_limited(void **state)
{
    struct app *app = app_start(&quick, false);
    int fd = app_connect(app);

    UNUSED(state);
    send_text(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(app_wait(&app->running, 1));
    usleep(600000);
    assert_int_equal(atomic_load(&app->running), 1);
    close(fd);
    assert_true(app_wait(&app->closed_early, 1));
    app_stop(app);
}

static void connections_beyond_the_limit_wait(void **state)
{
    struct server_opts opts = {.max_connections = 2};
    struct app *app = app_start(&opts, false);
    struct buf in = buf_make(1 << 20);
    int fds[4];

    UNUSED(state);
    for (int i = 0; i < 4; i++) {
        fds[i] = app_connect(app);
        send_text(fds[i], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    }
    assert_true(app_wait(&app->running, 2));
    usleep(50000);
    assert_int_equal(atomic_load(&app->running), 2);
    close(fds[0]);
    close(fds[1]);
    assert_true(app_wait(&app->requests, 4));
    close(fds[2]);
    close(fds[3]);
    assert_true(app_wait(&app->closed_early, 4));
    buf_done(&in);
    app_stop(app);
}

static void draining_finishes_what_runs(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    int late = app_connect(app);
    int idle = app_connect(app);
    int gone;

    UNUSED(state);
    send_text(idle, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(recv_until(idle, &in, "hello"));
    send_text(late, "GET /late HTTP/1.1\r\n" HOST "\r\n");
    assert_true(app_wait(&app->running, 1));
    app_drain(app, 5000);
    buf_reset(&in);
    assert_true(drain_ms(idle, &in) < 1000);
    assert_int_equal(in.len, 0);
    assert_true(drain_ms(late, &in) < 1000);
    assert_non_null(strstr(buf_cstr(&in), "connection: close"));
    assert_true(bytes_ends_with(buf_bytes(&in), BYTES_LIT("late")));
    for (gone = 0; gone < 400 && !atomic_load(&app->is_drained); gone++)
        usleep(5000);
    assert_true(atomic_load(&app->is_drained));
    buf_done(&in);
    app_stop(app);
}

static void draining_ends_by_its_grace(void **state)
{
    struct app *app = app_start(&quick, false);
    struct buf in = buf_make(1 << 20);
    int fd = app_connect(app);

    UNUSED(state);
    send_text(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(app_wait(&app->running, 1));
    app_drain(app, 300);
    assert_in_range(drain_ms(fd, &in), 200, 2000);
    assert_true(app_wait(&app->closed_early, 1));
    buf_done(&in);
    app_stop(app);
}

static void drains_at_once_when_nothing_runs(void **state)
{
    struct app *app = app_start(&defaults, false);

    UNUSED(state);
    app_drain(app, 5000);
    for (int i = 0; i < 400 && !atomic_load(&app->is_drained); i++)
        usleep(5000);
    assert_true(atomic_load(&app->is_drained));
    app_stop(app);
}

static void an_address_in_use_is_named(void **state)
{
    struct server_opts opts = {.addr = {.is_unix = true, .host = "/nonexistent/x.sock"}};
    struct handler handler = {0};
    struct loop *loop = loop_new();
    struct server *s = NULL;
    char why[256];

    UNUSED(state);
    assert_err(server_new(&s, loop, &opts, &handler, why), TACIT_IO);
    assert_null(s);
    assert_non_null(strstr(why, "unix:/nonexistent/x.sock"));
    opts = (struct server_opts){.addr = {.host = "no such host"}};
    assert_err(server_new(&s, loop, &opts, &handler, why), TACIT_CONFIG);
    opts = (struct server_opts){.addr = {.is_unix = true}};
    (void)snprintf(opts.addr.host, sizeof(opts.addr.host), "/tmp/tacit-twice-%d.sock",
                   (int)getpid());
    assert_ok(server_new(&s, loop, &opts, &handler, why));
    {
        struct server *second = NULL;

        assert_err(server_new(&second, loop, &opts, &handler, why), TACIT_EXISTS);
        assert_null(second);
    }
    server_free(s);
    server_free(NULL);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_heads_are_answered_408),
        cmocka_unit_test(silent_connections_are_closed_without_a_word),
        cmocka_unit_test(slow_bodies_are_answered_408),
        cmocka_unit_test(a_reader_that_stops_is_cut_off),
        cmocka_unit_test(waiting_for_the_program_is_not_limited),
        cmocka_unit_test(connections_beyond_the_limit_wait),
        cmocka_unit_test(draining_finishes_what_runs),
        cmocka_unit_test(draining_ends_by_its_grace),
        cmocka_unit_test(drains_at_once_when_nothing_runs),
        cmocka_unit_test(an_address_in_use_is_named),
    };

    alarm(200);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
