/* Claims about dstack's agents, present and old, with one played on a socket. */
#include "cmocka_all.h"

#include "base/bytes.h"
#include "fake_server.h"
#include "tee/tee.h"

enum framing { LENGTH, CHUNKED, CLOSE, CUT, GARBAGE, OVERSIZE, BARE_LF };

struct agent {
    bool is_old;
    enum framing framing;
    unsigned status;    /* instead of 200, for everything but /Info */
    bool is_other_data; /* quotes over something else */
    bool is_log_array;  /* event_log as an array instead of text */
    bool has_no_events; /* /EmitEvent is gone */
    unsigned quotes, events;
    char last[512]; /* target and body of the last request */
};

static size_t request_receive(int fd, char *text, size_t cap)
{
    size_t have = 0;

    text[0] = 0;
    while (have + 1 < cap) {
        ssize_t n = recv(fd, text + have, cap - 1 - have, 0);
        const char *body, *length;

        if (n <= 0)
            return 0;
        have += (size_t)n;
        text[have] = 0;
        body = strstr(text, "\r\n\r\n");
        length = strstr(text, "content-length: ");
        if (body != NULL && length != NULL && strlen(body + 4) == strtoul(length + 16, NULL, 10))
            return have;
    }
    return 0;
}

static void reply_send(int fd, const struct agent *a, unsigned status, const char *json)
{
    struct buf out = buf_make(1 << 20);
    size_t len = strlen(json);

    buf_putf(&out, "HTTP/1.1 %u X\r\ncontent-type: application/json\r\n", status);
    switch (a->framing) {
    case LENGTH:
        buf_putf(&out, "content-length: %zu\r\n\r\n%s", len, json);
        break;
    case CUT:
        buf_putf(&out, "content-length: %zu\r\n\r\n%s", len + 1, json);
        break;
    case CHUNKED:
        buf_puts(&out, "transfer-encoding: chunked\r\n\r\n");
        for (size_t i = 0; i < len; i += 7)
            buf_putf(&out, "%zx\r\n%.7s\r\n", len - i < 7 ? len - i : 7, json + i);
        buf_puts(&out, "0\r\n\r\n");
        break;
    case CLOSE:
        buf_putf(&out, "connection: close\r\n\r\n%s", json);
        break;
    case OVERSIZE:
        buf_puts(&out, "content-length: 99999999\r\n\r\n");
        break;
    case GARBAGE:
        buf_reset(&out);
        buf_puts(&out, "SSH-2.0-x\r\n\r\n");
        break;
    case BARE_LF:
        buf_reset(&out);
        buf_puts(&out, "HTTP/1.1 200 OK\n\n");
        break;
    }
    fake_send(fd, out.ptr, out.len);
    buf_done(&out);
}

/* The hex digits behind "report_data":". */
static void report_data_of(uint8_t out[static 64], const char *body)
{
    const char *hex = strstr(body, "\"report_data\":\"");

    memset(out, 0, 64);
    for (size_t i = 0; hex != NULL && i < 64; i++) {
        unsigned value = 0;

        for (size_t k = 0; k < 2; k++) {
            char c = hex[15 + 2 * i + k];

            value = value * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        out[i] = (uint8_t)value;
    }
}

static void quote_reply(int fd, struct agent *a, const char *body)
{
    uint8_t quote[FAKE_QUOTE_LEN];
    uint8_t data[64];
    struct buf json = buf_make(1 << 20);

    report_data_of(data, body);
    data[0] ^= a->is_other_data;
    fake_quote(quote, data);
    buf_puts(&json, "{\"quote\":\"");
    buf_hex(&json, BYTES_ARRAY(quote));
    buf_puts(&json, a->is_log_array ? "\",\"event_log\":[{\"imr\":3}]}"
                                    : "\",\"event_log\":\"[{\\\"imr\\\":3}]\"}");
    a->quotes++;
    reply_send(fd, a, a->status, buf_cstr(&json));
    buf_done(&json);
}

static const char key_hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

static void route(int fd, struct agent *a, const char *target, const char *body)
{
    char json[256];

    if (strcmp(target, a->is_old ? "/prpc/Tappd.TdxQuote" : "/GetQuote") == 0) {
        quote_reply(fd, a, body);
    } else if (strcmp(target, a->is_old ? "/prpc/Tappd.Info" : "/Info") == 0) {
        reply_send(fd, a, 200, "{\"app_id\":\"aa\",\"tcb_info\":\"{}\"}");
    } else if (!a->is_old && !a->has_no_events && strcmp(target, "/EmitEvent") == 0) {
        a->events++;
        reply_send(fd, a, a->status, "");
    } else if (strcmp(target, a->is_old ? "/prpc/Tappd.DeriveK256Key" : "/GetKey") == 0) {
        snprintf(json, sizeof(json), "{\"%s\":\"%s\",\"x\":[]}", a->is_old ? "k256_key" : "key",
                 key_hex);
        reply_send(fd, a, a->status, json);
    } else {
        reply_send(fd, a, 404, "{\"error\":\"no\"}");
    }
}

static void serve(int fd, void *ctx)
{
    struct agent *a = ctx;
    char text[8192];
    char *target, *end, *body;

    if (request_receive(fd, text, sizeof(text)) == 0)
        return;
    target = strchr(text, ' ') + 1;
    end = strchr(target, ' ');
    body = strstr(text, "\r\n\r\n") + 4;
    *end = 0;
    snprintf(a->last, sizeof(a->last), "%.100s %.400s", target, body);
    route(fd, a, target, body);
}

struct world {
    struct agent agent;
    struct fake_server server;
    struct tee *tee;
};

static void world_open(struct world *w, bool is_old)
{
    struct tee_opts opts = {.kind = TEE_DSTACK};
    char why[256];

    *w = (struct world){.agent = {.is_old = is_old, .status = 200}};
    fake_server_start(&w->server, serve, &w->agent);
    opts.path = w->server.path;
    assert_ok(tee_open(&w->tee, &opts, why));
}

static void world_close(struct world *w)
{
    tee_close(w->tee);
    fake_server_stop(&w->server);
}

static const uint8_t data[64] = {0xab, 2, 3};

static void both_forms_give_quotes_in_every_framing(void **state)
{
    static const enum framing framings[] = {LENGTH, CHUNKED, CLOSE};

    UNUSED(state);
    for (int old = 0; old < 2; old++)
        for (size_t i = 0; i < ARRAY_LEN(framings); i++) {
            struct buf quote = buf_make(1 << 16);
            struct buf log = buf_make(1 << 16);
            struct world w;

            world_open(&w, old == 1);
            w.agent.framing = framings[i];
            w.agent.is_log_array = i == 1;
            assert_string_equal(tee_name(w.tee), old == 1 ? "dstack (tappd)" : "dstack");
            fake_interrupts(300);
            assert_ok(tee_quote(w.tee, &quote, data));
            fake_interrupts(0);
            assert_int_equal(quote.len, FAKE_QUOTE_LEN);
            assert_memory_equal(quote.ptr + 48 + 520, data, 64);
            assert_ok(tee_event_log(w.tee, &log));
            assert_string_equal(buf_cstr(&log), "[{\"imr\":3}]");
            assert_int_equal(w.agent.quotes, 1);
            buf_done(&quote);
            buf_done(&log);
            world_close(&w);
        }
}

static void the_old_form_is_asked_for_raw_report_data(void **state)
{
    struct buf quote = buf_make(1 << 16);
    struct world w;

    UNUSED(state);
    world_open(&w, true);
    assert_ok(tee_quote(w.tee, &quote, data));
    assert_non_null(strstr(w.agent.last, "/prpc/Tappd.TdxQuote {\"report_data\":\"ab0203"));
    assert_non_null(strstr(w.agent.last, "\"hash_algorithm\":\"raw\""));
    buf_done(&quote);
    world_close(&w);
}

static void keys_and_info_come_from_both_forms(void **state)
{
    UNUSED(state);
    for (int old = 0; old < 2; old++) {
        struct buf info = buf_make(1 << 16);
        uint8_t key[32];
        struct world w;

        world_open(&w, old == 1);
        assert_ok(tee_key(w.tee, key, "a\"b/key", "signing"));
        for (size_t i = 0; i < 32; i++)
            assert_int_equal(key[i], i);
        assert_non_null(strstr(w.agent.last, "{\"path\":\"a\\\"b/key\",\"purpose\":\"signing\""));
        assert_ok(tee_info(w.tee, &info));
        assert_string_equal(buf_cstr(&info), "{\"app_id\":\"aa\",\"tcb_info\":\"{}\"}");
        buf_done(&info);
        world_close(&w);
    }
}

static void an_event_makes_the_log_be_fetched_again(void **state)
{
    struct buf out = buf_make(1 << 16);
    struct world w;

    UNUSED(state);
    world_open(&w, false);
    assert_ok(tee_quote(w.tee, &out, data));
    assert_ok(tee_event(w.tee, "model", BYTES_LIT("\x01\x02")));
    assert_string_equal(w.agent.last, "/EmitEvent {\"event\":\"model\",\"payload\":\"0102\"}");
    assert_ok(tee_event_log(w.tee, &out));
    assert_int_equal(w.agent.quotes, 2);
    assert_int_not_equal(tee_event(w.tee, "a:b", BYTES_LIT("")), TACIT_OK);
    assert_int_equal(w.agent.events, 1);
    w.agent.has_no_events = true;
    assert_err(tee_event(w.tee, "model", BYTES_LIT("")), TACIT_UNSUPPORTED);
    buf_done(&out);
    world_close(&w);
    world_open(&w, true);
    assert_err(tee_event(w.tee, "model", BYTES_LIT("")), TACIT_UNSUPPORTED);
    world_close(&w);
}

static void a_bad_reply_gives_nothing(void **state)
{
    static const struct {
        enum framing framing;
        unsigned status;
        bool is_other_data;
        enum tacit_err err;
    } cases[] = {
        {LENGTH, 500, false, TACIT_IO},          {LENGTH, 503, false, TACIT_BUSY},
        {LENGTH, 404, false, TACIT_UNSUPPORTED}, {LENGTH, 200, true, TACIT_MISMATCH},
        {CUT, 200, false, TACIT_CLOSED},         {GARBAGE, 200, false, TACIT_FORMAT},
        {BARE_LF, 200, false, TACIT_FORMAT},     {OVERSIZE, 200, false, TACIT_LIMIT},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf quote = buf_make(1 << 16);
        struct world w;

        world_open(&w, false);
        w.agent.framing = cases[i].framing;
        w.agent.status = cases[i].status;
        w.agent.is_other_data = cases[i].is_other_data;
        assert_err(tee_quote(w.tee, &quote, data), cases[i].err);
        assert_int_equal(quote.len, 0);
        buf_done(&quote);
        world_close(&w);
    }
}

static void a_failed_key_leaves_zeros(void **state)
{
    static const uint8_t zeros[32];
    uint8_t key[32];
    struct world w;

    UNUSED(state);
    world_open(&w, false);
    w.agent.status = 500;
    memset(key, 1, sizeof(key));
    assert_err(tee_key(w.tee, key, "p", "s"), TACIT_IO);
    assert_memory_equal(key, zeros, 32);
    world_close(&w);
}

static void an_absent_agent_is_named(void **state)
{
    struct tee_opts opts = {.kind = TEE_DSTACK, .path = "/nowhere/dstack.sock"};
    struct tee *tee = NULL;
    char why[256];

    UNUSED(state);
    assert_err(tee_open(&tee, &opts, why), TACIT_NOT_FOUND);
    assert_non_null(strstr(why, "/nowhere/dstack.sock"));
}

/* Test machines are no confidential guests; where one is, this has nothing to say. */
static void detection_says_what_it_looked_for(void **state)
{
    struct tee_opts opts = {.kind = TEE_AUTO};
    struct tee *tee = NULL;
    char why[256];

    UNUSED(state);
    if (tee_open(&tee, &opts, why) == TACIT_OK) {
        print_message("skipped: this machine is a confidential guest\n");
        tee_close(tee);
        skip();
    }
    assert_non_null(strstr(why, "dstack"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_give_quotes_in_every_framing),
        cmocka_unit_test(the_old_form_is_asked_for_raw_report_data),
        cmocka_unit_test(keys_and_info_come_from_both_forms),
        cmocka_unit_test(an_event_makes_the_log_be_fetched_again),
        cmocka_unit_test(a_bad_reply_gives_nothing),
        cmocka_unit_test(a_failed_key_leaves_zeros),
        cmocka_unit_test(an_absent_agent_is_named),
        cmocka_unit_test(detection_says_what_it_looked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
