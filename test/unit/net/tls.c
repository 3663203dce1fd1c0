/* Claims about the TLS engine: 1.3 with the pinned key and nothing else, any cut of the bytes is
 * fine, every flipped bit is noticed, and endings are told apart. */
#include "cmocka_all.h"

#include <unistd.h>

#include "base/file.h"
#include "net/tls_priv.h"

struct pems {
    struct buf cert, key, other_cert, other_key;
};

static struct pems pems_read(void)
{
    struct pems p = {buf_make(1 << 16), buf_make(1 << 16), buf_make(1 << 16), buf_make(1 << 16)};

    assert_ok(file_read(&p.cert, TEST_DATA_DIR "/net/server.cert.pem"));
    assert_ok(file_read(&p.key, TEST_DATA_DIR "/net/server.key.pem"));
    assert_ok(file_read(&p.other_cert, TEST_DATA_DIR "/net/other.cert.pem"));
    assert_ok(file_read(&p.other_key, TEST_DATA_DIR "/net/other.key.pem"));
    return p;
}

static void pems_done(struct pems *p)
{
    buf_done(&p->cert);
    buf_done(&p->key);
    buf_done(&p->other_cert);
    buf_done(&p->other_key);
}

/* A server and a client over memory. */
struct pair {
    struct tls_server *server;
    struct tls_client *client;
    struct tls_conn *s, *c;
};

static struct pair pair_make(enum tls_trust trust, bool is_pin_right)
{
    struct pems p = pems_read();
    struct pair pair = {0};
    uint8_t pin[32];

    assert_ok(tls_server_new(&pair.server, buf_bytes(&p.cert), buf_bytes(&p.key)));
    tls_server_spki(pair.server, pin);
    pin[31] = (uint8_t)(pin[31] ^ !is_pin_right);
    assert_ok(tls_client_new(&pair.client, trust, pin));
    pair.s = tls_conn_server(pair.server);
    pair.c = tls_conn_client(pair.client, "localhost");
    assert_non_null(pair.s);
    assert_non_null(pair.c);
    pems_done(&p);
    return pair;
}

static void pair_done(struct pair *p)
{
    tls_conn_free(p->s);
    tls_conn_free(p->c);
    tls_server_unref(p->server);
    tls_client_unref(p->client);
}

/* Moves what is pending, `step` octets at a time at most. */
static size_t move(struct tls_conn *to, struct tls_conn *from, size_t step)
{
    uint8_t piece[512];
    size_t n = tls_conn_take(from, piece, step < sizeof(piece) ? step : sizeof(piece));

    assert_ok(tls_conn_feed(to, (struct bytes){piece, n}));
    return n;
}

/* Both results once neither side has anything left to say. */
static void shake(struct pair *p, size_t step, enum tacit_err *s, enum tacit_err *c)
{
    size_t moved = 1;

    *s = TACIT_BUSY;
    *c = tls_conn_handshake(p->c);
    while (moved > 0) {
        moved = move(p->s, p->c, step);
        if (*s == TACIT_BUSY)
            *s = tls_conn_handshake(p->s);
        moved += move(p->c, p->s, step);
        if (*c == TACIT_BUSY)
            *c = tls_conn_handshake(p->c);
    }
}

static void pinned_peers_talk_in_any_pieces(void **state)
{
    static const size_t steps[] = {1, 7, 100, 512};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct pair p = pair_make(TLS_TRUST_PIN, true);
        enum tacit_err s;
        enum tacit_err c;
        uint8_t out[64];
        size_t got;

        shake(&p, steps[i], &s, &c);
        assert_ok(s);
        assert_ok(c);
        assert_false(tls_conn_is_h2(p.s));
        assert_err(tls_conn_read(p.s, out, sizeof(out), &got), TACIT_BUSY);
        assert_ok(tls_conn_write(p.c, BYTES_LIT("hello")));
        while (move(p.s, p.c, steps[i]) > 0)
            ;
        assert_ok(tls_conn_read(p.s, out, sizeof(out), &got));
        assert_int_equal(got, 5);
        assert_memory_equal(out, "hello", 5);
        tls_conn_shutdown(p.s);
        assert_err(tls_conn_write(p.s, BYTES_LIT("x")), TACIT_STATE);
        while (move(p.c, p.s, steps[i]) > 0)
            ;
        assert_err(tls_conn_read(p.c, out, sizeof(out), &got), TACIT_CLOSED);
        pair_done(&p);
    }
}

static void a_wrong_pin_is_a_mismatch(void **state)
{
    struct pair p = pair_make(TLS_TRUST_PIN, false);
    enum tacit_err s;
    enum tacit_err c;

    UNUSED(state);
    shake(&p, 512, &s, &c);
    assert_err(c, TACIT_MISMATCH);
    assert_err(s, TACIT_CLOSED);
    pair_done(&p);
}

static void system_trust_refuses_the_self_signed(void **state)
{
    struct pair p = pair_make(TLS_TRUST_SYSTEM, true);
    enum tacit_err s;
    enum tacit_err c;

    UNUSED(state);
    shake(&p, 512, &s, &c);
    assert_err(c, TACIT_UNTRUSTED);
    pair_done(&p);
}

static void a_flipped_bit_is_noticed(void **state)
{
    UNUSED(state);
    for (size_t at = 0; at < 30; at++) {
        struct pair p = pair_make(TLS_TRUST_PIN, true);
        enum tacit_err s;
        enum tacit_err c;
        enum tacit_err err;
        uint8_t cipher[256];
        uint8_t out[64];
        size_t got;
        size_t len;

        shake(&p, 512, &s, &c);
        assert_ok(tls_conn_write(p.c, BYTES_LIT("hello")));
        len = tls_conn_take(p.c, cipher, sizeof(cipher));
        if (at < len)
            cipher[at] ^= 4;
        assert_ok(tls_conn_feed(p.s, (struct bytes){cipher, len}));
        err = tls_conn_read(p.s, out, sizeof(out), &got);
        if (at < len)
            assert_true(err == TACIT_FORMAT || err == TACIT_BUSY || err == TACIT_UNSUPPORTED);
        assert_true(at >= len || got == 0);
        pair_done(&p);
    }
}

static enum tacit_err server_fed(const char *text)
{
    struct pair p = pair_make(TLS_TRUST_PIN, true);
    enum tacit_err err;

    assert_ok(tls_conn_feed(p.s, bytes_of(text)));
    err = tls_conn_handshake(p.s);
    if (err != TACIT_BUSY)
        assert_err(tls_conn_handshake(p.s), TACIT_STATE);
    pair_done(&p);
    return err;
}

static void garbage_is_not_tls(void **state)
{
    UNUSED(state);
    assert_err(server_fed("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), TACIT_FORMAT);
    assert_err(server_fed("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), TACIT_FORMAT);
    assert_err(server_fed("\x16\x03\x01"), TACIT_BUSY);
}

static void bad_material_is_refused(void **state)
{
    struct pems p = pems_read();
    struct tls_server *tls = NULL;

    UNUSED(state);
    assert_err(tls_server_new(&tls, buf_bytes(&p.cert), buf_bytes(&p.other_key)), TACIT_MISMATCH);
    assert_null(tls);
    assert_err(tls_server_new(&tls, buf_bytes(&p.key), buf_bytes(&p.key)), TACIT_FORMAT);
    assert_err(tls_server_new(&tls, buf_bytes(&p.cert), buf_bytes(&p.cert)), TACIT_FORMAT);
    assert_err(tls_server_new(&tls, BYTES_LIT(""), buf_bytes(&p.key)), TACIT_FORMAT);
    buf_puts(&p.cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_err(tls_server_new(&tls, buf_bytes(&p.cert), buf_bytes(&p.key)), TACIT_FORMAT);
    pems_done(&p);
}

static void keys_have_their_own_spki(void **state)
{
    struct pems p = pems_read();
    struct tls_server *a = NULL;
    struct tls_server *b = NULL;
    uint8_t spki_a[32];
    uint8_t spki_b[32];

    UNUSED(state);
    assert_ok(tls_server_new(&a, buf_bytes(&p.cert), buf_bytes(&p.key)));
    assert_ok(tls_server_new(&b, buf_bytes(&p.other_cert), buf_bytes(&p.other_key)));
    tls_server_spki(a, spki_a);
    tls_server_spki(b, spki_b);
    assert_memory_not_equal(spki_a, spki_b, 32);
    tls_server_unref(tls_server_ref(a));
    tls_server_unref(a);
    tls_server_unref(b);
    tls_server_unref(NULL);
    tls_client_unref(NULL);
    tls_conn_free(NULL);
    pems_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pinned_peers_talk_in_any_pieces),
        cmocka_unit_test(a_wrong_pin_is_a_mismatch),
        cmocka_unit_test(system_trust_refuses_the_self_signed),
        cmocka_unit_test(a_flipped_bit_is_noticed),
        cmocka_unit_test(garbage_is_not_tls),
        cmocka_unit_test(bad_material_is_refused),
        cmocka_unit_test(keys_have_their_own_spki),
    };

    alarm(120);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
