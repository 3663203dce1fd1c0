/* Appraisal policies: each demand refuses alone; files are read strictly. */
#include "cmocka_all.h"

#include "attest/dcap_priv.h"
#include "attest/tdx_policy.h"

/* A genuine TD as the rows see it. */
struct td {
    uint8_t attributes[8], xfam[8], mr[48], zero[48];
    struct tacit_quote_result result;
    struct tacit_verdict *verdict;
};

static void td_make(struct td *t)
{
    struct tacit_quote_result *r = &t->result;

    memset(t, 0, sizeof(*t));
    t->attributes[3] = 0x10; /* SEPT_VE_DISABLE */
    t->xfam[0] = 0xe7;
    memset(t->mr, 0x5a, sizeof(t->mr));
    r->is_genuine = true;
    r->tcb_status = TACIT_TCB_UP_TO_DATE;
    r->tcb_date_unix_s = 1700000000;
    r->eval_number = 18;
    r->quote.body = TACIT_BODY_TD15;
    r->quote.td.td_attributes = BYTES_ARRAY(t->attributes);
    r->quote.td.xfam = BYTES_ARRAY(t->xfam);
    r->quote.td.mrtd = BYTES_ARRAY(t->mr);
    r->quote.td.rtmr[2] = BYTES_ARRAY(t->mr);
    r->quote.td.mrservicetd = BYTES_ARRAY(t->zero);
    t->verdict = calloc(1, sizeof(*t->verdict));
    assert_non_null(t->verdict);
}

/* The id of the refusing row, "" if there is none. */
static const char *judge(struct td *t, const struct tacit_tdx_policy *policy, int64_t now)
{
    const struct row_scope rows = {t->verdict, "quote", "test", false};
    const struct tacit_row *row;

    memset(t->verdict, 0, sizeof(*t->verdict));
    tdx_policy_rows(&rows, policy, &t->result, now);
    row = tacit_verdict_first_refusal(t->verdict);
    return row == NULL ? "" : row->id;
}

static void the_default_accepts_up_to_date_only(void **state)
{
    struct tacit_tdx_policy p = tacit_tdx_policy_default();
    struct tacit_tdx_policy nothing = {0};
    struct td t;

    (void)state;
    td_make(&t);
    assert_string_equal(judge(&t, &p, 0), "");
    assert_string_equal(judge(&t, &nothing, 0), "tdx.policy.tcb_status");
    for (int s = TACIT_TCB_NONE; s <= TACIT_TCB_REVOKED; s++) {
        t.result.tcb_status = (enum tacit_tcb_status)s;
        if (s != TACIT_TCB_UP_TO_DATE)
            assert_string_equal(judge(&t, &p, 0), "tdx.policy.tcb_status");
    }
    p.tcb_accepted = ~0U;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.tcb_status");
    free(t.verdict);
}

static void grace_ends_to_the_second(void **state)
{
    struct tacit_tdx_policy p = tacit_tdx_policy_default();
    struct td t;

    (void)state;
    td_make(&t);
    t.result.tcb_status = TACIT_TCB_OUT_OF_DATE;
    p.grace_days = 10;
    assert_string_equal(judge(&t, &p, 1700000000 + 864000), "");
    assert_string_equal(judge(&t, &p, 1700000000 + 864001), "tdx.policy.tcb_status");
    t.result.tcb_status = TACIT_TCB_CONFIGURATION_NEEDED;
    assert_string_equal(judge(&t, &p, 1700000000), "tdx.policy.tcb_status");
    free(t.verdict);
}

static void each_attribute_bit_has_its_row(void **state)
{
    struct tacit_tdx_policy p = tacit_tdx_policy_default();
    struct td t;

    (void)state;
    td_make(&t);
    for (unsigned bit = 0; bit < 64; bit++) {
        const char *wanted = "tdx.policy.attributes";

        if (bit == 28)
            continue;
        if (bit < 8)
            wanted = "tdx.policy.debug";
        else if (bit == 29)
            wanted = "tdx.policy.migratable";
        else if (bit == 30 || bit == 31 || bit == 63)
            wanted = "";
        t.attributes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_string_equal(judge(&t, &p, 0), wanted);
        t.attributes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    t.attributes[3] = 0;
    assert_string_equal(judge(&t, &p, 0), "");
    p.require_sept_ve_disable = true;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.sept_ve_disable");
    free(t.verdict);
}

static void each_demand_refuses_alone(void **state)
{
    static const uint8_t other[48] = {1};
    const struct bytes pin = {other, 48};
    const struct bytes six = {other, 6};
    struct tacit_tdx_policy p = tacit_tdx_policy_default();
    static const char *const accepted[] = {"INTEL-SA-00001"};
    struct td t;

    (void)state;
    td_make(&t);
    t.xfam[0] = 0xe6;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.xfam");
    t.xfam[0] = 0xe7;
    t.xfam[4] = 1;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.xfam");
    t.xfam[4] = 0;
    t.zero[47] = 1;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.service_td");
    p.service_tds = (struct tacit_pins){&t.result.quote.td.mrservicetd, 1};
    assert_string_equal(judge(&t, &p, 0), "");
    p.mrtd = (struct tacit_pins){&pin, 1};
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.mrtd");
    p.mrtd = (struct tacit_pins){&t.result.quote.td.mrtd, 1};
    p.rtmr[2] = (struct tacit_pins){&pin, 1};
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.rtmr2");
    p.rtmr[2].count = 0;
    p.mrenclave = (struct tacit_pins){&pin, 1};
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.mrenclave");
    p.mrenclave.count = 0;
    p.fmspc = (struct tacit_pins){&six, 1};
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.fmspc");
    p.fmspc.count = 0;
    p.platform_instance_id = (struct tacit_pins){&pin, 1};
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.platform_instance");
    p.platform_instance_id.count = 0;
    p.min_eval_number = 19;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.eval_number");
    p.min_eval_number = 18;
    p.min_tcb_date_unix_s = 1700000001;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.tcb_date");
    p.min_tcb_date_unix_s = 0;
    p.refuse_smt = true;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.smt");
    t.result.smt_enabled = TACIT_FLAG_FALSE;
    assert_string_equal(judge(&t, &p, 0), "");
    p.tcb_accepted |= BIT(TACIT_TCB_SW_HARDENING_NEEDED);
    t.result.tcb_status = TACIT_TCB_SW_HARDENING_NEEDED;
    t.result.advisory_count = 1;
    memcpy(t.result.advisories[0], "INTEL-SA-00002", 15);
    assert_string_equal(judge(&t, &p, 0), "");
    p.advisories_accepted = accepted;
    p.advisories_accepted_count = 1;
    assert_string_equal(judge(&t, &p, 0), "tdx.policy.advisories");
    free(t.verdict);
}

static enum tacit_err parse(struct tacit_tdx_policy *p, char *why, const char *json,
                            struct arena *arena)
{
    return tdx_policy_parse(p, why, bytes_of(json), arena);
}

static void reads_a_policy_file(void **state)
{
    struct arena arena = arena_make(1 << 20);
    char why[TDX_POLICY_WHY_MAX];
    struct tacit_tdx_policy p;

    (void)state;
    assert_ok(parse(&p, why, "{}", &arena));
    assert_int_equal(p.tcb_accepted, BIT(TACIT_TCB_UP_TO_DATE));
    assert_ok(parse(&p, why,
                    "{\"tcb_status\":[\"OutOfDate\",\"TDRelaunchAdvised\"],\"grace_days\":7,"
                    "\"min_tcb_date\":\"2024-01-01T00:00:00Z\",\"allow_debug\":true,"
                    "\"fmspc\":[\"B0C06F000000\",\"b0c06f000001\"],\"advisories\":[]}",
                    &arena));
    assert_int_equal(p.tcb_accepted,
                     BIT(TACIT_TCB_OUT_OF_DATE) | BIT(TACIT_TCB_TD_RELAUNCH_ADVISED));
    assert_int_equal(p.grace_days, 7);
    assert_int_equal(p.min_tcb_date_unix_s, 1704067200);
    assert_true(p.allow_debug);
    assert_int_equal(p.fmspc.count, 2);
    assert_int_equal(p.fmspc.any_of[1].ptr[5], 1);
    assert_non_null(p.advisories_accepted);
    arena_done(&arena);
}

static void refuses_policies_that_could_be_misread(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"mrdt\":[]}",
        "{\"mrtd\":[]}",
        "{\"mrtd\":\"00\"}",
        "{\"fmspc\":[\"00\"]}",
        "{\"fmspc\":[1]}",
        "{\"allow_debug\":1}",
        "{\"grace_days\":-1}",
        "{\"grace_days\":4294967296}",
        "{\"tcb_status\":[]}",
        "{\"tcb_status\":[\"Revoked\"]}",
        "{\"tcb_status\":[\"uptodate\"]}",
        "{\"tcb_status\":\"UpToDate\"}",
        "{\"min_tcb_date\":\"2024-01-01\"}",
        "{\"allow_debug\":false,\"allow_debug\":true}",
        "{} {}",
    };
    struct arena arena = arena_make(1 << 20);
    char why[TDX_POLICY_WHY_MAX];
    struct tacit_tdx_policy p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_err(parse(&p, why, bad[i], &arena), TACIT_CONFIG);
        assert_int_equal(p.tcb_accepted, 0);
        assert_true(strlen(why) > 10);
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_accepts_up_to_date_only),
        cmocka_unit_test(grace_ends_to_the_second),
        cmocka_unit_test(each_attribute_bit_has_its_row),
        cmocka_unit_test(each_demand_refuses_alone),
        cmocka_unit_test(reads_a_policy_file),
        cmocka_unit_test(refuses_policies_that_could_be_misread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
