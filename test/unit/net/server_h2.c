/* Claims about the HTTP/2 server, made frame by frame over a plain socket with prior knowledge:
 * streams live and die on their own, and a peer that only makes work is sent away. */
#include "cmocka_all.h"

#include <errno.h>
#include <unistd.h>

#include "app.h"
#include "base/limits.h"

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW = 8 };
enum { CONTINUATION = 9, END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

static const struct server_opts defaults;

static void put_frame(struct buf *b, unsigned type, unsigned flags, uint32_t stream,
                      struct bytes payload)
{
    buf_putc(b, (uint8_t)(payload.len >> 16));
    buf_u16be(b, (uint16_t)payload.len);
    buf_putc(b, (uint8_t)type);
    buf_putc(b, (uint8_t)flags);
    buf_u32be(b, stream);
    buf_put(b, payload);
}

/* HPACK without a table or Huffman: literal fields only (RFC 7541 6.2.2). */
static void put_field(struct buf *b, const char *name, const char *value)
{
    buf_putc(b, 0);
    buf_putc(b, (uint8_t)strlen(name));
    buf_puts(b, name);
    buf_putc(b, (uint8_t)strlen(value));
    buf_puts(b, value);
}

static void put_request(struct buf *b, uint32_t stream, unsigned flags, const char *method,
                        const char *path)
{
    struct buf block = buf_make(4096);

    put_field(&block, ":method", method);
    put_field(&block, ":scheme", "http");
    put_field(&block, ":authority", "h");
    put_field(&block, ":path", path);
    put_frame(b, HEADERS, flags | END_HEADERS, stream, buf_bytes(&block));
    buf_done(&block);
}

struct peer {
    int fd;
    struct buf out;
    struct buf in;
    size_t at; /* parsed so far */
};

static struct peer peer_connect(const struct app *app)
{
    struct peer p = {.fd = app_connect(app), .out = buf_make(8 << 20), .in = buf_make(64 << 20)};

    buf_puts(&p.out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    put_frame(&p.out, SETTINGS, 0, 0, BYTES_LIT(""));
    return p;
}

static void peer_send(struct peer *p)
{
    send_bytes(p->fd, buf_bytes(&p->out));
    buf_reset(&p->out);
}

static void peer_done(struct peer *p)
{
    close(p->fd);
    buf_done(&p->out);
    buf_done(&p->in);
}

struct frame {
    unsigned type, flags;
    uint32_t stream;
    struct bytes payload;
};

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Next whole frame from the server; false at the end of the connection. */
static bool frame_next(struct peer *p, struct frame *f)
{
    for (;;) {
        struct bytes rest = bytes_slice(buf_bytes(&p->in), p->at, SIZE_MAX);
        uint8_t *to;
        ssize_t got;

        if (rest.len >= 9) {
            size_t len = u32_at(rest.ptr) >> 8;

            if (rest.len >= 9 + len) {
                *f = (struct frame){rest.ptr[3], rest.ptr[4], u32_at(rest.ptr + 5),
                                    bytes_slice(rest, 9, len)};
                p->at += 9 + len;
                return true;
            }
        }
        to = buf_reserve(&p->in, 65536);
        do
            got = read(p->fd, to, 65536);
        while (got < 0 && errno == EINTR);
        if (got <= 0)
            return false;
        buf_commit(&p->in, (size_t)got);
    }
}

/* Waits for a frame of that type (and stream, unless 0). */
static bool frame_wait(struct peer *p, struct frame *f, unsigned type, uint32_t stream)
{
    while (frame_next(p, f))
        if (f->type == type && (stream == 0 || f->stream == stream))
            return true;
    return false;
}

static void streams_overtake_each_other(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_request(&p.out, 1, END_STREAM, "GET", "/late");
    put_request(&p.out, 3, END_STREAM, "GET", "/hello");
    peer_send(&p);
    assert_true(frame_wait(&p, &f, DATA, 0));
    assert_int_equal(f.stream, 3);
    assert_true(bytes_eq_cstr(f.payload, "hello"));
    assert_true(frame_wait(&p, &f, DATA, 0));
    assert_int_equal(f.stream, 1);
    assert_true(bytes_eq_cstr(f.payload, "late"));
    assert_true((f.flags & END_STREAM) != 0);
    peer_done(&p);
    app_stop(app);
}

static void bodies_arrive_and_open_the_window(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);
    struct frame f;
    struct buf body = buf_make(1 << 20);

    UNUSED(state);
    peer_send(&p);
    assert_true(frame_wait(&p, &f, SETTINGS, 0)); /* with the larger window; ours to confirm */
    put_frame(&p.out, SETTINGS, ACK, 0, BYTES_LIT(""));
    buf_fill(&body, 'b', 10000);
    put_request(&p.out, 1, 0, "POST", "/stall");
    for (int i = 0; i < 20; i++)
        put_frame(&p.out, DATA, i == 19 ? END_STREAM : 0, 1, buf_bytes(&body));
    peer_send(&p);
    assert_true(frame_wait(&p, &f, DATA, 1));
    assert_true(bytes_eq_cstr(f.payload, "200000"));
    buf_done(&body);
    peer_done(&p);
    app_stop(app);
}

static void a_reset_stream_is_noticed_alone(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_request(&p.out, 1, END_STREAM, "GET", "/hold");
    put_request(&p.out, 3, END_STREAM, "GET", "/hold");
    peer_send(&p);
    assert_true(app_wait(&app->running, 2));
    put_frame(&p.out, RST_STREAM, 0, 1, BYTES_LIT("\0\0\0\x08"));
    put_request(&p.out, 5, END_STREAM, "GET", "/hello");
    peer_send(&p);
    assert_true(frame_wait(&p, &f, DATA, 5));
    assert_true(app_wait(&app->closed_early, 1));
    assert_int_equal(atomic_load(&app->running), 1);
    peer_done(&p);
    assert_true(app_wait(&app->closed_early, 2));
    app_stop(app);
}

static void a_broken_reply_is_reset(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_request(&p.out, 1, END_STREAM, "GET", "/abort");
    peer_send(&p);
    assert_true(frame_wait(&p, &f, DATA, 1));
    assert_true(bytes_eq_cstr(f.payload, "last words"));
    assert_int_equal(f.flags & END_STREAM, 0);
    assert_true(frame_wait(&p, &f, RST_STREAM, 1));
    put_request(&p.out, 3, END_STREAM, "GET", "/short");
    peer_send(&p);
    assert_true(frame_wait(&p, &f, RST_STREAM, 3));
    assert_true(app_wait(&app->closed_early, 2));
    peer_done(&p);
    app_stop(app);
}

static void no_window_no_data_and_bounded_memory(void **state)
{
    struct server_opts quick = {.write_timeout_ms = 300};
    struct app *app = app_start(&quick, false);
    struct peer p = peer_connect(app);
    struct frame f;
    size_t got = 0;

    UNUSED(state);
    put_request(&p.out, 1, END_STREAM, "GET", "/source?20000000");
    peer_send(&p);
    while (frame_next(&p, &f) && f.type != RST_STREAM)
        got += f.type == DATA ? f.payload.len : 0;
    assert_int_equal(f.type, RST_STREAM); /* no window within the write limit */
    assert_int_equal(got, 65535);
    assert_true(app_wait(&app->closed_early, 1));
    assert_true(atomic_load(&app->max_queued) < LIMIT_QUEUE_HIGH + 10000);
    peer_done(&p);
    app_stop(app);
}

static void bad_requests_are_answered_on_their_stream(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_request(&p.out, 1, END_STREAM, "GET", "/a b");
    put_request(&p.out, 3, END_STREAM, "GET", "/silent");
    put_request(&p.out, 5, END_STREAM, "GET", "/inject");
    put_request(&p.out, 7, END_STREAM, "GET", "/hello");
    peer_send(&p);
    for (unsigned stream = 3; stream <= 5; stream += 2) {
        assert_true(frame_wait(&p, &f, DATA, stream));
        assert_true(bytes_starts_with(f.payload, BYTES_LIT("{\"error\":")));
    }
    assert_true(frame_wait(&p, &f, DATA, 7));
    peer_done(&p);
    app_stop(app);
}

static void late_bodies_are_answered_408(void **state)
{
    struct server_opts quick = {.body_timeout_ms = 200};
    struct app *app = app_start(&quick, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_request(&p.out, 1, 0, "POST", "/echo");
    put_frame(&p.out, DATA, 0, 1, BYTES_LIT("abc"));
    peer_send(&p);
    assert_true(frame_wait(&p, &f, DATA, 1));
    assert_true(bytes_find(f.payload, BYTES_LIT("in time")) != SIZE_MAX);
    assert_true(app_wait(&app->closed_early, 1));
    peer_done(&p);
    app_stop(app);
}

/* Sends until the server says GOAWAY with that code. */
static void expect_goaway(struct peer *p, uint32_t code)
{
    struct frame f;

    peer_send(p);
    assert_true(frame_wait(p, &f, GOAWAY, 0));
    assert_true(f.payload.len >= 8);
    assert_int_equal(u32_at(f.payload.ptr + 4), code);
    while (frame_next(p, &f))
        ;
    peer_done(p);
}

enum { PROTOCOL_ERROR = 1, ENHANCE_YOUR_CALM = 11 };

static void rapid_resets_are_sent_away(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);

    UNUSED(state);
    for (uint32_t i = 0; i < 1000; i++) {
        put_request(&p.out, 2 * i + 1, END_STREAM, "GET", "/hold");
        put_frame(&p.out, RST_STREAM, 0, 2 * i + 1, BYTES_LIT("\0\0\0\x08"));
    }
    expect_goaway(&p, ENHANCE_YOUR_CALM);
    assert_true(atomic_load(&app->requests) < 400);
    app_stop(app);
}

static void floods_are_sent_away(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);

    UNUSED(state);
    for (int i = 0; i < 5000; i++)
        put_frame(&p.out, PING, 0, 0, BYTES_LIT("12345678"));
    expect_goaway(&p, ENHANCE_YOUR_CALM);
    p = peer_connect(app);
    for (int i = 0; i < 5000; i++)
        put_frame(&p.out, SETTINGS, 0, 0, BYTES_LIT(""));
    expect_goaway(&p, ENHANCE_YOUR_CALM);
    p = peer_connect(app);
    put_request(&p.out, 1, 0, "POST", "/echo");
    for (int i = 0; i < 5000; i++)
        put_frame(&p.out, DATA, 0, 1, BYTES_LIT(""));
    expect_goaway(&p, ENHANCE_YOUR_CALM);
    app_stop(app);
}

static void endless_continuations_end(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_frame(&p.out, HEADERS, END_STREAM, 1, BYTES_LIT(""));
    for (int i = 0; i < 20000; i++)
        put_frame(&p.out, CONTINUATION, 0, 1, BYTES_LIT("\0\1a\1b"));
    peer_send(&p);
    while (frame_next(&p, &f))
        ;
    assert_int_equal(atomic_load(&app->requests), 0);
    peer_done(&p);
    app_stop(app);
}

static void slow_header_blocks_end(void **state)
{
    struct server_opts quick = {.head_timeout_ms = 200};
    struct app *app = app_start(&quick, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_frame(&p.out, HEADERS, END_STREAM, 1, BYTES_LIT("\0\1a\1b"));
    peer_send(&p);
    while (frame_next(&p, &f))
        ;
    assert_int_equal(atomic_load(&app->requests), 0);
    peer_done(&p);
    app_stop(app);
}

static void a_broken_protocol_is_sent_away(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);

    UNUSED(state);
    put_frame(&p.out, DATA, 0, 0, BYTES_LIT("on stream zero"));
    expect_goaway(&p, PROTOCOL_ERROR);
    app_stop(app);
}

static void draining_says_goaway_and_finishes(void **state)
{
    struct app *app = app_start(&defaults, false);
    struct peer p = peer_connect(app);
    struct frame f;

    UNUSED(state);
    put_request(&p.out, 1, END_STREAM, "GET", "/late");
    peer_send(&p);
    assert_true(app_wait(&app->running, 1));
    app_drain(app, 5000);
    assert_true(frame_wait(&p, &f, GOAWAY, 0));
    assert_true(frame_wait(&p, &f, DATA, 1));
    assert_true(bytes_eq_cstr(f.payload, "late"));
    while (frame_next(&p, &f))
        ;
    peer_done(&p);
    assert_true(app_wait(&app->closed_complete, 1));
    app_stop(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_overtake_each_other),
        cmocka_unit_test(bodies_arrive_and_open_the_window),
        cmocka_unit_test(a_reset_stream_is_noticed_alone),
        cmocka_unit_test(a_broken_reply_is_reset),
        cmocka_unit_test(no_window_no_data_and_bounded_memory),
        cmocka_unit_test(bad_requests_are_answered_on_their_stream),
        cmocka_unit_test(late_bodies_are_answered_408),
        cmocka_unit_test(rapid_resets_are_sent_away),
        cmocka_unit_test(floods_are_sent_away),
        cmocka_unit_test(endless_continuations_end),
        cmocka_unit_test(slow_header_blocks_end),
        cmocka_unit_test(a_broken_protocol_is_sent_away),
        cmocka_unit_test(draining_says_goaway_and_finishes),
    };

    alarm(200);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
