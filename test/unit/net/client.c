/* The streaming client against a server that answers with exact bytes: every framing, every way to
 * break, every time limit, reuse and replacement of connections, pins, pausing and cancelling. */
#include "net/client.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/spki.h"
#include "fakes/child.h"

#include "cmocka_all.h"

struct fixture {
    char dir[64], cert[96], key[96], socket_path[96];
    struct child plain, tls, unix_sock;
    uint8_t spki[32];
    struct loop *loop;
    struct timer *guard;
};

/* One exchange as a test sees it. */
struct probe {
    struct fixture *f;
    struct upstream *u;
    struct call *call;
    unsigned status;
    struct buf body;
    size_t body_len;
    enum tacit_err err;
    bool is_sent, has_ended, is_in_start;
    size_t pause_at, cancel_at; /* octets of body; 0: never */
    size_t pauses;
    struct timer *later;
    bool leaves_loop_running;
};

static void stop_late(void *ctx)
{
    struct fixture *f = ctx;

    loop_stop(f->loop);
    fail_msg("the call did not end");
}

static void on_head(struct call *c, const struct reply *r, void *ctx)
{
    struct probe *p = ctx;

    UNUSED(c);
    assert_false(p->is_in_start);
    p->status = r->status;
}

static void resume_later(void *ctx)
{
    struct probe *p = ctx;

    call_resume(p->call);
}

static void on_body(struct call *c, struct bytes chunk, void *ctx)
{
    struct probe *p = ctx;

    assert_true(chunk.len > 0);
    p->body_len += chunk.len;
    if (p->body.len < 1024)
        buf_put(&p->body, chunk);
    if (p->cancel_at != 0 && p->body_len >= p->cancel_at) {
        call_cancel(c);
        p->call = NULL;
        loop_stop(p->f->loop);
        return;
    }
    if (p->pause_at != 0 && p->body_len >= p->pause_at) {
        p->pause_at += p->pause_at;
        p->pauses++;
        call_pause(c);
        timer_start(p->later, 20, 0);
    }
}

static void on_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct probe *p = ctx;

    assert_ptr_equal(c, p->call);
    assert_false(p->is_in_start);
    assert_false(p->has_ended);
    p->has_ended = true;
    p->err = err;
    p->is_sent = sent;
    if (!p->leaves_loop_running)
        loop_stop(p->f->loop);
}

static const struct call_events events = {on_head, on_body, on_end};

static void make_cert(char *cert, char *key)
{
    char *const argv[] = {
        "openssl", "req",   "-x509",    "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes",  "-subj", "/CN=test", "-days",   "2",  "-out",     cert,
        "-keyout", key,     NULL};

    assert_int_equal(child_run(argv), 0);
}

static void start_server(struct child *c, char *a, char *b, char *d)
{
    char script[] = TEST_SOURCE_DIR "/fakes/raw_server.py";
    char *const argv[] = {"python3", script, a, b, d, NULL};

    assert_true(child_start(c, argv));
}

static int setup_group(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct buf pem = buf_make(8192);

    assert_non_null(f);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/tacit-client-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", f->dir);
    (void)snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
    (void)snprintf(f->socket_path, sizeof(f->socket_path), "%s/raw.sock", f->dir);
    make_cert(f->cert, f->key);
    start_server(&f->plain, NULL, NULL, NULL);
    start_server(&f->tls, "--tls", f->cert, f->key);
    start_server(&f->unix_sock, "--unix", f->socket_path, NULL);
    assert_int_equal(file_read(&pem, f->cert), TACIT_OK);
    assert_int_equal(spki_of_cert_pem(f->spki, buf_bytes(&pem)), TACIT_OK);
    buf_done(&pem);
    *state = f;
    return 0;
}

static int teardown_group(void **state)
{
    struct fixture *f = *state;
    char *const argv[] = {"rm", "-rf", f->dir, NULL};

    child_stop(&f->plain);
    child_stop(&f->tls);
    child_stop(&f->unix_sock);
    (void)child_run(argv);
    free(f);
    return 0;
}

static struct net_addr addr_of(const struct child *server)
{
    char text[64];
    struct net_addr addr;

    (void)snprintf(text, sizeof(text), "127.0.0.1:%.8s", server->first_line);
    assert_int_equal(addr_parse(&addr, bytes_of(text)), TACIT_OK);
    return addr;
}

static struct upstream_opts plain_opts(struct fixture *f)
{
    return (struct upstream_opts){.addr = addr_of(&f->plain)};
}

/* Starts one call; `run` waits for its end. */
static void begin(struct probe *p, const char *method, const char *target, struct bytes body)
{
    p->body = buf_make(1 << 20);
    p->is_in_start = true;
    p->call = call_start(p->u, method, bytes_of(target), NULL, 0, body, &events, p);
    p->is_in_start = false;
    assert_non_null(p->call);
}

/* loop_run may be called once for a loop: each step of a test has its own loop. */
static void open_loop(struct fixture *f)
{
    f->loop = loop_new();
    assert_non_null(f->loop);
    f->guard = timer_new(f->loop, stop_late, f);
    timer_start(f->guard, 20000, 0);
}

static void close_loop(struct fixture *f, struct upstream *u)
{
    upstream_free(u);
    timer_free(f->guard);
    loop_free(f->loop);
    f->loop = NULL;
}

/* One exchange on a fresh upstream, start to end. */
static struct probe exchange(struct fixture *f, const struct upstream_opts *opts,
                             const char *target, struct bytes body)
{
    struct probe p = {.f = f};

    open_loop(f);
    p.u = upstream_new(f->loop, opts);
    assert_non_null(p.u);
    begin(&p, body.len > 0 ? "POST" : "GET", target, body);
    loop_run(f->loop);
    assert_true(p.has_ended);
    close_loop(f, p.u);
    return p;
}

static void expect_body(struct probe *p, const char *body)
{
    assert_int_equal(p->err, TACIT_OK);
    assert_int_equal(p->status, 200);
    assert_true(bytes_eq_cstr(buf_bytes(&p->body), body));
    buf_done(&p->body);
}

static void expect_failure(struct fixture *f, const struct upstream_opts *opts, const char *target,
                           enum tacit_err err, bool sent)
{
    struct probe p = exchange(f, opts, target, (struct bytes){0});

    assert_int_equal(p.err, err);
    assert_int_equal(p.is_sent, sent);
    buf_done(&p.body);
}

static void reads_every_framing(void **state)
{
    static const char *const paths[] = {"/len",   "/chunked", "/close",
                                        "/split", "/interim", "/leftover"};
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct probe p = exchange(f, &opts, paths[i], (struct bytes){0});

        expect_body(&p, "hello");
    }
}

static void a_reply_without_body_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct probe p = exchange(f, &opts, "/nobody", (struct bytes){0});

    assert_int_equal(p.err, TACIT_OK);
    assert_int_equal(p.status, 204);
    assert_int_equal(p.body_len, 0);
}

static void a_unix_socket_works_as_tcp_does(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = {.addr.is_unix = true};
    struct probe p;

    (void)snprintf(opts.addr.host, sizeof(opts.addr.host), "%s", f->socket_path);
    p = exchange(f, &opts, "/chunked", (struct bytes){0});
    expect_body(&p, "hello");
}

static void a_name_is_resolved_and_each_address_tried(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct probe p;

    (void)snprintf(opts.addr.host, sizeof(opts.addr.host), "localhost");
    p = exchange(f, &opts, "/len", (struct bytes){0});
    expect_body(&p, "hello");
    (void)snprintf(opts.addr.host, sizeof(opts.addr.host), "no-such-name.invalid");
    expect_failure(f, &opts, "/len", TACIT_IO, false);
}

static void sends_a_large_body_whole(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct buf body = buf_make(8 << 20);
    struct probe p;

    buf_fill(&body, 'b', 3 << 20);
    p = exchange(f, &opts, "/slowread", buf_bytes(&body));
    expect_body(&p, "3145728");
    buf_done(&body);
}

static void an_answer_before_the_whole_body_is_taken(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct buf body = buf_make(16 << 20);
    struct probe p;

    buf_fill(&body, 'b', 12 << 20);
    p = exchange(f, &opts, "/early", buf_bytes(&body));
    assert_int_equal(p.err, TACIT_OK);
    assert_int_equal(p.status, 413);
    assert_true(bytes_eq_cstr(buf_bytes(&p.body), "big"));
    buf_done(&p.body);
    buf_done(&body);
}

static void broken_replies_are_named(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);

    expect_failure(f, &opts, "/bad", TACIT_FORMAT, true);
    expect_failure(f, &opts, "/badchunk", TACIT_FORMAT, true);
    expect_failure(f, &opts, "/half", TACIT_CLOSED, true);
    expect_failure(f, &opts, "/cut", TACIT_CLOSED, true);
    expect_failure(f, &opts, "/nothing", TACIT_CLOSED, true);
    expect_failure(f, &opts, "/longhead", TACIT_LIMIT, true);
}

static void nobody_listening_means_nothing_was_sent(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);

    opts.addr.port = 1;
    expect_failure(f, &opts, "/len", TACIT_IO, false);
    opts.addr.is_unix = true;
    (void)snprintf(opts.addr.host, sizeof(opts.addr.host), "/nonexistent.sock");
    expect_failure(f, &opts, "/len", TACIT_IO, false);
}

static void an_illegal_request_is_refused_before_anything_is_sent(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);

    expect_failure(f, &opts, "/a b", TACIT_USAGE, false);
    expect_failure(f, &opts, "/a\r\nx: y", TACIT_USAGE, false);
}

static void every_time_limit_ends_the_call(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);

    opts.first_byte_timeout_ms = 150;
    expect_failure(f, &opts, "/silent", TACIT_TIMEOUT, true);
    opts = plain_opts(f);
    opts.between_timeout_ms = 150;
    expect_failure(f, &opts, "/stall", TACIT_TIMEOUT, true);
    opts = plain_opts(f);
    opts.total_timeout_ms = 150;
    expect_failure(f, &opts, "/silent", TACIT_TIMEOUT, true);
    /* A plain server never answers a TLS hello. */
    opts = plain_opts(f);
    opts.connect_timeout_ms = 150;
    assert_int_equal(tls_client_new(&opts.tls, TLS_TRUST_PIN, f->spki), TACIT_OK);
    expect_failure(f, &opts, "/len", TACIT_TIMEOUT, false);
    tls_client_unref(opts.tls);
}

static void the_pinned_key_is_accepted_and_no_other(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = {.addr = addr_of(&f->tls)};
    uint8_t wrong[32];
    struct probe p;

    assert_int_equal(tls_client_new(&opts.tls, TLS_TRUST_PIN, f->spki), TACIT_OK);
    p = exchange(f, &opts, "/chunked", (struct bytes){0});
    expect_body(&p, "hello");
    p = exchange(f, &opts, "/big/16", (struct bytes){0});
    assert_int_equal(p.err, TACIT_OK);
    assert_int_equal(p.body_len, 16 * 65536);
    buf_done(&p.body);
    tls_client_unref(opts.tls);
    memcpy(wrong, f->spki, 32);
    wrong[0] ^= 1;
    assert_int_equal(tls_client_new(&opts.tls, TLS_TRUST_PIN, wrong), TACIT_OK);
    expect_failure(f, &opts, "/len", TACIT_MISMATCH, false);
    tls_client_unref(opts.tls);
    assert_int_equal(tls_client_new(&opts.tls, TLS_TRUST_SYSTEM, NULL), TACIT_OK);
    expect_failure(f, &opts, "/len", TACIT_IO, false);
    tls_client_unref(opts.tls);
}

static void a_large_body_goes_out_over_tls(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = {.addr = addr_of(&f->tls)};
    struct buf body = buf_make(8 << 20);
    struct probe p;

    buf_fill(&body, 'b', 3 << 20);
    assert_int_equal(tls_client_new(&opts.tls, TLS_TRUST_PIN, f->spki), TACIT_OK);
    p = exchange(f, &opts, "/slowread", buf_bytes(&body));
    expect_body(&p, "3145728");
    tls_client_unref(opts.tls);
    buf_done(&body);
}

/* Several calls one after another on one loop: on_end starts the next. */
struct chain {
    struct fixture *f;
    struct upstream *u;
    const char *const *targets;
    size_t count, next;
    struct buf seen; /* bodies, each with ';' */
    struct timer *gap;
    uint64_t gap_ms;
    enum tacit_err errs[8];
};

static void chain_body(struct call *c, struct bytes chunk, void *ctx)
{
    struct chain *chain = ctx;

    UNUSED(c);
    buf_put(&chain->seen, chunk);
}

static void chain_head(struct call *c, const struct reply *r, void *ctx)
{
    UNUSED(c);
    UNUSED(r);
    UNUSED(ctx);
}

static void chain_next(void *ctx);

static void chain_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct chain *chain = ctx;

    UNUSED(c);
    UNUSED(sent);
    chain->errs[chain->next - 1] = err;
    buf_putc(&chain->seen, ';');
    if (chain->gap_ms > 0)
        timer_start(chain->gap, chain->gap_ms, 0);
    else
        chain_next(chain);
}

static void chain_next(void *ctx)
{
    static const struct call_events chain_events = {chain_head, chain_body, chain_end};
    struct chain *chain = ctx;

    if (chain->next == chain->count) {
        loop_stop(chain->f->loop);
        return;
    }
    assert_non_null(call_start(chain->u, "GET", bytes_of(chain->targets[chain->next++]), NULL, 0,
                               (struct bytes){0}, &chain_events, chain));
}

static void run_chain(struct chain *chain, struct fixture *f, const struct upstream_opts *opts,
                      const char *const *targets, size_t count, uint64_t gap_ms)
{
    *chain = (struct chain){.f = f, .targets = targets, .count = count, .gap_ms = gap_ms};
    chain->seen = buf_make(4096);
    open_loop(f);
    chain->u = upstream_new(f->loop, opts);
    chain->gap = timer_new(f->loop, chain_next, chain);
    chain_next(chain);
    loop_run(f->loop);
    timer_free(chain->gap);
    close_loop(f, chain->u);
}

/* "N:M" replies: which connection, and how many requests it had. */
static void a_connection_is_used_again(void **state)
{
    static const char *const targets[] = {"/who", "/chunked", "/who"};
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct chain chain;
    struct bytes seen;
    size_t colon;

    run_chain(&chain, f, &opts, targets, 3, 0);
    seen = buf_bytes(&chain.seen);
    colon = bytes_find_byte(seen, ':');
    assert_true(bytes_ends_with(seen, BYTES_LIT(":3;")));
    assert_true(bytes_find(seen, BYTES_LIT(";hello;")) != SIZE_MAX);
    assert_true(bytes_eq(bytes_slice(seen, 0, colon),
                         bytes_slice(seen, bytes_find(seen, BYTES_LIT(";hello;")) + 7, colon)));
    buf_done(&chain.seen);
}

static void a_connection_with_bytes_left_over_is_not_used_again(void **state)
{
    static const char *const targets[] = {"/leftover", "/who"};
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct chain chain;

    run_chain(&chain, f, &opts, targets, 2, 0);
    assert_int_equal(chain.errs[1], TACIT_OK);
    assert_true(bytes_ends_with(buf_bytes(&chain.seen), BYTES_LIT(":1;")));
    buf_done(&chain.seen);
}

static void a_connection_that_the_peer_closed_is_replaced(void **state)
{
    static const char *const targets[] = {"/stale", "/who", "/once"};
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct chain chain;

    /* Closed while idle, or closed with our request under way: both are made good once. */
    run_chain(&chain, f, &opts, targets, 3, 0);
    assert_int_equal(chain.errs[0], TACIT_OK);
    assert_int_equal(chain.errs[1], TACIT_OK);
    assert_int_equal(chain.errs[2], TACIT_OK);
    assert_true(bytes_ends_with(buf_bytes(&chain.seen), BYTES_LIT(":1;fresh;")));
    buf_done(&chain.seen);
}

static void a_fresh_connection_is_not_replaced(void **state)
{
    static const char *const targets[] = {"/who", "/nothing"};
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct chain chain;

    /* /nothing closes the reused connection and then its one replacement. */
    run_chain(&chain, f, &opts, targets, 2, 0);
    assert_int_equal(chain.errs[1], TACIT_CLOSED);
    buf_done(&chain.seen);
}

static void an_idle_connection_is_closed_after_its_time(void **state)
{
    static const char *const targets[] = {"/who", "/who"};
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct chain chain;

    opts.idle_timeout_ms = 30;
    run_chain(&chain, f, &opts, targets, 2, 120);
    assert_true(bytes_ends_with(buf_bytes(&chain.seen), BYTES_LIT(":1;")));
    buf_done(&chain.seen);
}

static void a_tls_connection_is_used_again(void **state)
{
    static const char *const targets[] = {"/who", "/chunked", "/who"};
    struct fixture *f = *state;
    struct upstream_opts opts = {.addr = addr_of(&f->tls)};
    struct chain chain;

    assert_int_equal(tls_client_new(&opts.tls, TLS_TRUST_PIN, f->spki), TACIT_OK);
    run_chain(&chain, f, &opts, targets, 3, 0);
    assert_true(bytes_ends_with(buf_bytes(&chain.seen), BYTES_LIT(":3;")));
    tls_client_unref(opts.tls);
    buf_done(&chain.seen);
}

static void pause_test(struct fixture *f, const struct upstream_opts *opts)
{
    struct probe p = {.f = f, .pause_at = 100 * 1024};

    open_loop(f);
    p.u = upstream_new(f->loop, opts);
    p.later = timer_new(f->loop, resume_later, &p);
    begin(&p, "GET", "/big/64", (struct bytes){0});
    loop_run(f->loop);
    assert_int_equal(p.err, TACIT_OK);
    assert_int_equal(p.body_len, 64 * 65536);
    assert_true(p.pauses >= 5);
    timer_free(p.later);
    buf_done(&p.body);
    close_loop(f, p.u);
}

static void pausing_loses_no_byte(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);

    pause_test(f, &opts);
    opts = (struct upstream_opts){.addr = addr_of(&f->tls)};
    assert_int_equal(tls_client_new(&opts.tls, TLS_TRUST_PIN, f->spki), TACIT_OK);
    pause_test(f, &opts);
    tls_client_unref(opts.tls);
}

static void a_paused_call_does_not_time_out_between_bytes(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);

    opts.between_timeout_ms = 10; /* pauses last 20 */
    pause_test(f, &opts);
}

static void cancelling_inside_an_event_ends_everything(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct probe p = {.f = f, .cancel_at = 1};

    open_loop(f);
    p.u = upstream_new(f->loop, &opts);
    begin(&p, "GET", "/big/64", (struct bytes){0});
    loop_run(f->loop);
    assert_false(p.has_ended);
    buf_done(&p.body);
    close_loop(f, p.u);
}

static void cancelling_before_the_connection_stands_is_silent(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct probe p = {.f = f};

    (void)snprintf(opts.addr.host, sizeof(opts.addr.host), "localhost");
    open_loop(f);
    p.u = upstream_new(f->loop, &opts);
    begin(&p, "GET", "/len", (struct bytes){0});
    call_cancel(p.call);
    loop_stop(f->loop);
    loop_run(f->loop);
    assert_false(p.has_ended);
    close_loop(f, p.u);
}

static void freeing_the_upstream_ends_its_calls(void **state)
{
    struct fixture *f = *state;
    struct upstream_opts opts = plain_opts(f);
    struct probe p[3] = {{.f = f}, {.f = f}, {.f = f}};

    open_loop(f);
    p[0].u = p[1].u = p[2].u = upstream_new(f->loop, &opts);
    for (size_t i = 0; i < 3; i++) {
        p[i].leaves_loop_running = true;
        begin(&p[i], "GET", "/silent", (struct bytes){0});
    }
    upstream_free(p[0].u);
    for (size_t i = 0; i < 3; i++) {
        assert_true(p[i].has_ended);
        assert_int_equal(p[i].err, TACIT_CLOSED);
    }
    loop_stop(f->loop);
    loop_run(f->loop);
    close_loop(f, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_framing),
        cmocka_unit_test(a_reply_without_body_ends_at_once),
        cmocka_unit_test(a_unix_socket_works_as_tcp_does),
        cmocka_unit_test(a_name_is_resolved_and_each_address_tried),
        cmocka_unit_test(sends_a_large_body_whole),
        cmocka_unit_test(an_answer_before_the_whole_body_is_taken),
        cmocka_unit_test(broken_replies_are_named),
        cmocka_unit_test(nobody_listening_means_nothing_was_sent),
        cmocka_unit_test(an_illegal_request_is_refused_before_anything_is_sent),
        cmocka_unit_test(every_time_limit_ends_the_call),
        cmocka_unit_test(the_pinned_key_is_accepted_and_no_other),
        cmocka_unit_test(a_large_body_goes_out_over_tls),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(a_connection_with_bytes_left_over_is_not_used_again),
        cmocka_unit_test(a_connection_that_the_peer_closed_is_replaced),
        cmocka_unit_test(a_fresh_connection_is_not_replaced),
        cmocka_unit_test(an_idle_connection_is_closed_after_its_time),
        cmocka_unit_test(a_tls_connection_is_used_again),
        cmocka_unit_test(pausing_loses_no_byte),
        cmocka_unit_test(a_paused_call_does_not_time_out_between_bytes),
        cmocka_unit_test(cancelling_inside_an_event_ends_everything),
        cmocka_unit_test(cancelling_before_the_connection_stands_is_silent),
        cmocka_unit_test(freeing_the_upstream_ends_its_calls),
    };

    return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
