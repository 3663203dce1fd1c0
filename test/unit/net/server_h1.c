/* Claims about the HTTP/1.1 server: what is legal is served in order, what is not is answered by
 * name, and an unfinished reply can never be taken for a whole one. */
#include "cmocka_all.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "base/limits.h"

#define HOST "Host: h\r\n"
#define CLOSE HOST "Connection: close\r\n"

static const struct server_opts defaults;

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static const char *body_of(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");

    return end == NULL ? "(no head)" : end + 4;
}

static void replies_with_the_fields_due(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    const char *text = talk(app, &in, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n");

    UNUSED(state);
    assert_true(has(text, "HTTP/1.1 200 OK\r\n"));
    assert_true(has(text, "\r\ncontent-type: text/plain\r\n"));
    assert_true(has(text, "\r\ncontent-length: 5\r\n"));
    assert_true(has(text, "\r\nconnection: close\r\n"));
    assert_true(has(text, " GMT\r\n"));
    assert_string_equal(body_of(text), "hello");
    text = talk(app, &in, "HEAD /hello HTTP/1.1\r\n" CLOSE "\r\n");
    assert_true(has(text, "\r\ncontent-length: 5\r\n"));
    assert_string_equal(body_of(text), "");
    text = talk(app, &in, "GET /gone HTTP/1.1\r\n" CLOSE "\r\n");
    assert_true(has(text, "HTTP/1.1 204 No Content\r\n"));
    assert_false(has(text, "content-length"));
    buf_done(&in);
    app_stop(app);
}

static void keeps_the_connection_and_the_order(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    const char *text = talk(app, &in,
                            "GET /late HTTP/1.1\r\n" HOST "\r\n"
                            "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                            "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                            "2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
                            "\r\nGET /hello HTTP/1.1\r\n" CLOSE "\r\n");
    const char *late = strstr(text, "late");
    const char *abc = strstr(text, "abc");
    const char *def = strstr(text, "def");
    const char *hello = strstr(text, "hello");

    UNUSED(state);
    assert_true(late != NULL && abc > late && def > abc && hello > def);
    assert_int_equal(atomic_load(&app->requests), 4);
    buf_done(&in);
    app_stop(app);
}

static void answers_bad_heads_by_name(void **state)
{
    static const struct {
        const char *text;
        const char *line;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"GET / HTTP/1.1\n" HOST "\n\n", "HTTP/1.1 400 "},
        {"\x16\x03\x01\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.0\r\n" HOST "\r\n", "HTTP/1.1 505 "},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 "},
        {"GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", "HTTP/1.1 417 "},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "HTTP/1.1 400 "},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n", "HTTP/1.1 413 "},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
         "HTTP/1.1 400 "},
        {"GET /silent HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 500 "},
        {"GET /inject HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 500 "},
    };
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *text = talk(app, &in, cases[i].text);

        if (strncmp(text, cases[i].line, strlen(cases[i].line)) != 0)
            fail_msg("case %zu: %.60s", i, text);
        assert_true(has(text, "\r\nconnection: close\r\n"));
        assert_true(has(body_of(text), "{\"error\":{\"message\":\""));
        assert_false(has(text, "set-cookie"));
    }
    buf_done(&in);
    app_stop(app);
}

static void limits_head_and_target(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    struct buf out = buf_make(1 << 20);

    UNUSED(state);
    buf_puts(&out, "GET /");
    buf_fill(&out, 'a', LIMIT_TARGET_BYTES + 100);
    assert_true(has(talk(app, &in, buf_cstr(&out)), "HTTP/1.1 414 "));
    buf_reset(&out);
    buf_puts(&out, "GET / HTTP/1.1\r\nX: ");
    buf_fill(&out, 'a', LIMIT_HEAD_BYTES);
    assert_true(has(talk(app, &in, buf_cstr(&out)), "HTTP/1.1 431 "));
    buf_done(&in);
    buf_done(&out);
    app_stop(app);
}

static void asks_for_the_body_when_it_is_wanted(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    int fd = app_connect(app);

    UNUSED(state);
    send_text(fd,
              "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_true(recv_until(fd, &in, "\r\n\r\n"));
    assert_string_equal(buf_cstr(&in), "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(fd, "abc");
    assert_true(recv_until(fd, &in, "\r\n\r\nabc"));
    buf_reset(&in);
    /* Answered without the body: no 100, and the connection ends. */
    send_text(fd,
              "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_true(recv_all(fd, &in));
    assert_true(strncmp(buf_cstr(&in), "HTTP/1.1 200 OK", 15) == 0);
    assert_true(has(buf_cstr(&in), "connection: close"));
    close(fd);
    buf_done(&in);
    app_stop(app);
}

static void a_large_body_comes_back_whole(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(32 << 20);
    struct buf out = buf_make(32 << 20);
    size_t len = 3 << 20;
    struct bytes body;

    UNUSED(state);
    buf_puts(&out, "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 3145728\r\n\r\n");
    for (size_t i = 0; i < len; i++)
        buf_putc(&out, (uint8_t)('a' + i % 23 + (i >> 16) % 3));
    (void)talk(app, &in, buf_cstr(&out));
    assert_true(in.len > len && out.len > len);
    body = bytes_slice(buf_bytes(&in), in.len - len, len);
    assert_true(bytes_eq(body, bytes_slice(buf_bytes(&out), out.len - len, len)));
    assert_true(app_wait(&app->closed_complete, 1));
    buf_done(&in);
    buf_done(&out);
    app_stop(app);
}

static void body_nobody_wants_is_skipped_or_ends_it(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    const char *text;

    UNUSED(state);
    text = talk(app, &in,
                "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde"
                "GET /hello HTTP/1.1\r\n" CLOSE "\r\n");
    assert_true(has(strstr(text, "hello") + 1, "hello"));
    text = talk(app, &in, "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 5000000\r\n\r\nabcde");
    assert_true(has(text, "connection: close"));
    assert_string_equal(body_of(text), "hello");
    buf_done(&in);
    app_stop(app);
}

static void a_broken_reply_is_never_whole(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    const char *text = talk(app, &in, "GET /abort HTTP/1.1\r\n" HOST "\r\n");

    UNUSED(state);
    assert_true(has(text, "transfer-encoding: chunked"));
    assert_string_equal(body_of(text), "a\r\nlast words\r\n");
    text = talk(app, &in, "GET /short HTTP/1.1\r\n" HOST "\r\n");
    assert_true(has(text, "content-length: 100"));
    assert_string_equal(body_of(text), "ten octets");
    assert_true(app_wait(&app->closed_early, 2));
    buf_done(&in);
    app_stop(app);
}

static void pausing_stops_and_resuming_goes_on(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 20);
    struct buf out = buf_make(1 << 22);

    UNUSED(state);
    buf_puts(&out, "POST /stall HTTP/1.1\r\n" CLOSE "Content-Length: 1000000\r\n\r\n");
    buf_fill(&out, 'x', 1000000);
    assert_string_equal(body_of(talk(app, &in, buf_cstr(&out))), "1000000");
    buf_done(&in);
    buf_done(&out);
    app_stop(app);
}

static void a_client_that_leaves_is_noticed_at_once(void **state)
{
    struct app *app = app_start(&defaults, false);
    int fd = app_connect(app);

    UNUSED(state);
    send_text(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    assert_true(app_wait(&app->running, 1));
    usleep(20000);
    assert_int_equal(atomic_load(&app->closed_early), 0);
    close(fd);
    assert_true(app_wait(&app->closed_early, 1));
    fd = app_connect(app);
    send_text(fd, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
    assert_true(app_wait(&app->running, 1));
    close(fd);
    assert_true(app_wait(&app->closed_early, 2));
    app_stop(app);
}

static void a_slow_reader_slows_the_source(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(64 << 20);
    int fd = app_connect(app);
    size_t len = 20 << 20;

    UNUSED(state);
    send_text(fd, "GET /source?20971520 HTTP/1.1\r\n" CLOSE "\r\n");
    usleep(200000);
    assert_true(recv_all(fd, &in));
    assert_true(in.len > len && in.len < len + len / 100);
    assert_true(bytes_ends_with(buf_bytes(&in), BYTES_LIT("\r\n0\r\n\r\n")));
    assert_true(atomic_load(&app->max_queued) > LIMIT_QUEUE_HIGH);
    assert_true(atomic_load(&app->max_queued) < LIMIT_QUEUE_HIGH + 10000);
    assert_true(app_wait(&app->closed_complete, 1));
    close(fd);
    buf_done(&in);
    app_stop(app);
}

static void serves_unix_sockets_privately(void **state)
{
    struct server_opts opts = {.addr = {.is_unix = true}};
    struct app *app;
    struct buf in = buf_make(1 << 20);
    struct stat st;

    UNUSED(state);
    (void)snprintf(opts.addr.host, sizeof(opts.addr.host), "/tmp/tacit-test-%d.sock",
                   (int)getpid());
    app = app_start(&opts, false);
    assert_int_equal(stat(opts.addr.host, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_string_equal(body_of(talk(app, &in, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n")), "hello");
    app_stop(app);
    assert_int_not_equal(stat(opts.addr.host, &st), 0);
    buf_done(&in);
}

static void garbage_never_hurts(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct buf in = buf_make(1 << 22);
    unsigned seed = 12345;

    UNUSED(state);
    for (int round = 0; round < 60; round++) {
        uint8_t noise[600];
        int fd = app_connect(app);

        for (size_t i = 0; i < sizeof(noise); i++) {
            seed = seed * 1103515245 + 12345;
            noise[i] = (uint8_t)(seed >> 16);
        }
        if (round % 3 == 1)
            send_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        if (round % 3 == 2)
            send_text(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        send_bytes(fd, BYTES_ARRAY(noise));
        shutdown(fd, SHUT_WR);
        buf_reset(&in);
        assert_true(recv_all(fd, &in));
        close(fd);
    }
    assert_string_equal(body_of(talk(app, &in, "GET /hello HTTP/1.1\r\n" CLOSE "\r\n")), "hello");
    buf_done(&in);
    app_stop(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_with_the_fields_due),
        cmocka_unit_test(keeps_the_connection_and_the_order),
        cmocka_unit_test(answers_bad_heads_by_name),
        cmocka_unit_test(limits_head_and_target),
        cmocka_unit_test(asks_for_the_body_when_it_is_wanted),
        cmocka_unit_test(a_large_body_comes_back_whole),
        cmocka_unit_test(body_nobody_wants_is_skipped_or_ends_it),
        cmocka_unit_test(a_broken_reply_is_never_whole),
        cmocka_unit_test(pausing_stops_and_resuming_goes_on),
        cmocka_unit_test(a_client_that_leaves_is_noticed_at_once),
        cmocka_unit_test(a_slow_reader_slows_the_source),
        cmocka_unit_test(serves_unix_sockets_privately),
        cmocka_unit_test(garbage_never_hurts),
    };

    alarm(200);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
