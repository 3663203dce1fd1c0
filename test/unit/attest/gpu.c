/* Claims about GPU verification as a whole: what is changed, cut or too large anywhere is refused;
 * policy decides what it says; verifying makes no system call. */
#include "gpu_world.h"

#include "attest/gpu_binding.h"
#include "attest/gpu_policy.h"
#include "attest/gpu_priv.h"
#include "seccomp.h"

enum { FLIPS = 120, PREFIXES = 150 };

/* Prefixes and single-bit flips spread over the whole view; every one must be refused. */
static void all_changes_are_refused(struct world *w, struct bytes *view)
{
    size_t flip_step = view->len / FLIPS + 1, prefix_step = view->len / PREFIXES + 1;

    assert_true(world_judge(w));
    for (size_t at = 0; at < view->len; at += flip_step)
        assert_false(world_judge_flipped(w, view, at, (unsigned)(at / flip_step % 8)));
    for (size_t len = 0; len < view->len; len += prefix_step)
        assert_false(world_judge_prefix(w, view, len));
    assert_false(world_judge_prefix(w, view, view->len - 1));
    assert_true(world_judge(w));
}

static void refuses_every_change_of_a_report(void **state)
{
    struct world *w = world_make(1);

    UNUSED(state);
    w->opts.ocsp_count = 0;
    w->opts.nras = NULL;
    w->policy.is_ocsp_required = false;
    w->policy.is_rim_required = false;
    w->policy.is_rim_waived = true;
    w->opts.rim_count = 0;
    all_changes_are_refused(w, &w->items[0].report);
    world_free(w);
}

static void refuses_every_prefix_of_a_report_by_its_form(void **state)
{
    struct world *w = world_make(1);
    struct bytes report = w->items[0].report;
    struct gpu_report parsed;
    const char *why;

    UNUSED(state);
    assert_ok(gpu_report_parse(&parsed, &why, report, false));
    for (size_t len = 0; len < report.len; len++) {
        uint8_t *copy = malloc(len > 0 ? len : 1);

        assert_non_null(copy);
        memcpy(copy, report.ptr, len);
        assert_err(gpu_report_parse(&parsed, &why, bytes_make(copy, len), true), TACIT_FORMAT);
        assert_non_null(why);
        free(copy);
    }
    world_free(w);
}

static void survives_every_bit_flip_of_a_report(void **state)
{
    struct world *w = world_make(1);
    struct bytes report = w->items[0].report;
    struct gpu_report parsed;
    const char *why;
    uint8_t *copy = malloc(report.len);

    UNUSED(state);
    assert_non_null(copy);
    memcpy(copy, report.ptr, report.len);
    for (size_t bit = 0; bit < 8 * report.len; bit++) {
        copy[bit / 8] = (uint8_t)(copy[bit / 8] ^ 1U << bit % 8);
        if (gpu_report_parse(&parsed, &why, bytes_make(copy, report.len), false) == TACIT_OK)
            assert_int_equal(parsed.signed_part.len + parsed.signature.len, report.len);
        else
            assert_null(parsed.nonce.ptr);
        copy[bit / 8] = (uint8_t)(copy[bit / 8] ^ 1U << bit % 8);
    }
    free(copy);
    world_free(w);
}

static void refuses_every_change_of_a_chain(void **state)
{
    struct world *w = world_make(1);

    UNUSED(state);
    w->opts.ocsp_count = 0;
    w->opts.nras = NULL;
    w->policy = (struct tacit_gpu_policy){.is_rim_waived = true};
    w->opts.rim_count = 0;
    /* the last line end carries nothing */
    w->items[0].chain_pem = bytes_trim(w->items[0].chain_pem);
    all_changes_are_refused(w, &w->items[0].chain_pem);
    world_free(w);
}

static void refuses_every_change_of_a_manifest(void **state)
{
    struct world *w = world_make(1);

    UNUSED(state);
    w->opts.ocsp_count = 0;
    w->policy.is_ocsp_required = false;
    w->opts.nras = NULL;
    w->rim_list[0].role = TACIT_GPU_RIM_DRIVER;
    w->rim_list[1].role = TACIT_GPU_RIM_VBIOS;
    all_changes_are_refused(w, &w->rim_list[0].xml);
    world_free(w);
}

static void refuses_every_change_of_an_ocsp_answer(void **state)
{
    struct world *w = world_make(1);

    UNUSED(state);
    w->opts.nras = NULL;
    w->policy.is_rim_required = false;
    w->policy.is_rim_waived = true;
    w->opts.rim_count = 0;
    all_changes_are_refused(w, &w->ocsp_list[SIM_GPU_ASK_IDENTITY].der);
    world_free(w);
}

static void refuses_every_change_of_an_nras_answer(void **state)
{
    struct world *w = world_make(1);

    UNUSED(state);
    w->opts.ocsp_count = 0;
    w->policy = (struct tacit_gpu_policy){.is_nras_required = true};
    w->opts.rim_count = 0;
    all_changes_are_refused(w, &w->answer.response);
    world_free(w);
}

static void refuses_every_prefix_of_a_key_set(void **state)
{
    struct world *w = world_make(1);

    UNUSED(state);
    w->opts.ocsp_count = 0;
    w->policy = (struct tacit_gpu_policy){.is_nras_required = true};
    w->opts.rim_count = 0;
    assert_true(world_judge(w));
    for (size_t len = 0; len < w->answer.jwks.len; len += 7)
        assert_false(world_judge_prefix(w, &w->answer.jwks, len));
    world_free(w);
}

/* A view of `len` octets that begins like the good one. */
static void refuses_padded(struct world *w, struct bytes *view, size_t len, uint8_t with)
{
    struct bytes good = *view;
    uint8_t *big = malloc(len);

    assert_non_null(big);
    memset(big, with, len);
    memcpy(big, good.ptr, good.len);
    *view = (struct bytes){big, len};
    assert_false(world_judge(w));
    *view = good;
    free(big);
}

static void refuses_what_is_larger_than_its_limit(void **state)
{
    struct world *w = world_make(1);

    UNUSED(state);
    assert_true(world_judge(w));
    refuses_padded(w, &w->items[0].report, LIMIT_GPU_REPORT_BYTES + 1, 0);
    refuses_padded(w, &w->items[0].chain_pem, LIMIT_PEM_BYTES + 1, '\n');
    refuses_padded(w, &w->rim_list[0].xml, LIMIT_RIM_BYTES + 1, '\n');
    refuses_padded(w, &w->ocsp_list[0].der, LIMIT_OCSP_BYTES + 1, 0);
    refuses_padded(w, &w->answer.response, LIMIT_NRAS_BYTES + 1, ' ');
    refuses_padded(w, &w->answer.jwks, LIMIT_JWKS_BYTES + 1, ' ');
    w->count = LIMIT_GPU_DEVICES + 1;
    assert_false(world_judge(w));
    w->count = 0;
    assert_false(world_judge(w));
    w->count = 1;
    w->opts.rim_count = LIMIT_RIMS + 1;
    assert_false(world_judge(w));
    w->opts.rim_count = 2;
    w->opts.ocsp_count = LIMIT_OCSP_ANSWERS + 1;
    assert_false(world_judge(w));
    world_free(w);
}

static void says_that_no_hardware_links_gpu_and_cpu(void **state)
{
    struct world *w = world_make(1);
    const struct tacit_row *row;

    UNUSED(state);
    assert_true(world_judge(w));
    row = tacit_verdict_row(&w->v, "gpu.binding.hardware", "gpus");
    assert_non_null(row);
    assert_int_equal(row->result, TACIT_ROW_NOT_RUN);
    assert_false(row->is_required);
    world_free(w);
}

static void a_bad_device_does_not_touch_a_good_one(void **state)
{
    struct world *w = world_make(2);
    struct tacit_gpu_item swap;

    UNUSED(state);
    for (size_t bad = 0; bad < 2; bad++) {
        w->items[0].report.len -= 1;
        assert_false(world_judge(w));
        assert_int_equal(w->facts.count, 2);
        assert_false(w->facts.devices[0].is_trusted);
        assert_true(w->facts.devices[1].is_trusted);
        w->items[0].report.len += 1;
        swap = w->items[0], w->items[0] = w->items[1], w->items[1] = swap;
    }
    /* the firmware id is the same for both: only the key tells them apart */
    swap.chain_pem = w->items[0].chain_pem;
    w->items[0].chain_pem = w->items[1].chain_pem;
    w->items[1].chain_pem = swap.chain_pem;
    assert_false(world_judge(w));
    assert_string_equal(tacit_verdict_first_refusal(&w->v)->id, "gpu.report.signature");
    world_free(w);
}

static void refuses_with(const char *row, struct world *w, const char *policy)
{
    char why[256];
    struct tacit_gpu_policy parsed;

    assert_ok(tacit_gpu_policy_parse(&parsed, bytes_of(policy), why));
    w->opts.policy = &parsed;
    if (row == NULL) {
        assert_true(world_judge(w));
    } else {
        assert_false(world_judge(w));
        assert_string_equal(tacit_verdict_first_refusal(&w->v)->id, row);
    }
    w->opts.policy = &w->policy;
}

static void policy_decides_over_genuine_devices(void **state)
{
    struct world *w = world_make(1);
    char text[256];

    UNUSED(state);
    refuses_with(NULL, w, "{}");
    refuses_with("gpu.policy.arch", w, "{\"devices\":{\"arch\":[\"BLACKWELL\"]}}");
    refuses_with(NULL, w, "{\"devices\":{\"arch\":[\"BLACKWELL\",\"HOPPER\"],\"max\":1}}");
    refuses_with("gpu.policy.mode", w, "{\"devices\":{\"mode\":[\"PPCIE\"]}}");
    refuses_with("gpu.set.count", w, "{\"devices\":{\"min\":2}}");
    refuses_with("gpu.policy.driver", w, "{\"driver-versions\":{\"min\":[\"580.999.02\"]}}");
    refuses_with(NULL, w, "{\"driver-versions\":{\"min\":[\"570.1\",\"580.999.01\"]}}");
    refuses_with("gpu.policy.driver", w, "{\"driver-versions\":{\"min\":[\"590.1\"]}}");
    refuses_with(NULL, w, "{\"driver-versions\":{\"min\":[\"550.54\"]}}");
    refuses_with("gpu.policy.driver", w, "{\"driver-versions\":{\"deny\":[\"580.999.01\"]}}");
    refuses_with("gpu.policy.vbios", w, "{\"vbios-versions\":{\"min\":[\"96.00.FF.00.00\"]}}");
    refuses_with(NULL, w, "{\"vbios-versions\":{\"min\":[\"96.00.fd.00.09\"]}}");
    refuses_with("gpu.policy.device", w, "{\"devices\":{\"ueid\":[\"12345\"]}}");
    assert_true(world_judge(w));
    snprintf(text, sizeof(text), "{\"devices\":{\"ueid\":[\"%s\"]}}", w->facts.devices[0].ueid);
    refuses_with(NULL, w, text);
    refuses_with("gpu.policy.simulated", w, "{\"simulated\":false}");
    refuses_with(NULL, w,
                 "{\"version\":\"3.0\",\"authorization-rules\":{\"type\":\"JWT\","
                 "\"detached-claims\":{\"measres\":\"success\",\"secboot\":true,"
                 "\"x-nvidia-gpu-attestation-report-cert-chain\":{\"x-nvidia-cert-status\":"
                 "\"valid\",\"x-nvidia-cert-ocsp-status\":\"good\"}}}}");
    refuses_with("gpu.policy.rules", w,
                 "{\"version\":\"3.0\",\"authorization-rules\":{\"type\":\"JWT\","
                 "\"detached-claims\":{\"hwmodel\":\"GB100\"}}}");
    w->opts.nras = NULL;
    refuses_with("gpu.nras.format", w, "{\"nras\":{\"required\":true}}");
    w->opts.ocsp_count = 0;
    refuses_with("gpu.chain.revocation", w, "{\"ocsp\":{\"required\":true}}");
    refuses_with(NULL, w, "{\"ocsp\":{\"required\":false}}");
    w->opts.rim_count = 0;
    refuses_with("gpu.rim.driver.format", w, "{}");
    refuses_with(NULL, w, "{\"rim\":{\"waived\":true}}");
    world_free(w);
}

static void policy_files_are_read_strictly(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"fwid\":\"requierd\"}",
        "{\"unknown\":1}",
        "{\"fwid\":\"required\",\"fwid\":\"required\"}",
        "{\"devices\":{\"min\":-1}}",
        "{\"devices\":{\"min\":2,\"max\":1}}",
        "{\"devices\":{\"arch\":[]}}",
        "{\"devices\":{\"arch\":[\"AMPERE\"]}}",
        "{\"devices\":{\"one-driver\":false}}",
        "{\"devices\":{\"count\":1}}",
        "{\"driver-versions\":{\"min\":[\"new\"]}}",
        "{\"driver-versions\":{\"min\":[\"550.\"]}}",
        "{\"driver-versions\":{\"min\":[\"123456789\"]}}",
        "{\"vbios-versions\":{\"least\":[]}}",
        "{\"ocsp\":{\"required\":1}}",
        "{\"ocsp\":{\"max-age\":99999999999}}",
        "{\"rim\":{\"required\":true,\"waived\":true}}",
        "{\"allow-mismatch\":[64]}",
        "{\"allow-mismatch\":9}",
        "{\"binding\":\"strong\"}",
        "{\"version\":\"3.0\"}",
        "{\"version\":\"2.0\",\"authorization-rules\":{\"type\":\"JWT\"}}",
        "{\"version\":\"3.0\",\"authorization-rules\":{\"type\":\"EAT\"}}",
        "{\"simulated\":\"no\"}",
        "{\"nras\":true}",
    };
    struct tacit_gpu_policy p;
    char why[256];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_err(tacit_gpu_policy_parse(&p, bytes_of(bad[i]), why), TACIT_CONFIG);
        assert_true(strlen(why) > 10);
    }
    assert_ok(tacit_gpu_policy_parse(&p,
                                     BYTES_LIT("{\"allow-mismatch\":[9,63],\"binding\":"
                                               "\"both\",\"switches\":\"if-present\"}"),
                                     why));
    assert_true(p.mismatch_mask == (UINT64_C(1) << 9 | UINT64_C(1) << 63));
    assert_int_equal(p.binding, TACIT_GPU_BINDING_BOTH);
    assert_true(p.is_switch_waived);
}

static void versions_are_ordered_number_by_number(void **state)
{
    int order;

    UNUSED(state);
    assert_true(gpu_version_compare(&order, "550.90.07", "550.144.03", false) && order < 0);
    assert_true(gpu_version_compare(&order, "550.90", "550.90.00", false) && order == 0);
    assert_true(gpu_version_compare(&order, "96.00.9F.00.01", "96.00.A0.00.00", true) && order < 0);
    assert_false(gpu_version_compare(&order, "550.9F", "550", false));
    assert_false(gpu_version_compare(&order, "", "550", false));
    assert_false(gpu_version_compare(&order, "1.2.3.4.5.6.7.8.9", "1", false));
}

static void bindings_are_told_apart(void **state)
{
    struct world *w = world_make(1);
    uint8_t key[32] = {1}, other_key[32] = {2}, nonce[32] = {3};
    uint8_t gpu_nonce[32], hash[32], data[64], no_data[64] = {0};
    struct buf payload = buf_make(WORLD_DOC_MAX);
    const char *why;

    UNUSED(state);
    /* the same raw nonce in both: no more than that */
    assert_int_equal(gpu_binding_level(no_data, w->nonce, key, w->items, 1),
                     TACIT_GPU_BINDING_NONCE);
    gpu_binding_evidence_hash(hash, w->items, 1);
    gpu_binding_report_data(data, w->nonce, key, hash);
    assert_int_equal(gpu_binding_level(data, w->nonce, key, w->items, 1),
                     TACIT_GPU_BINDING_EVIDENCE_HASH);
    assert_int_equal(gpu_binding_level(data, w->nonce, other_key, w->items, 1),
                     TACIT_GPU_BINDING_NONCE);
    gpu_binding_nonce(gpu_nonce, nonce, key);
    assert_ok(sim_gpu_payload(w->g, &payload, gpu_nonce));
    assert_ok(gpu_evidence_read(w->items, &w->count, &why, buf_bytes(&payload), &w->arena));
    assert_int_equal(gpu_binding_level(no_data, nonce, key, w->items, 1),
                     TACIT_GPU_BINDING_DERIVED_NONCE);
    gpu_binding_evidence_hash(hash, w->items, 1);
    gpu_binding_report_data(data, nonce, key, hash);
    assert_int_equal(gpu_binding_level(data, nonce, key, w->items, 1), TACIT_GPU_BINDING_BOTH);
    assert_int_equal(gpu_binding_level(data, nonce, other_key, w->items, 1),
                     TACIT_GPU_BINDING_NONE);
    buf_done(&payload);
    world_free(w);
}

static void a_binding_row_asks_for_what_policy_wants(void **state)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct row_scope s = {.v = v, .subject = "gpus", .authority = ""};

    UNUSED(state);
    assert_non_null(v);
    assert_true(gpu_binding_row(&s, TACIT_GPU_BINDING_NONE, TACIT_GPU_BINDING_NONE));
    assert_true(gpu_binding_row(&s, TACIT_GPU_BINDING_BOTH, TACIT_GPU_BINDING_DERIVED_NONCE));
    assert_false(gpu_binding_row(&s, TACIT_GPU_BINDING_NONCE, TACIT_GPU_BINDING_EVIDENCE_HASH));
    /* an evidence hash says nothing about the nonce's origin */
    assert_false(
        gpu_binding_row(&s, TACIT_GPU_BINDING_EVIDENCE_HASH, TACIT_GPU_BINDING_DERIVED_NONCE));
    free(v);
}

static bool judge_ctx(void *ctx)
{
    return world_judge(ctx);
}

static void verifying_needs_memory_and_nothing_else(void **state)
{
    struct world *w = world_make(1);
    int code;

    UNUSED(state);
    assert_true(world_judge(w)); /* libraries set themselves up on first use */
    code = seccomp_run_with(true, judge_ctx, w);
    if (code == SECCOMP_CHILD_UNABLE) {
        print_message("skipped: this kernel sets no seccomp filter\n");
        world_free(w);
        skip();
    }
    assert_int_equal(code, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_every_change_of_a_report),
        cmocka_unit_test(refuses_every_prefix_of_a_report_by_its_form),
        cmocka_unit_test(survives_every_bit_flip_of_a_report),
        cmocka_unit_test(refuses_every_change_of_a_chain),
        cmocka_unit_test(refuses_every_change_of_a_manifest),
        cmocka_unit_test(refuses_every_change_of_an_ocsp_answer),
        cmocka_unit_test(refuses_every_change_of_an_nras_answer),
        cmocka_unit_test(refuses_every_prefix_of_a_key_set),
        cmocka_unit_test(refuses_what_is_larger_than_its_limit),
        cmocka_unit_test(says_that_no_hardware_links_gpu_and_cpu),
        cmocka_unit_test(a_bad_device_does_not_touch_a_good_one),
        cmocka_unit_test(policy_decides_over_genuine_devices),
        cmocka_unit_test(policy_files_are_read_strictly),
        cmocka_unit_test(versions_are_ordered_number_by_number),
        cmocka_unit_test(bindings_are_told_apart),
        cmocka_unit_test(a_binding_row_asks_for_what_policy_wants),
        cmocka_unit_test(verifying_needs_memory_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
