/* Claims about the gateway's configuration: what is wrong is named, tokens come from files only. */
#include "cmocka_all.h"

#include <unistd.h>

#include "base/file.h"
#include "gateway/conf.h"

struct place {
    char dir[32];
    char conf[48];
    char token[48];
};

static struct place place_make(const char *token)
{
    struct place p = {"/tmp/tacit-conf-XXXXXX", "", ""};

    assert_non_null(mkdtemp(p.dir));
    snprintf(p.conf, sizeof(p.conf), "%s/g.conf", p.dir);
    snprintf(p.token, sizeof(p.token), "%s/token", p.dir);
    assert_ok(file_write(p.token, bytes_of(token), 0600));
    return p;
}

static void place_done(const struct place *p)
{
    unlink(p->conf);
    unlink(p->token);
    rmdir(p->dir);
}

static enum tacit_err load(struct gateway_conf **c, const struct place *p, const char *head,
                           const char *node, char why[static CONF_MESSAGE_MAX])
{
    struct buf text = buf_make(4096);

    buf_putf(&text, "%s\n[node one]\n%s\ntoken_file = %s\n", head, node, p->token);
    assert_ok(file_write(p->conf, buf_bytes(&text), 0600));
    buf_done(&text);
    return gateway_conf_load(c, p->conf, why);
}

static void reads_a_whole_file(void **state)
{
    struct place p = place_make("0123456789abcdef-token\n");
    struct gateway_conf *c;
    char why[CONF_MESSAGE_MAX];

    UNUSED(state);
    assert_ok(load(&c, &p,
                   "[gateway]\nstate = /tmp/x\nlisten = 127.0.0.1:0\nadmin = 127.0.0.1:0\n"
                   "[tee]\nprovider = simulator\npath = /sim\n[trust]\nlease = 20s\ngpu = required",
                   "url = https://127.0.0.1:9\nmodel = pebble", why));
    assert_int_equal(c->node_count, 1);
    assert_string_equal(c->nodes[0].token, "0123456789abcdef-token");
    assert_string_equal(c->nodes[0].name, "one");
    assert_int_equal(c->nodes[0].parsed.addr.port, 9);
    assert_int_equal(c->tee.kind, TEE_SIMULATOR);
    assert_int_equal(c->lease_ms, 20000);
    assert_int_equal(c->gpu_demand, GATEWAY_GPU_REQUIRED);
    assert_int_equal(c->workers, 2);
    gateway_conf_free(c);
    place_done(&p);
}

static void asks_nvidias_services_unless_told_otherwise(void **state)
{
    static const struct {
        const char *trust, *rim, *ocsp;
    } cases[] = {
        {"", "https://rim.attestation.nvidia.com", "https://ocsp.ndis.nvidia.com/"},
        {"gpu_rims = /rims", NULL, NULL},
        {"gpu_rim_url = none\ngpu_ocsp_url = none", NULL, NULL},
        {"gpu_rims = /rims\ngpu_ocsp_url = http://127.0.0.1:9/", NULL, "http://127.0.0.1:9/"},
        {"gpu_rim_url = https://rims.example\ngpu_policy = /p.json", "https://rims.example",
         "https://ocsp.ndis.nvidia.com/"},
    };
    struct place p = place_make("0123456789abcdef");

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gateway_conf *c;
        char why[CONF_MESSAGE_MAX] = "";
        char head[256];

        snprintf(head, sizeof(head), "[gateway]\nstate = /x\n[trust]\n%s", cases[i].trust);
        assert_ok(load(&c, &p, head, "url = https://h:1\nmodel = m", why));
        assert_int_equal(c->gpu_rim_url == NULL, cases[i].rim == NULL);
        assert_int_equal(c->gpu_ocsp_url == NULL, cases[i].ocsp == NULL);
        if (cases[i].rim != NULL)
            assert_string_equal(c->gpu_rim_url, cases[i].rim);
        if (cases[i].ocsp != NULL)
            assert_string_equal(c->gpu_ocsp_url, cases[i].ocsp);
        gateway_conf_free(c);
    }
    place_done(&p);
}

static void names_what_is_wrong(void **state)
{
    static const struct {
        const char *head, *node, *named;
    } bad[] = {
        {"[gateway]\nstate = /x\nfoo = 1", "url = https://h:1\nmodel = m", "foo"},
        {"[gateway]\nlisten = 127.0.0.1:1", "url = https://h:1\nmodel = m", "state"},
        {"[gateway]\nstate = /x\nlisten = nowhere", "url = https://h:1\nmodel = m", "listen"},
        {"[gateway]\nstate = /x\nadmin = 0.0.0.0:1", "url = https://h:1\nmodel = m", "admin"},
        {"[gateway]\nstate = /x", "url = http://h:1\nmodel = m", "url"},
        {"[gateway]\nstate = /x", "url = https://h:1/v1\nmodel = m", "url"},
        {"[gateway]\nstate = /x", "url = https://h:1\nmodel = a:b", "model"},
        {"[gateway]\nstate = /x\n[tee]\nprovider = any", "url = https://h:1\nmodel = m",
         "provider"},
        {"[gateway]\nstate = /x\n[trust]\ngpu_rim_url = rim.example",
         "url = https://h:1\nmodel = m", "gpu_rim_url"},
        {"[gateway]\nstate = /x\n[trust]\ngpu_ocsp_url = ftp://o", "url = https://h:1\nmodel = m",
         "gpu_ocsp_url"},
        {"[gateway]\nstate = /x\n[trust]\ngpu_arch = HOPPER", "url = https://h:1\nmodel = m",
         "gpu_arch"},
        {"[gateway]\nstate = /x\n[trust]\nlease = 1ms", "url = https://h:1\nmodel = m", "lease"},
    };
    struct place p = place_make("0123456789abcdef");

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct gateway_conf *c;
        char why[CONF_MESSAGE_MAX] = "";

        assert_int_not_equal(load(&c, &p, bad[i].head, bad[i].node, why), TACIT_OK);
        assert_null(c);
        assert_non_null(strstr(why, bad[i].named));
    }
    place_done(&p);
}

static void refuses_weak_tokens_without_showing_them(void **state)
{
    static const char *const bad[] = {"", "short", "0123456789 abcdef", "0123456789abcd\x01zz"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct place p = place_make(bad[i]);
        struct gateway_conf *c;
        char why[CONF_MESSAGE_MAX] = "";

        assert_int_not_equal(
            load(&c, &p, "[gateway]\nstate = /x", "url = https://h:1\nmodel = m", why), TACIT_OK);
        assert_non_null(strstr(why, "token_file"));
        assert_true(bad[i][0] == 0 || strstr(why, bad[i]) == NULL);
        place_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_file),
        cmocka_unit_test(asks_nvidias_services_unless_told_otherwise),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(refuses_weak_tokens_without_showing_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
