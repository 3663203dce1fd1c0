/* The gateway's pure parts when memory runs out: a configuration is whole or refused with a
 * sentence, and a key that was not revoked is never lost, nor one that was revoked let in. */
#include "fault.h"

#include <unistd.h>

#include "base/file.h"
#include "gateway/conf.h"
#include "gateway/keys.h"

struct place {
    char dir[32], conf[48], token[48], db[48];
};

static struct place place_make(void)
{
    struct place p = {"/tmp/tacit-faults-XXXXXX", "", "", ""};

    assert_non_null(mkdtemp(p.dir));
    snprintf(p.conf, sizeof(p.conf), "%s/g.conf", p.dir);
    snprintf(p.token, sizeof(p.token), "%s/token", p.dir);
    snprintf(p.db, sizeof(p.db), "%s/s.db", p.dir);
    return p;
}

static void place_done(const struct place *p)
{
    static const char *const names[] = {"g.conf", "token", "s.db", "s.db-wal", "s.db-shm"};
    char path[64];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", p->dir, names[i]);
        unlink(path);
    }
    rmdir(p->dir);
}

static bool conf_once(void *ctx)
{
    struct place *p = ctx;
    char why[CONF_MESSAGE_MAX] = "";
    struct gateway_conf *c = NULL;
    bool is_well = gateway_conf_load(&c, p->conf, why) == TACIT_OK;

    assert_true(is_well == (c != NULL));
    if (is_well) {
        assert_int_equal(c->node_count, 2);
        assert_string_equal(c->nodes[1].token, "0123456789abcdef-token");
        assert_string_equal(c->nodes[1].name, "two");
    }
    gateway_conf_free(c);
    return is_well;
}

static void a_configuration_is_whole_or_refused(void **state)
{
    struct place p = place_make();
    struct buf text = buf_make(1024);

    UNUSED(state);
    buf_puts(&text, "[gateway]\nstate = /tmp/x\n");
    for (int i = 0; i < 2; i++)
        buf_putf(&text, "[node %s]\nurl = https://127.0.0.1:9\nmodel = m\ntoken_file = %s\n",
                 i == 0 ? "one" : "two", p.token);
    assert_ok(file_write(p.token, BYTES_LIT("0123456789abcdef-token\n"), 0600));
    assert_ok(file_write(p.conf, buf_bytes(&text), 0600));
    faults_run(conf_once, NULL, &p);
    buf_done(&text);
    place_done(&p);
}

struct bench {
    struct store *store;
    char good[STORE_KEY_TEXT_LEN + 1], bad[STORE_KEY_TEXT_LEN + 1];
};

static int check(struct keys *k, const char *key)
{
    char header[64];
    struct store_key found;

    snprintf(header, sizeof(header), "Bearer %s", key);
    return (int)keys_check(k, &found, bytes_of(header), 500);
}

static bool keys_once(void *ctx)
{
    struct bench *b = ctx;
    struct keys *k = keys_new(b->store);
    struct store_key made;
    char text[STORE_KEY_TEXT_LEN + 1];
    bool is_well = k != NULL;

    if (k == NULL)
        return false;
    assert_int_equal(check(k, b->good), KEY_FINE);
    assert_int_equal(check(k, b->bad), KEY_INVALID);
    is_well = store_key_create(b->store, &made, text, "more", 100, 0) == TACIT_OK;
    if (keys_refresh(k) != TACIT_OK)
        is_well = false;
    else if (is_well)
        assert_int_equal(check(k, text), KEY_FINE);
    assert_int_equal(check(k, b->good), KEY_FINE);
    assert_int_equal(check(k, b->bad), KEY_INVALID);
    keys_free(k);
    return is_well;
}

static void keys_are_all_there_or_as_before(void **state)
{
    struct place p = place_make();
    struct bench b;
    struct store_key key;
    char why[256];

    UNUSED(state);
    assert_ok(store_open(&b.store, p.db, why));
    assert_ok(store_key_create(b.store, &key, b.bad, "bad", 100, 0));
    assert_ok(store_key_revoke(b.store, key.id, 200));
    assert_ok(store_key_create(b.store, &key, b.good, "good", 100, 0));
    faults_run(keys_once, NULL, &b);
    store_close(b.store);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_is_whole_or_refused),
        cmocka_unit_test(keys_are_all_there_or_as_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
