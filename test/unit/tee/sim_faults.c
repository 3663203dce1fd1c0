/* Claims about the simulator before our own verifier: an honest platform of every shape is trusted
 * with the simulator's root and refused without it, and every fault is refused by exactly the row
 * that the table of faults names. */
#include "cmocka_all.h"

#include "attest/dcap.h"
#include "codec/jwrite.h"
#include "tee/sim.h"

enum { DOC_MAX = 1 << 20 };

static const uint8_t seed[SIM_SEED_LEN] = {11, 22, 33};
static const uint8_t signer[32] = {0xd7, 0x5a, 0x98};
static const uint8_t nonce[32] = {5, 6, 7};
static const int64_t now = 1790003600;

/* One evidence as a verifier gets it. */
struct evidence {
    struct sim *sim;
    struct buf quote, collateral, log, info;
    struct bytes root;
    uint8_t report_data[64];
};

static void evidence_make(struct evidence *e, const char *fault, struct sim_shape shape)
{
    struct sim_td *td;

    *e = (struct evidence){.quote = buf_make(DOC_MAX),
                           .collateral = buf_make(DOC_MAX),
                           .log = buf_make(DOC_MAX),
                           .info = buf_make(DOC_MAX)};
    memcpy(e->report_data, signer, 32);
    memcpy(e->report_data + 32, nonce, 32);
    assert_ok(sim_open_seed(&e->sim, seed));
    assert_ok(sim_set_shape(e->sim, shape));
    assert_ok(sim_set_fault(e->sim, fault));
    assert_ok(sim_td_new(&td, e->sim, "node"));
    assert_ok(sim_td_event(td, "model-digest", BYTES_LIT("0123456789")));
    assert_ok(sim_td_quote(td, &e->quote, e->report_data));
    assert_ok(sim_td_event_log(td, &e->log));
    assert_ok(sim_td_info(td, &e->info));
    assert_ok(sim_collateral(e->sim, &e->collateral, now));
    assert_ok(sim_root_der(e->sim, &e->root));
    sim_td_free(td);
}

static void evidence_done(struct evidence *e)
{
    sim_free(e->sim);
    buf_done(&e->quote);
    buf_done(&e->collateral);
    buf_done(&e->log);
    buf_done(&e->info);
}

static struct tacit_verdict *quote_verdict(const struct evidence *e, struct bytes root)
{
    static struct tacit_verdict v;
    static struct tacit_quote_result result;
    struct tacit_tdx_policy policy = tacit_tdx_policy_default();
    struct tacit_quote_input in = {.quote = buf_bytes(&e->quote),
                                   .collateral = buf_bytes(&e->collateral),
                                   .root_der = root,
                                   .now_unix_s = now,
                                   .policy = &policy,
                                   .report_data = e->report_data};

    v = (struct tacit_verdict){0};
    assert_ok(tacit_quote_verify(&v, &result, &in));
    return &v;
}

static enum tacit_err give_collateral(struct bytes *json, char *why,
                                      const struct tacit_collateral_need *need, void *ctx)
{
    const struct evidence *e = ctx;
    uint8_t fmspc[6];

    sim_fmspc(fmspc);
    assert_memory_equal(need->fmspc, fmspc, sizeof(fmspc));
    assert_true(need->is_tdx && need->is_platform_ca);
    *json = buf_bytes(&e->collateral);
    why[0] = 0;
    return TACIT_OK;
}

/* A node's report around the evidence (near.md 3.2). */
static void report_make(struct buf *json, const struct evidence *e)
{
    struct jw w = jw_make(json);

    jw_object(&w);
    jw_key_cstr(&w, "model_name", "a/model");
    jw_key(&w, "signing_address");
    jw_hex(&w, BYTES_ARRAY(signer));
    jw_key_cstr(&w, "signing_algo", "ed25519");
    jw_key(&w, "signing_public_key");
    jw_hex(&w, BYTES_ARRAY(signer));
    jw_key(&w, "request_nonce");
    jw_hex(&w, BYTES_ARRAY(nonce));
    jw_key(&w, "intel_quote");
    jw_hex(&w, buf_bytes(&e->quote));
    jw_key_raw(&w, "event_log", buf_bytes(&e->log));
    jw_key_raw(&w, "info", buf_bytes(&e->info));
    jw_end(&w);
    assert_false(json->failed);
}

static struct tacit_verdict *report_verdict(struct evidence *e)
{
    static struct tacit_verdict v;
    struct buf json = buf_make(DOC_MAX);
    struct tacit_report_opts opts = {.form = TACIT_REPORT_NODE,
                                     .now_unix_s = now,
                                     .root_der = e->root,
                                     .collateral = give_collateral,
                                     .collateral_ctx = e};

    memcpy(opts.nonce, nonce, sizeof(nonce));
    report_make(&json, e);
    v = (struct tacit_verdict){0};
    assert_ok(tacit_report_verify(&v, NULL, buf_bytes(&json), &opts));
    buf_done(&json);
    return &v;
}

static void verdict_show(const struct tacit_verdict *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->rows[i].result != TACIT_ROW_PASSED)
            print_message("    %s %s (%s): %s\n", v->rows[i].id,
                          tacit_row_result_name(v->rows[i].result), v->rows[i].subject,
                          v->rows[i].reason);
}

static size_t failed_rows(const struct tacit_verdict *v)
{
    size_t count = 0;

    for (size_t i = 0; i < v->count; i++)
        count += v->rows[i].result == TACIT_ROW_FAILED && v->rows[i].is_required;
    return count;
}

static const struct sim_shape shapes[] = {
    {4, TACIT_BODY_TD10, false}, {4, TACIT_BODY_TD10, true},    {5, TACIT_BODY_TD10, false},
    {5, TACIT_BODY_TD15, false}, {5, TACIT_BODY_TD15_EX, true}, {3, TACIT_BODY_SGX, false},
    {4, TACIT_BODY_SGX, true},   {5, TACIT_BODY_SGX, false},
};

static void an_honest_platform_is_trusted_with_its_root(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        const struct tacit_verdict *v;
        struct evidence e;

        evidence_make(&e, NULL, shapes[i]);
        v = quote_verdict(&e, e.root);
        if (!tacit_verdict_is_trusted(v)) {
            print_message("shape %zu:\n", i);
            verdict_show(v);
        }
        assert_true(tacit_verdict_is_trusted(v));
        assert_true(v->is_simulated);
        evidence_done(&e);
    }
}

static void without_its_root_it_is_refused(void **state)
{
    const struct tacit_row *row;
    struct evidence e;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        evidence_make(&e, NULL, shapes[i]);
        row = tacit_verdict_first_refusal(quote_verdict(&e, (struct bytes){NULL, 0}));
        assert_non_null(row);
        assert_string_equal(row->id, "tdx.pck.root");
        assert_int_equal(row->cause, TACIT_CAUSE_UNTRUSTED);
        evidence_done(&e);
    }
}

static void an_honest_report_is_trusted(void **state)
{
    const struct tacit_verdict *v;
    struct evidence e;

    UNUSED(state);
    evidence_make(&e, NULL, sim_shape_default());
    v = report_verdict(&e);
    if (!tacit_verdict_is_trusted(v))
        verdict_show(v);
    assert_true(tacit_verdict_is_trusted(v));
    evidence_done(&e);
}

/* Faults of the quote are judged as a quote, those of log and information as a whole report. */
static bool is_refused_as_named(const struct sim_fault_info *fault)
{
    const struct tacit_verdict *v;
    const struct tacit_row *row;
    struct evidence e;
    size_t wanted;
    bool ok;

    evidence_make(&e, fault->name, sim_shape_default());
    v = strncmp(fault->row, "tdx.", 4) == 0 ? quote_verdict(&e, e.root) : report_verdict(&e);
    row = tacit_verdict_first_refusal(v);
    /* The composition is bound twice, by RTMR3 and by MRCONFIGID: a false one fails both rows. */
    wanted = strcmp(fault->name, "compose-text") == 0 ? 2 : 1;
    ok = row != NULL && strcmp(row->id, fault->row) == 0 && row->result == TACIT_ROW_FAILED &&
         failed_rows(v) == wanted;
    if (!ok) {
        print_message("%s should be refused by %s alone:\n", fault->name, fault->row);
        verdict_show(v);
    }
    evidence_done(&e);
    return ok;
}

static void every_fault_is_refused_by_the_row_it_names(void **state)
{
    size_t count;
    const struct sim_fault_info *list = sim_faults(&count);
    size_t refused = 0;

    UNUSED(state);
    for (size_t i = 0; i < count; i++)
        refused += is_refused_as_named(&list[i]);
    print_message("%zu of %zu faults refused by the named row\n", refused, count);
    assert_true(count > 90);
    assert_int_equal(refused, count);
}

static void names_of_faults_are_unique(void **state)
{
    struct sim *sim;
    size_t count;
    const struct sim_fault_info *list = sim_faults(&count);

    UNUSED(state);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(list[i].name, list[j].name);
    assert_ok(sim_open_seed(&sim, seed));
    assert_err(sim_set_fault(sim, "no-such-fault"), TACIT_NOT_FOUND);
    assert_ok(sim_set_fault(sim, NULL));
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_platform_is_trusted_with_its_root),
        cmocka_unit_test(without_its_root_it_is_refused),
        cmocka_unit_test(an_honest_report_is_trusted),
        cmocka_unit_test(every_fault_is_refused_by_the_row_it_names),
        cmocka_unit_test(names_of_faults_are_unique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
