/* Claims about HTTP/1.1: legal heads and bodies are read exactly, and every ambiguity that request
 * smuggling lives on is refused with the status it deserves. */
#include "cmocka_all.h"

#include "base/limits.h"
#include "http/h1.h"

/* A head in exactly sized heap memory, so that the sanitizer sees any step outside. */
struct parsed {
    uint8_t *mem;
    struct header headers[LIMIT_HEADERS];
    struct h1_request q;
    struct h1_reply r;
    struct h1_refusal no;
    enum tacit_err err;
};

static struct parsed request(const char *text, size_t len)
{
    struct parsed p = {.mem = malloc(len + 1)};

    assert_non_null(p.mem);
    memcpy(p.mem, text, len);
    p.mem = realloc(p.mem, len > 0 ? len : 1);
    p.err = h1_request_parse(&p.q, &p.no, p.mem, len, p.headers, LIMIT_HEADERS);
    return p;
}

static struct parsed reply(const char *text, bool is_to_head)
{
    size_t len = strlen(text);
    struct parsed p = {.mem = malloc(len)};

    assert_non_null(p.mem);
    memcpy(p.mem, text, len);
    p.err = h1_reply_parse(&p.r, p.mem, len, p.headers, LIMIT_HEADERS, is_to_head);
    return p;
}

static unsigned status_of(const char *text)
{
    struct parsed p = request(text, strlen(text));

    free(p.mem);
    assert_true((p.err == TACIT_OK) == (p.no.status == 0));
    assert_true((p.no.status == 0) == (p.no.why == NULL));
    return p.no.status;
}

#define HOST "Host: h\r\n"

static void reads_a_request(void **state)
{
    static const char text[] =
        "POST /v1/chat?x=1 HTTP/1.1\r\nHost: a.example:1\r\nX-UPPER:\t v \r\n"
        "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\n";
    struct parsed p = request(text, sizeof(text) - 1);

    UNUSED(state);
    assert_ok(p.err);
    assert_true(bytes_eq_cstr(p.q.method, "POST"));
    assert_true(bytes_eq_cstr(p.q.path, "/v1/chat"));
    assert_true(bytes_eq_cstr(p.q.query, "x=1"));
    assert_int_equal(p.q.header_count, 4);
    assert_true(bytes_eq_cstr(header_find(p.headers, 4, "x-upper"), "v"));
    assert_int_equal(p.q.framing, H1_BODY_LENGTH);
    assert_int_equal(p.q.content_length, 12);
    assert_true(p.q.is_keep_alive);
    assert_true(p.q.expects_continue);
    free(p.mem);
}

static void takes_absolute_targets(void **state)
{
    static const char text[] =
        "GET http://a.example:80/x?y HTTP/1.1\r\n" HOST "Connection: keep-alive, close\r\n\r\n";
    struct parsed p = request(text, sizeof(text) - 1);

    UNUSED(state);
    assert_ok(p.err);
    assert_true(bytes_eq_cstr(p.q.path, "/x"));
    assert_true(bytes_eq_cstr(p.q.query, "y"));
    assert_false(p.q.is_keep_alive);
    free(p.mem);
    assert_int_equal(status_of("GET http://a.example HTTP/1.1\r\n" HOST "\r\n"), 0);
    assert_int_equal(status_of("GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n"), 400);
    assert_int_equal(status_of("GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"), 400);
}

static void refuses_what_smuggles(void **state)
{
    static const char *const bad[] = {
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST " Content-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "X: a\rContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "X: a\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\n" HOST "\r\n",
        "POST / HTTP/1.1\r\n" HOST "NoColon\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST ": empty\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "X\x01: a\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST HOST "\r\n",
        "POST / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "POST  / HTTP/1.1\r\n" HOST "\r\n",
        "POST /  HTTP/1.1\r\n" HOST "\r\n",
        "POST\t/ HTTP/1.1\r\n" HOST "\r\n",
        "POST / HTTP/1.1 \r\n" HOST "\r\n",
        "POST / http/1.1\r\n" HOST "\r\n",
        "POST / HTTP/11\r\n" HOST "\r\n",
        "POST /\r\n" HOST "\r\n",
        "POST * HTTP/1.1\r\n" HOST "\r\n",
        "PO@T / HTTP/1.1\r\n" HOST "\r\n",
        "\r\n\r\n",
        "",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (status_of(bad[i]) != 400)
            fail_msg("case %zu was not answered with 400", i);
}

static void names_the_right_refusal(void **state)
{
    UNUSED(state);
    assert_int_equal(status_of("GET / HTTP/1.0\r\n" HOST "\r\n"), 505);
    assert_int_equal(status_of("GET / HTTP/2.0\r\n" HOST "\r\n"), 505);
    assert_int_equal(status_of("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n"), 501);
    assert_int_equal(status_of("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n"), 501);
    assert_int_equal(
        status_of("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
    assert_int_equal(status_of("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"),
                     501);
    assert_int_equal(status_of("GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"), 417);
    assert_int_equal(status_of("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 0);
    assert_int_equal(status_of("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"), 0);
}

static void limits_fields_and_targets(void **state)
{
    struct buf b = buf_make(1 << 20);

    UNUSED(state);
    buf_puts(&b, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 0; i < LIMIT_HEADERS; i++)
        buf_puts(&b, "a: b\r\n");
    buf_puts(&b, "\r\n");
    assert_int_equal(status_of(buf_cstr(&b)), 431);
    buf_reset(&b);
    buf_puts(&b, "GET /");
    buf_fill(&b, 'a', LIMIT_TARGET_BYTES);
    buf_puts(&b, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(buf_cstr(&b)), 414);
    buf_done(&b);
}

static void no_prefix_of_a_head_parses(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\n" HOST "A: b\r\n\r\n";

    UNUSED(state);
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct parsed p = request(text, len);

        assert_err(p.err, TACIT_FORMAT);
        free(p.mem);
    }
}

static void bit_flips_never_change_framing_silently(void **state)
{
    static const char text[] = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n";
    char copy[sizeof(text)];

    UNUSED(state);
    for (size_t bit = 0; bit < 8 * (sizeof(text) - 1); bit++) {
        struct parsed p;

        memcpy(copy, text, sizeof(text));
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << (bit % 8)));
        p = request(copy, sizeof(text) - 1);
        if (p.err != TACIT_OK)
            assert_true(p.no.status >= 400 && p.no.status < 600);
        else
            assert_true(p.q.framing == H1_BODY_LENGTH || p.q.framing == H1_BODY_NONE);
        free(p.mem);
    }
}

static void scan_finds_the_end_in_any_pieces(void **state)
{
    static const char text[] = "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\nBODY";

    UNUSED(state);
    for (size_t step = 1; step < sizeof(text); step++) {
        struct h1_scan s = {0};
        enum h1_scan_result r = H1_SCAN_MORE;

        for (size_t len = 0; len < sizeof(text) - 1 && r == H1_SCAN_MORE;) {
            len = len + step < sizeof(text) - 1 ? len + step : sizeof(text) - 1;
            r = h1_scan(&s, bytes_make(text, len));
        }
        assert_int_equal(r, H1_SCAN_DONE);
        assert_int_equal(s.skip, 2);
        assert_int_equal(s.len, 27);
        assert_int_equal(s.lines, 1);
    }
}

static enum h1_scan_result scan(const char *text)
{
    struct h1_scan s = {0};

    return h1_scan(&s, bytes_of(text));
}

static void scan_refuses_early(void **state)
{
    struct buf b = buf_make(1 << 20);
    struct h1_scan s = {0};

    UNUSED(state);
    assert_int_equal(scan("GET / HTTP/1.1\n"), H1_SCAN_BARE_LF);
    assert_int_equal(scan("\n"), H1_SCAN_BARE_LF);
    assert_int_equal(scan("\r\n\r\n"), H1_SCAN_BARE_LF);
    assert_int_equal(scan(""), H1_SCAN_MORE);
    assert_int_equal(scan("GET"), H1_SCAN_MORE);
    buf_fill(&b, 'a', LIMIT_TARGET_BYTES + 100);
    assert_int_equal(h1_scan(&s, buf_bytes(&b)), H1_SCAN_LONG_LINE);
    buf_reset(&b);
    buf_puts(&b, "GET / HTTP/1.1\r\nA: ");
    buf_fill(&b, 'a', LIMIT_HEAD_BYTES);
    s = (struct h1_scan){0};
    assert_int_equal(h1_scan(&s, buf_bytes(&b)), H1_SCAN_LONG_HEAD);
    buf_reset(&b);
    buf_puts(&b, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= LIMIT_HEADERS; i++)
        buf_puts(&b, "a:\r\n");
    s = (struct h1_scan){0};
    assert_int_equal(h1_scan(&s, buf_bytes(&b)), H1_SCAN_LONG_HEAD);
    buf_done(&b);
}

static void reads_replies(void **state)
{
    struct parsed p = reply("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n",
                            false);

    UNUSED(state);
    assert_ok(p.err);
    assert_int_equal(p.r.status, 200);
    assert_int_equal(p.r.framing, H1_BODY_CHUNKED);
    assert_int_equal(p.r.content_length, -1);
    assert_true(p.r.is_keep_alive);
    free(p.mem);
}

static void reply_is(const char *text, bool is_to_head, enum h1_framing framing, bool is_keep_alive)
{
    struct parsed p = reply(text, is_to_head);

    assert_ok(p.err);
    assert_int_equal(p.r.framing, framing);
    assert_int_equal(p.r.is_keep_alive, is_keep_alive);
    free(p.mem);
}

static void replies_follow_the_body_rules(void **state)
{
    UNUSED(state);
    reply_is("HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n", false, H1_BODY_LENGTH, true);
    reply_is("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", false, H1_BODY_NONE, true);
    reply_is("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, H1_BODY_NONE, true);
    reply_is("HTTP/1.1 204 No\r\n\r\n", false, H1_BODY_NONE, true);
    reply_is("HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", false, H1_BODY_NONE, true);
    reply_is("HTTP/1.1 100 C\r\n\r\n", false, H1_BODY_NONE, true);
    reply_is("HTTP/1.1 200 OK\r\n\r\n", false, H1_BODY_CLOSE, false);
    reply_is("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", false, H1_BODY_LENGTH, false);
    reply_is("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n", false,
             H1_BODY_LENGTH, false);
}

static void refuses_bad_replies(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 101 Switch\r\n\r\n",
        "HTTP/1.1 200 O\x01K\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "ICY 200 OK\r\n\r\n",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct parsed p = reply(bad[i], false);

        if (p.err == TACIT_OK)
            fail_msg("case %zu was taken", i);
        free(p.mem);
    }
}

/* Decodes with input cut into steps; the tail left over goes to *left. */
static enum tacit_err chunks(struct buf *out, const char *text, size_t step, size_t *left)
{
    struct h1_chunks c = {0};
    struct bytes all = bytes_of(text);
    size_t at = 0;

    while (at < all.len && !c.is_done) {
        struct bytes in = bytes_slice(all, at, step);
        size_t had = in.len;

        while (in.len > 0 && !c.is_done) {
            struct bytes data;
            enum tacit_err err = h1_chunks_next(&c, &in, &data);

            if (err != TACIT_OK)
                return err;
            buf_put(out, data);
        }
        at += had - in.len;
    }
    *left = all.len - at;
    return c.is_done ? TACIT_OK : TACIT_CLOSED;
}

static void decodes_chunks_in_any_pieces(void **state)
{
    static const char text[] =
        "4\r\nWiki\r\n1;a=\"b\\\" \";c;d=e\r\n!\r\n00A\r\n0123456789\r\n0\r\nT: x\r\n\r\nGET";

    UNUSED(state);
    for (size_t step = 1; step < sizeof(text); step++) {
        struct buf out = buf_make(100);
        size_t left = 0;

        assert_ok(chunks(&out, text, step, &left));
        assert_int_equal(left, 3);
        assert_true(bytes_eq_cstr(buf_bytes(&out), "Wiki!0123456789"));
        buf_done(&out);
    }
}

static void refuses_bad_chunks(void **state)
{
    static const char *const bad[] = {
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "0x4\r\n",
        " 4\r\n",
        "4 \r\n",
        "4\nWiki\r\n",
        "4\r\nWikiX",
        "4\r\nWiki\n",
        "4\r\nWiki\rX",
        "4;a\nb\r\n",
        "4;a\rb\r\n",
        "8000000000000000\r\n",
        "00000000000000001\r\n",
        "0\r\n X: folded\r\n\r\n",
        "0\r\nX\n\r\n",
        "0\r\n\rX",
        "0\r\nX: a\x01\r\n\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\n: a\r\n\r\n",
        "0\r\nX y: a\r\n\r\n",
        "0\r\nContent-Length: 3\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "4; x=y\r\n",
        "4;x =y\r\n",
        "4;x=\r\n",
        "4;=y\r\n",
        "4;x=\"a\"b\r\n",
        "4;x=\"a\r\n",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = buf_make(100);
        size_t left = 0;

        if (chunks(&out, bad[i], 1, &left) != TACIT_FORMAT)
            fail_msg("case %zu was not refused", i);
        buf_done(&out);
    }
}

static void limits_chunk_lines_and_trailers(void **state)
{
    struct buf text = buf_make(1 << 20);
    struct buf out = buf_make(1 << 20);
    size_t left = 0;

    UNUSED(state);
    buf_puts(&text, "4;");
    buf_fill(&text, 'x', 300);
    assert_err(chunks(&out, buf_cstr(&text), 7, &left), TACIT_FORMAT);
    buf_reset(&text);
    buf_puts(&text, "0\r\n");
    for (int i = 0; i < LIMIT_HEAD_BYTES; i++)
        buf_puts(&text, "a:\r\n");
    assert_err(chunks(&out, buf_cstr(&text), 999, &left), TACIT_LIMIT);
    buf_done(&text);
    buf_done(&out);
}

static void writers_refuse_injection(void **state)
{
    struct buf b = buf_make(1000);
    struct header bad_value = {BYTES_LIT("x"), BYTES_LIT("a\r\nset-cookie: b")};
    struct header bad_name = {BYTES_LIT("x:y"), BYTES_LIT("a")};
    struct header upper = {BYTES_LIT("X"), BYTES_LIT("a")};
    struct header good = {BYTES_LIT("x"), BYTES_LIT("a")};

    UNUSED(state);
    assert_err(h1_put_reply(&b, 200, &bad_value, 1), TACIT_FORMAT);
    assert_err(h1_put_reply(&b, 200, &bad_name, 1), TACIT_FORMAT);
    assert_err(h1_put_reply(&b, 200, &upper, 1), TACIT_FORMAT);
    assert_err(h1_put_reply(&b, 99, &good, 1), TACIT_FORMAT);
    assert_err(h1_put_request(&b, "GET", BYTES_LIT("/ HTTP/1.1\r\nX:"), &good, 1), TACIT_FORMAT);
    assert_err(h1_put_request(&b, "G T", BYTES_LIT("/"), &good, 1), TACIT_FORMAT);
    assert_int_equal(b.len, 0);
    assert_ok(h1_put_reply(&b, 200, &good, 1));
    assert_true(bytes_eq_cstr(buf_bytes(&b), "HTTP/1.1 200 OK\r\nx: a\r\n\r\n"));
    buf_reset(&b);
    assert_ok(h1_put_request(&b, "GET", BYTES_LIT("/a?b"), &good, 1));
    assert_true(bytes_eq_cstr(buf_bytes(&b), "GET /a?b HTTP/1.1\r\nx: a\r\n\r\n"));
    buf_done(&b);
}

static void chunks_written_are_chunks_read(void **state)
{
    struct buf b = buf_make(1000);
    struct buf out = buf_make(1000);
    size_t left = 1;

    UNUSED(state);
    h1_put_chunk(&b, BYTES_LIT("hello "));
    h1_put_chunk(&b, BYTES_LIT(""));
    h1_put_chunk(&b, BYTES_LIT("wide world, seventeen"));
    h1_put_last_chunk(&b);
    assert_ok(chunks(&out, buf_cstr(&b), 3, &left));
    assert_int_equal(left, 0);
    assert_true(bytes_eq_cstr(buf_bytes(&out), "hello wide world, seventeen"));
    buf_done(&b);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_request),
        cmocka_unit_test(takes_absolute_targets),
        cmocka_unit_test(refuses_what_smuggles),
        cmocka_unit_test(names_the_right_refusal),
        cmocka_unit_test(limits_fields_and_targets),
        cmocka_unit_test(no_prefix_of_a_head_parses),
        cmocka_unit_test(bit_flips_never_change_framing_silently),
        cmocka_unit_test(scan_finds_the_end_in_any_pieces),
        cmocka_unit_test(scan_refuses_early),
        cmocka_unit_test(reads_replies),
        cmocka_unit_test(replies_follow_the_body_rules),
        cmocka_unit_test(refuses_bad_replies),
        cmocka_unit_test(decodes_chunks_in_any_pieces),
        cmocka_unit_test(refuses_bad_chunks),
        cmocka_unit_test(limits_chunk_lines_and_trailers),
        cmocka_unit_test(writers_refuse_injection),
        cmocka_unit_test(chunks_written_are_chunks_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
