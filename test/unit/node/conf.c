/* The node's configuration: what is taken, and that each mistake is named. */
#include "node/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/sha2.h"

#include "cmocka_all.h"

#define GOOD_NODE "[node]\nmodel = demo/pebble\n"
#define GOOD_ENGINE "[engine]\nkind = llama-server\nbinary = /e\nmodel_file = /m.gguf\n"
#define TOKEN "0123456789abcdef-token"

struct fixture {
    char dir[64], path[96], token_path[96];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/tacit-conf-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof(f->path), "%s/node.conf", f->dir);
    (void)snprintf(f->token_path, sizeof(f->token_path), "%s/token", f->dir);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    (void)unlink(f->path);
    (void)unlink(f->token_path);
    (void)rmdir(f->dir);
    free(f);
    return 0;
}

static enum tacit_err load(struct fixture *f, struct node_conf *c, char why[static NODE_WHY_MAX],
                           const char *text)
{
    assert_int_equal(file_write(f->path, bytes_of(text), 0600), TACIT_OK);
    return node_conf_load(c, why, f->path);
}

static void a_short_file_is_enough(void **state)
{
    static const char text[] = GOOD_NODE GOOD_ENGINE;
    char why[NODE_WHY_MAX];
    uint8_t digest[32];
    struct node_conf c;

    assert_int_equal(load(*state, &c, why, text), TACIT_OK);
    assert_string_equal(c.model, "demo/pebble");
    assert_string_equal(c.engine_model, "demo/pebble");
    assert_true(c.has_tls);
    assert_true(c.needs_events);
    assert_int_equal(c.tee.kind, TEE_AUTO);
    assert_int_equal(c.gpu.kind, GPUS_NONE);
    assert_int_equal(c.listen.port, 8444);
    sha256(digest, bytes_of(text));
    assert_memory_equal(c.digest, digest, 32);
    node_conf_done(&c);
}

static void tokens_are_known_by_file_and_by_digest(void **state)
{
    struct fixture *f = *state;
    char why[NODE_WHY_MAX], text[1024];
    struct node_conf c;

    assert_int_equal(file_write(f->token_path, BYTES_LIT(TOKEN "\n"), 0600), TACIT_OK);
    (void)snprintf(text, sizeof(text),
                   GOOD_NODE GOOD_ENGINE
                   "[token a]\nfile = %s\n[token b]\nsha256 = "
                   /* of "abc" */
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
                   f->token_path);
    assert_int_equal(load(f, &c, why, text), TACIT_OK);
    assert_true(node_conf_has_token(&c, BYTES_LIT(TOKEN)));
    assert_true(node_conf_has_token(&c, BYTES_LIT("abc")));
    assert_false(node_conf_has_token(&c, BYTES_LIT(TOKEN "x")));
    assert_false(node_conf_has_token(&c, BYTES_LIT("abd")));
    assert_false(node_conf_has_token(&c, BYTES_LIT("")));
    node_conf_done(&c);
    assert_false(node_conf_has_token(&c, BYTES_LIT("abc")));
}

static void without_tokens_nobody_is_known(void **state)
{
    char why[NODE_WHY_MAX];
    struct node_conf c;

    assert_int_equal(load(*state, &c, why, GOOD_NODE GOOD_ENGINE), TACIT_OK);
    assert_false(node_conf_has_token(&c, BYTES_LIT("")));
    assert_false(node_conf_has_token(&c, BYTES_LIT("abc")));
    node_conf_done(&c);
}

static void every_mistake_is_named(void **state)
{
    static const struct {
        const char *text, *named;
    } bad[] = {
        {"[engine]\nkind = external\nurl = unix:/e\n", "node"},
        {"[node]\nmodel = a:b\n" GOOD_ENGINE, "model"},
        {"[node]\nmodel = a b\n" GOOD_ENGINE, "model"},
        {"[node]\nmodel = a\nlisten = nowhere\n" GOOD_ENGINE, "listen"},
        {"[node]\nmodel = a\nlisten = unix:/s\nworkers = 2\n" GOOD_ENGINE, "workers"},
        {"[node]\nmodel = a\nworkers = 0\n" GOOD_ENGINE, "workers"},
        {GOOD_NODE "[engine]\nkind = llama-server\nmodel_file = /m\n", "binary"},
        {GOOD_NODE "[engine]\nkind = llama-server\nbinary = /b\n", "model_file"},
        {GOOD_NODE GOOD_ENGINE "url = unix:/e\n", "url"},
        {GOOD_NODE "[engine]\nkind = external\n", "url"},
        {GOOD_NODE "[engine]\nkind = external\nurl = ftp://x\n", "url"},
        {GOOD_NODE "[engine]\nkind = external\nurl = http://10.0.0.1:8000\n", "trusted_network"},
        {GOOD_NODE "[engine]\nkind = external\nurl = unix:/e\nbinary = /b\n", "binary"},
        {GOOD_NODE GOOD_ENGINE "[token a]\n", "token"},
        {GOOD_NODE GOOD_ENGINE "[token a]\nsha256 = 12\n", "sha256"},
        {GOOD_NODE GOOD_ENGINE "[token a]\nfile = /nonexistent\n", "file"},
        {GOOD_NODE GOOD_ENGINE "[tee]\nprovider = magic\n", "provider"},
        {GOOD_NODE GOOD_ENGINE "[gpu]\ncount = 9\n", "count"},
        {GOOD_NODE GOOD_ENGINE "[surprise]\nx = 1\n", "surprise"},
        {GOOD_NODE GOOD_ENGINE "surprise = 1\n", "surprise"},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char why[NODE_WHY_MAX] = "";
        struct node_conf c;

        if (load(*state, &c, why, bad[i].text) == TACIT_OK)
            fail_msg("accepted: %s", bad[i].text);
        if (strstr(why, bad[i].named) == NULL)
            fail_msg("'%s' does not name %s", why, bad[i].named);
        node_conf_done(&c);
    }
}

static void a_short_token_is_refused(void **state)
{
    struct fixture *f = *state;
    char why[NODE_WHY_MAX], text[512];
    struct node_conf c;

    assert_int_equal(file_write(f->token_path, BYTES_LIT("fifteen-letters"), 0600), TACIT_OK);
    (void)snprintf(text, sizeof(text), GOOD_NODE GOOD_ENGINE "[token a]\nfile = %s\n",
                   f->token_path);
    assert_int_equal(load(f, &c, why, text), TACIT_CONFIG);
    assert_null(strstr(why, "fifteen-letters"));
    node_conf_done(&c);
}

static void loopback_and_tls_engines_are_taken(void **state)
{
    static const char *const urls[] = {"unix:/run/e.sock", "http://127.0.0.1:8000",
                                       "http://[::1]:8000", "http://localhost:8000/base",
                                       "https://engine.example"};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        char why[NODE_WHY_MAX], text[256];
        struct node_conf c;

        (void)snprintf(text, sizeof(text), GOOD_NODE "[engine]\nkind = external\nurl = %s\n",
                       urls[i]);
        assert_int_equal(load(*state, &c, why, text), TACIT_OK);
        assert_int_equal(c.dialect, NODE_DIALECT_OPENAI);
        node_conf_done(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_short_file_is_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_are_known_by_file_and_by_digest, setup, teardown),
        cmocka_unit_test_setup_teardown(without_tokens_nobody_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(every_mistake_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_short_token_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(loopback_and_tls_engines_are_taken, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
