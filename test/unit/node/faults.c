/* The node's pure parts when memory runs out: a configuration is whole or refused with a sentence,
 * a signature is the one that was kept or not found. */
#include "fault.h"

#include <unistd.h>

#include "base/file.h"
#include "node/conf.h"
#include "node/metrics.h"
#include "node/sign_cache.h"

struct place {
    char dir[32], conf[48], token[48];
};

static bool conf_once(void *ctx)
{
    struct place *p = ctx;
    char why[NODE_WHY_MAX] = "";
    struct node_conf c = {0};
    bool is_well = node_conf_load(&c, why, p->conf) == TACIT_OK;

    if (is_well) {
        assert_string_equal(c.model, "m");
        assert_int_equal(c.token_count, 1);
        assert_true(node_conf_has_token(&c, BYTES_LIT("0123456789abcdef-token")));
        assert_false(node_conf_has_token(&c, BYTES_LIT("")));
    } else {
        assert_true(why[0] != 0);
    }
    node_conf_done(&c);
    return is_well;
}

static void a_configuration_is_whole_or_refused(void **state)
{
    struct place p = {"/tmp/tacit-faults-XXXXXX", "", ""};
    struct buf text = buf_make(1024);

    UNUSED(state);
    assert_non_null(mkdtemp(p.dir));
    snprintf(p.conf, sizeof(p.conf), "%s/n.conf", p.dir);
    snprintf(p.token, sizeof(p.token), "%s/token", p.dir);
    buf_putf(&text,
             "[node]\nmodel = m\n[engine]\nkind = llama-server\nbinary = /e\nmodel_file = /m.gguf\n"
             "[token a]\nfile = %s\n",
             p.token);
    assert_ok(file_write(p.token, BYTES_LIT("0123456789abcdef-token\n"), 0600));
    assert_ok(file_write(p.conf, buf_bytes(&text), 0600));
    faults_run(conf_once, NULL, &p);
    buf_done(&text);
    unlink(p.conf);
    unlink(p.token);
    rmdir(p.dir);
}

static bool cache_once(void *ctx)
{
    struct sign_cache *c = sign_cache_new(4);
    bool is_well = c != NULL;

    UNUSED(ctx);
    for (unsigned i = 0; c != NULL && i < 8; i++) {
        struct sign_entry e = {.usage = {.completion_tokens = i}}, got;
        bool is_kept;

        snprintf(e.id, sizeof(e.id), "chat-%u", i);
        is_kept = sign_cache_put(c, &e, i) == TACIT_OK;
        is_well &= is_kept;
        assert_true(sign_cache_count(c) <= 4);
        if (sign_cache_get(c, &got, bytes_of(e.id), i) == TACIT_OK)
            assert_true(is_kept && got.usage.completion_tokens == i);
        else
            assert_false(is_kept);
    }
    sign_cache_free(c);
    return is_well;
}

static void a_signature_is_kept_or_it_is_said(void **state)
{
    UNUSED(state);
    faults_run(cache_once, NULL, NULL);
}

static bool metrics_once(void *ctx)
{
    static uint8_t mem[16384];
    static size_t len;
    struct node_metrics m = {0};
    const struct node_gauges gauges = {.outstanding = 3};
    struct buf out = buf_make(sizeof(mem));
    bool is_well;

    UNUSED(ctx);
    node_metrics_put(&out, &m, &gauges);
    is_well = !out.failed;
    if (is_well)
        same_as_first(buf_bytes(&out), mem, sizeof(mem), &len);
    buf_done(&out);
    return is_well;
}

static void metrics_are_whole_or_none(void **state)
{
    UNUSED(state);
    faults_run(metrics_once, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_is_whole_or_refused),
        cmocka_unit_test(a_signature_is_kept_or_it_is_said),
        cmocka_unit_test(metrics_are_whole_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
