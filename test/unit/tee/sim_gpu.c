/* Claims about the GPU simulator: its evidence is accepted with its roots and only with them, and
 * each fault is refused first by the row that the table names. */
#include "cmocka_all.h"

#include <tacit/gpu.h>

#include "attest/verdict.h"
#include "codec/hex.h"
#include "tee/gpu_priv.h"
#include "tee/sim_gpu.h"

enum { NOW = 1767225600, DOC_MAX = 512 * 1024 };

static const uint8_t nonce[32] = {0x5b, 1, 2, 3};
static const uint8_t ocsp_nonce[32] = {0x77, 9};

/* Everything that a verifier is given about one machine. */
struct world {
    struct sim_gpu *g;
    struct buf payload, switches, device_root, rim_root, nras_root, jwks, nras;
    struct buf rims[3], ocsp[SIM_GPU_ASK_COUNT];
    struct tacit_gpu_rim rim_list[3];
    struct tacit_gpu_ocsp ocsp_list[SIM_GPU_ASK_COUNT];
    struct tacit_gpu_nras answer;
    struct tacit_gpu_policy policy;
    struct tacit_gpu_opts opts;
    struct tacit_verdict v;
    struct tacit_gpu_facts facts;
};

static void rims_make(struct world *w)
{
    char ids[3][SIM_GPU_ID_LEN];
    size_t count = sim_gpu_rim_ids(w->g, ids, 3);

    w->opts.rim_count = 0;
    for (size_t i = 0; i < count; i++) {
        enum tacit_err err;

        w->rims[i] = buf_make(DOC_MAX);
        err = sim_gpu_rim(w->g, &w->rims[i], ids[i]);
        if (err == TACIT_NOT_FOUND)
            continue;
        assert_ok(err);
        w->rim_list[w->opts.rim_count].role =
            strstr(ids[i], "DRIVER") != NULL      ? TACIT_GPU_RIM_DRIVER
            : strstr(ids[i], "GPU_VBIOS") != NULL ? TACIT_GPU_RIM_VBIOS
                                                  : TACIT_GPU_RIM_ANY;
        w->rim_list[w->opts.rim_count++].xml = buf_bytes(&w->rims[i]);
    }
    w->opts.rims = w->rim_list;
}

static void ocsp_make_all(struct world *w)
{
    for (size_t i = 0; i < SIM_GPU_ASK_COUNT; i++) {
        w->ocsp[i] = buf_make(DOC_MAX);
        assert_ok(sim_gpu_ocsp(w->g, &w->ocsp[i], (enum sim_gpu_asked)i, BYTES_ARRAY(ocsp_nonce)));
        w->ocsp_list[i].der = buf_bytes(&w->ocsp[i]);
        w->ocsp_list[i].nonce = BYTES_ARRAY(ocsp_nonce);
    }
    w->opts.ocsp = w->ocsp_list;
    w->opts.ocsp_count = SIM_GPU_ASK_COUNT;
}

static void nras_make(struct world *w)
{
    w->nras_root = buf_make(DOC_MAX);
    w->jwks = buf_make(DOC_MAX);
    w->nras = buf_make(DOC_MAX);
    assert_ok(sim_gpu_root(w->g, &w->nras_root, SIM_GPU_ROOT_NRAS));
    assert_ok(sim_gpu_jwks(w->g, &w->jwks));
    assert_ok(sim_gpu_nras(w->g, &w->nras, nonce));
    w->answer = (struct tacit_gpu_nras){.response = buf_bytes(&w->nras),
                                        .jwks = buf_bytes(&w->jwks),
                                        .intermediate = buf_bytes(&w->nras_root),
                                        .issuer = SIM_GPU_ISSUER};
    w->opts.nras = &w->answer;
}

static struct world *world_make(const char *fault, unsigned count, bool is_blackwell, bool is_ppcie,
                                bool with_nras)
{
    struct world *w = calloc(1, sizeof(*w));
    struct sim_gpu_opts opts = {
        .count = count, .is_blackwell = is_blackwell, .is_ppcie = is_ppcie, .now_unix_s = NOW};

    assert_non_null(w);
    memset(opts.seed, 7, sizeof(opts.seed));
    assert_ok(sim_gpu_new(&w->g, &opts));
    assert_ok(sim_gpu_set_fault(w->g, fault));
    w->payload = buf_make(DOC_MAX);
    w->switches = buf_make(DOC_MAX);
    w->device_root = buf_make(DOC_MAX);
    w->rim_root = buf_make(DOC_MAX);
    assert_ok(sim_gpu_root(w->g, &w->device_root, SIM_GPU_ROOT_DEVICE));
    assert_ok(sim_gpu_root(w->g, &w->rim_root, SIM_GPU_ROOT_RIM));
    assert_ok(sim_gpu_payload(w->g, &w->payload, nonce));
    assert_ok(sim_gpu_switches(w->g, &w->switches, nonce));
    memcpy(w->opts.nonce, nonce, sizeof(nonce));
    w->opts.now_unix_s = NOW;
    w->opts.device_root = buf_bytes(&w->device_root);
    w->opts.rim_root = buf_bytes(&w->rim_root);
    w->opts.switches = buf_bytes(&w->switches);
    w->opts.policy = &w->policy;
    /* answers are about device 0: asked for where there is no other */
    w->policy.is_ocsp_required = count == 1 && !is_ppcie;
    w->policy.is_rim_required = true;
    rims_make(w);
    ocsp_make_all(w);
    if (with_nras)
        nras_make(w);
    return w;
}

static void world_free(struct world *w)
{
    sim_gpu_free(w->g);
    buf_done(&w->payload);
    buf_done(&w->switches);
    buf_done(&w->device_root);
    buf_done(&w->rim_root);
    buf_done(&w->nras_root);
    buf_done(&w->jwks);
    buf_done(&w->nras);
    for (size_t i = 0; i < 3; i++)
        buf_done(&w->rims[i]);
    for (size_t i = 0; i < SIM_GPU_ASK_COUNT; i++)
        buf_done(&w->ocsp[i]);
    free(w);
}

static bool world_judge(struct world *w)
{
    memset(&w->v, 0, sizeof(w->v));
    assert_ok(tacit_gpu_verify(&w->v, &w->facts, buf_bytes(&w->payload), &w->opts));
    return tacit_verdict_is_trusted(&w->v);
}

static void assert_trusted(struct world *w)
{
    bool trusted = world_judge(w);
    const struct tacit_row *row = tacit_verdict_first_refusal(&w->v);

    if (!trusted)
        print_error("refused by %s %s: %s\n", row == NULL ? "?" : row->subject,
                    row == NULL ? "?" : row->id, row == NULL ? "" : row->reason);
    assert_true(trusted);
    assert_true(w->v.is_simulated);
}

static void an_honest_hopper_is_accepted_with_its_roots(void **state)
{
    struct world *w = world_make(NULL, 1, false, false, true);

    UNUSED(state);
    assert_trusted(w);
    assert_int_equal(w->facts.count, 1);
    assert_true(w->facts.devices[0].is_trusted);
    assert_int_equal(w->facts.devices[0].arch, TACIT_GPU_HOPPER);
    assert_string_equal(w->facts.devices[0].driver, "580.999.01");
    world_free(w);
}

static void honest_blackwells_are_accepted_in_mpt_mode(void **state)
{
    struct world *w = world_make(NULL, 8, true, false, true);

    UNUSED(state);
    assert_trusted(w);
    assert_int_equal(w->facts.count, 8);
    assert_int_equal(w->facts.devices[7].mode, TACIT_GPU_MODE_MPT);
    world_free(w);
}

static void an_honest_machine_with_switches_is_accepted(void **state)
{
    struct world *w = world_make(NULL, 0, false, true, true);

    UNUSED(state);
    assert_trusted(w);
    assert_int_equal(w->facts.count, 12);
    assert_true(w->facts.devices[11].is_switch);
    world_free(w);
}

static void nothing_is_accepted_without_its_roots(void **state)
{
    struct world *w = world_make(NULL, 1, false, false, true);
    struct bytes root = w->opts.device_root;

    UNUSED(state);
    w->opts.device_root = (struct bytes){NULL, 0};
    assert_false(world_judge(w));
    assert_string_equal(tacit_verdict_first_refusal(&w->v)->id, "gpu.chain.trust");
    w->opts.device_root = root;
    w->opts.rim_root = (struct bytes){NULL, 0};
    assert_false(world_judge(w));
    assert_string_equal(tacit_verdict_first_refusal(&w->v)->id, "gpu.rim.driver.chain");
    world_free(w);
}

static void policy_can_refuse_simulators(void **state)
{
    struct world *w = world_make(NULL, 1, false, false, false);

    UNUSED(state);
    w->policy.is_simulated_refused = true;
    assert_false(world_judge(w));
    assert_string_equal(tacit_verdict_first_refusal(&w->v)->id, "gpu.policy.simulated");
    world_free(w);
}

static void the_same_seed_gives_the_same_octets(void **state)
{
    struct world *a = world_make(NULL, 1, false, false, false);
    struct world *b = world_make(NULL, 1, false, false, false);

    UNUSED(state);
    assert_true(bytes_eq(buf_bytes(&a->payload), buf_bytes(&b->payload)));
    assert_true(bytes_eq(buf_bytes(&a->rims[0]), buf_bytes(&b->rims[0])));
    world_free(a);
    world_free(b);
}

static void each_fault_is_refused_by_its_row(void **state)
{
    const struct sim_gpu_fault_info *list;
    size_t count, wrong = 0;

    UNUSED(state);
    list = sim_gpu_faults(&count);
    for (size_t i = 0; i < count; i++) {
        bool is_nras = strncmp(list[i].name, "nras-", 5) == 0;
        struct world *w = world_make(list[i].name, 1, false, list[i].needs_ppcie, is_nras);
        bool trusted;
        const struct tacit_row *row;

        /* faults between devices show even where each device alone is as it should be */
        w->policy.is_rim_waived = list[i].needs_ppcie;
        w->policy.is_rim_required = !list[i].needs_ppcie;
        w->opts.rim_count = list[i].needs_ppcie ? 0 : w->opts.rim_count;
        trusted = world_judge(w);
        row = tacit_verdict_first_refusal(&w->v);
        if (trusted || row == NULL || strcmp(row->id, list[i].row) != 0 || row->reason[0] == 0) {
            print_error("%s: expected %s, got %s (%s)\n", list[i].name, list[i].row,
                        row == NULL ? "trust" : row->id, row == NULL ? "" : row->reason);
            wrong++;
        }
        world_free(w);
    }
    print_message("%zu faults\n", count);
    assert_int_equal(wrong, 0);
}

static void fault_names_are_unique(void **state)
{
    const struct sim_gpu_fault_info *list;
    struct world *w = world_make(NULL, 1, false, false, false);
    size_t count;

    UNUSED(state);
    list = sim_gpu_faults(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(list[i].name, list[k].name);
    assert_err(sim_gpu_set_fault(w->g, "no-such-fault"), TACIT_NOT_FOUND);
    world_free(w);
}

static void the_provider_collects_for_any_nonce(void **state)
{
    char dir[] = "/tmp/tacit-simgpu-XXXXXX", why[256];
    struct gpus_opts opts = {.kind = GPUS_SIMULATOR, .path = dir, .count = 2};
    struct buf payload = buf_make(DOC_MAX);
    struct gpus *gpus = NULL;
    char hex[65];

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    assert_ok(gpus_open(&gpus, &opts, why));
    assert_true(gpus_is_simulated(gpus));
    assert_ok(gpus_collect(gpus, &payload, nonce, why));
    hex_encode(hex, sizeof(hex), BYTES_ARRAY(nonce));
    assert_non_null(strstr(buf_cstr(&payload), hex));
    gpus_close(gpus);
    buf_done(&payload);
    opts.count = 9;
    assert_err(gpus_open(&gpus, &opts, why), TACIT_USAGE);
    assert_non_null(strstr(why, "1 to 8"));
    opts.path = NULL;
    assert_err(gpus_open(&gpus, &opts, why), TACIT_USAGE);
    opts.kind = GPUS_NONE;
    assert_err(gpus_open(&gpus, &opts, why), TACIT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_hopper_is_accepted_with_its_roots),
        cmocka_unit_test(honest_blackwells_are_accepted_in_mpt_mode),
        cmocka_unit_test(an_honest_machine_with_switches_is_accepted),
        cmocka_unit_test(nothing_is_accepted_without_its_roots),
        cmocka_unit_test(policy_can_refuse_simulators),
        cmocka_unit_test(the_same_seed_gives_the_same_octets),
        cmocka_unit_test(each_fault_is_refused_by_its_row),
        cmocka_unit_test(fault_names_are_unique),
        cmocka_unit_test(the_provider_collects_for_any_nonce),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
