/* Claims about the NVML collector, against a fake library: it collects only from production
 * confidential machines, says precisely why not, and never hands on evidence for another nonce. */
#include "cmocka_all.h"

#include <unistd.h>

#include "tee/gpu_priv.h"

enum { PATIENCE_MS = 3000, DOC_MAX = 256 * 1024 };

static const uint8_t nonce[32] = {9, 8, 7};

static enum tacit_err open_fake(struct gpus *g, const char *mode, unsigned patience_ms,
                                char why[static 256])
{
    struct gpus_opts opts = {.kind = GPUS_NVML, .path = FAKE_NVML};

    memset(g, 0, sizeof(*g));
    why[0] = 0;
    setenv("TACIT_FAKE_NVML", mode, 1);
    return gpus_nvml_open_within(g, &opts, patience_ms, why);
}

static void opening_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *mode;
        enum tacit_err err;
        const char *says;
    } cases[] = {
        {"no-driver", TACIT_NOT_FOUND, "driver is not loaded"},
        {"no-gpu", TACIT_NOT_FOUND, "sees no GPU"},
        {"many-gpus", TACIT_LIMIT, "100 GPUs"},
        {"cc-off", TACIT_POLICY, "confidential computing is off"},
        {"cc-unsupported", TACIT_POLICY, "does not support confidential computing"},
        {"state-unknown", TACIT_IO, "confidential computing state"},
        {"simulation", TACIT_POLICY, "a simulation, not production"},
        {"unavailable", TACIT_POLICY, "unavailable, not production"},
        {"dev-tools", TACIT_POLICY, "DevTools"},
        {"not-ready", TACIT_POLICY, "ready state"},
    };
    struct gpus g;
    char why[256];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_err(open_fake(&g, cases[i].mode, PATIENCE_MS, why), cases[i].err);
        if (strstr(why, cases[i].says) == NULL)
            print_error("%s: %s\n", cases[i].mode, why);
        assert_non_null(strstr(why, cases[i].says));
        assert_null(g.self);
    }
}

static void a_missing_library_or_symbol_is_no_gpu(void **state)
{
    struct gpus_opts opts = {.kind = GPUS_NVML, .path = "/nonexistent/libnvidia-ml.so.1"};
    struct gpus g = {0};
    char why[256];

    UNUSED(state);
    assert_err(gpus_nvml_open(&g, &opts, why), TACIT_NOT_FOUND);
    assert_non_null(strstr(why, "cannot be loaded"));
    opts.path = FAKE_NVML_OLD;
    assert_err(gpus_nvml_open(&g, &opts, why), TACIT_NOT_FOUND);
    assert_non_null(strstr(why, "nvmlSystemGetConfComputeState"));
}

static void collects_every_gpu_for_the_nonce(void **state)
{
    static const char *const modes[] = {"", "ppcie", "nonce-wrong-once"};
    struct gpus g;
    char why[256];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct buf json = buf_make(DOC_MAX);
        const char *text, *second;

        assert_ok(open_fake(&g, modes[i], PATIENCE_MS, why));
        assert_false(g.is_simulated);
        assert_ok(g.ops->collect(g.self, &json, nonce, why));
        text = buf_cstr(&json);
        assert_non_null(text);
        assert_ptr_equal(text, strstr(text, "{\"arch\":\"HOPPER\",\"evidence_list\":[{"));
        second = strstr(text + 30, "\"certificate\":");
        assert_non_null(second);
        assert_non_null(strstr(second + 1, "\"certificate\":"));
        assert_non_null(strstr(text, "\"nonce\":\"090807"));
        g.ops->close(g.self);
        buf_done(&json);
    }
}

static void collecting_fails_with_the_gpu_that_failed(void **state)
{
    static const struct {
        const char *mode;
        enum tacit_err err;
        const char *says;
    } cases[] = {
        {"vanished", TACIT_IO, "GPU 1: finding it: the GPU has fallen off the bus (15)"},
        {"report-fails", TACIT_IO, "GPU 1: its report: unknown error (999)"},
        {"no-permission", TACIT_IO, "GPU 1: its certificates: no permission (4)"},
        {"report-empty", TACIT_IO, "GPU 0: the driver gives impossible sizes"},
        {"report-huge", TACIT_IO, "GPU 0: the driver gives impossible sizes"},
        {"chain-huge", TACIT_IO, "GPU 0: the driver gives impossible sizes"},
        {"ampere", TACIT_UNSUPPORTED, "GPU 0: architecture 7"},
        {"mixed", TACIT_UNSUPPORTED, "GPU 1 is of another architecture"},
        {"nonce-wrong", TACIT_MISMATCH, "GPU 0: the report is about another nonce"},
    };
    struct gpus g;
    char why[256];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf json = buf_make(DOC_MAX);

        assert_ok(open_fake(&g, cases[i].mode, PATIENCE_MS, why));
        assert_err(g.ops->collect(g.self, &json, nonce, why), cases[i].err);
        if (strstr(why, cases[i].says) == NULL)
            print_error("%s: %s\n", cases[i].mode, why);
        assert_non_null(strstr(why, cases[i].says));
        assert_int_equal(json.len, 0);
        g.ops->close(g.self);
        buf_done(&json);
    }
}

static void modes_that_change_later_are_noticed(void **state)
{
    struct buf json = buf_make(DOC_MAX);
    struct gpus g;
    char why[256];

    UNUSED(state);
    assert_ok(open_fake(&g, "", PATIENCE_MS, why));
    setenv("TACIT_FAKE_NVML", "dev-tools", 1);
    assert_err(g.ops->collect(g.self, &json, nonce, why), TACIT_POLICY);
    g.ops->close(g.self);
    buf_done(&json);
}

static void a_hanging_driver_costs_one_deadline(void **state)
{
    struct buf json = buf_make(DOC_MAX);
    struct gpus g;
    char why[256];

    UNUSED(state);
    assert_ok(open_fake(&g, "slow", 50, why));
    assert_err(g.ops->collect(g.self, &json, nonce, why), TACIT_TIMEOUT);
    assert_non_null(strstr(why, "GPU 0"));
    assert_err(g.ops->collect(g.self, &json, nonce, why), TACIT_BUSY);
    assert_non_null(strstr(why, "still hangs"));
    setenv("TACIT_FAKE_NVML", "", 1);
    usleep(900 * 1000); /* the driver comes back */
    assert_ok(g.ops->collect(g.self, &json, nonce, why));
    g.ops->close(g.self);
    buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_is_refused_with_a_reason),
        cmocka_unit_test(a_missing_library_or_symbol_is_no_gpu),
        cmocka_unit_test(collects_every_gpu_for_the_nonce),
        cmocka_unit_test(collecting_fails_with_the_gpu_that_failed),
        cmocka_unit_test(modes_that_change_later_are_noticed),
        cmocka_unit_test(a_hanging_driver_costs_one_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
