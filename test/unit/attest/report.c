/* Claims about whole reports, over real captures with the clock of their minute: what is proven,
 * and which row refuses each change. */
#include "cmocka_all.h"

#include <tacit/quote.h>

#include "attest/report_priv.h"
#include "capture.h"
#include "codec/base64.h"
#include "crypto/sha2.h"

enum { DIRECT, GATEWAY };

static struct tacit_verdict verdict;

struct fixture {
    struct capture c;
    struct tacit_report_opts opts;
    uint8_t spki[32];
};

/* Puts `with` in place of the value (a string) of the member at or after `from`; gives where it
 * went on, or SIZE_MAX if there is none. */
static size_t value_replace(struct buf *text, size_t from, const char *member, const char *with)
{
    struct bytes all = buf_bytes(text);
    struct buf out = buf_make(CAPTURE_FILE_MAX);
    size_t at = bytes_find(bytes_slice(all, from, SIZE_MAX), bytes_of(member));
    size_t end;

    if (at == SIZE_MAX)
        return SIZE_MAX;
    at += from + strlen(member);
    for (end = at + 1; all.ptr[end] != '"' || all.ptr[end - 1] == '\\'; end++)
        ;
    buf_put(&out, bytes_slice(all, 0, at));
    buf_puts(&out, with);
    buf_put(&out, bytes_slice(all, end + 1, SIZE_MAX));
    buf_done(text);
    *text = out;
    return at;
}

/* NVIDIA's part is tested by its own folder; without it the rest can be trusted as a whole. */
static void gpus_remove(struct buf *report)
{
    size_t at = 0;

    while (at != SIZE_MAX)
        at = value_replace(report, at, "\"nvidia_payload\":", "\"\"");
}

static void spki_read(struct fixture *f)
{
    struct buf der = buf_make(CAPTURE_FILE_MAX);
    struct jval meta;
    struct bytes text;

    assert_ok(jscan_object(&meta, buf_bytes(&f->c.meta)));
    assert_true(
        jscan_str_view(&text, jscan_member(jscan_member(meta, "request"), "peer_spki_der_base64")));
    assert_ok(base64_decode(&der, text, BASE64_STD));
    sha256(f->spki, buf_bytes(&der));
    buf_done(&der);
}

static bool fixture_open(struct fixture *f, int kind)
{
    *f = (struct fixture){0};
    if (!capture_open(&f->c, kind == GATEWAY ? "gateway-20260629" : "direct-20260629",
                      kind == GATEWAY)) {
        print_message("skipped: no shared vectors at " TEST_VECTORS_DIR "\n");
        return false;
    }
    spki_read(f);
    gpus_remove(&f->c.report);
    f->opts = (struct tacit_report_opts){
        .form = kind == GATEWAY ? TACIT_REPORT_GATEWAY : TACIT_REPORT_NODE,
        .now_unix_s = capture_now,
        .tls_spki = f->spki,
        .is_tls_required = true,
        .is_node_required = kind == GATEWAY,
        .model = "Qwen/Qwen3.5-122B-A10B",
        .collateral = tacit_collateral_from_set,
        .collateral_ctx = &f->c.set,
    };
    memcpy(f->opts.nonce, f->c.nonce, 32);
    return true;
}

static bool verify(struct fixture *f, struct tacit_report_facts *facts)
{
    struct tacit_report_facts own;

    verdict = (struct tacit_verdict){0};
    assert_ok(tacit_report_verify(&verdict, facts == NULL ? &own : facts, buf_bytes(&f->c.report),
                                  &f->opts));
    return tacit_verdict_is_trusted(&verdict);
}

/* Refused, and by this row. */
static void refused_by(struct fixture *f, const char *subject, const char *id)
{
    const struct tacit_row *row;
    bool trusted = verify(f, NULL);

    row = tacit_verdict_row(&verdict, id, subject);
    if (trusted || row == NULL || row->result == TACIT_ROW_PASSED)
        print_message("# %s %s did not refuse; first: %s\n", subject, id,
                      trusted ? "trusted" : tacit_verdict_first_refusal(&verdict)->id);
    assert_false(trusted);
    assert_non_null(row);
    assert_true(row->is_required && row->result != TACIT_ROW_PASSED && row->reason[0] != 0);
}

static void a_real_gateway_report_is_trusted_and_gives_facts(void **state)
{
    struct tacit_report_facts facts;
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, GATEWAY))
        skip();
    assert_true(verify(&f, &facts));
    assert_false(verdict.is_simulated);
    assert_true(facts.gateway.is_trusted && facts.node.is_trusted);
    assert_true(facts.gateway.is_ed25519 && facts.node.has_signing_key);
    assert_memory_equal(facts.gateway.tls_spki, f.spki, 32);
    assert_string_equal(facts.node.model, "Qwen/Qwen3.5-122B-A10B");
    assert_string_equal(facts.node.tcb_status, "UpToDate");
    assert_true(facts.node.has_compose_hash && facts.node.has_os_image_hash &&
                facts.node.has_app_id && facts.node.has_instance_id);
    assert_int_equal(facts.node.app_id[0], 0x2c);
    assert_int_equal(facts.node.compose_hash[0], 0x66);
    assert_true(facts.node.collateral_expires_unix_s > capture_now);
    assert_int_equal(tacit_verdict_row(&verdict, "manager.actions", "manager")->result,
                     TACIT_ROW_PASSED);
    capture_close(&f.c);
}

static void a_real_node_report_is_trusted(void **state)
{
    struct tacit_report_facts facts;
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    assert_true(verify(&f, &facts));
    assert_true(facts.node.is_trusted);
    assert_false(facts.gateway.is_trusted);
    assert_int_equal(tacit_verdict_row(&verdict, "report.tls", "node")->result, TACIT_ROW_PASSED);
    capture_close(&f.c);
}

static void what_the_caller_knows_must_agree(void **state)
{
    static const uint8_t other[32] = {1};
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    f.opts.nonce[31] ^= 1;
    refused_by(&f, "node", "report.nonce");
    refused_by(&f, "node", "report.data");
    refused_by(&f, "manager", "manager.nonce");
    f.opts.nonce[31] ^= 1;
    f.spki[0] ^= 1;
    refused_by(&f, "node", "report.tls");
    f.spki[0] ^= 1;
    f.opts.model = "Qwen/Qwen3.5";
    refused_by(&f, "node", "report.model");
    f.opts.model = NULL;
    f.opts.signer = BYTES_ARRAY(other);
    refused_by(&f, "node", "report.signer");
    f.opts.signer = (struct bytes){NULL, 0};
    f.opts.gpu_demand = TACIT_GPU_REQUIRED;
    refused_by(&f, "node", "gpu.payload");
    f.opts.gpu_demand = TACIT_GPU_IF_PRESENT;
    f.opts.form = TACIT_REPORT_GATEWAY;
    refused_by(&f, "gateway", "report.shape");
    capture_close(&f.c);
}

static void policies_refuse_by_their_own_rows(void **state)
{
    static const uint8_t hash[1][32] = {{1}};
    static const uint8_t app[1][20] = {{1}};
    struct tacit_tdx_policy none = {0};
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    f.opts.node.compose_hashes = (struct tacit_allow32){hash, 1};
    refused_by(&f, "node", "policy.compose");
    f.opts.node = (struct tacit_side_policy){.os_image_hashes = {hash, 1}};
    refused_by(&f, "node", "policy.os_image");
    f.opts.node = (struct tacit_side_policy){.app_ids = app, .app_id_count = 1};
    refused_by(&f, "node", "policy.app_id");
    f.opts.node = (struct tacit_side_policy){.tdx = &none};
    refused_by(&f, "node", "tdx.policy.tcb_status");
    f.opts.node = (struct tacit_side_policy){0};
    assert_true(verify(&f, NULL));
    capture_close(&f.c);
}

static void time_and_collateral_are_needed(void **state)
{
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    f.opts.now_unix_s += 60 * 24 * 3600;
    refused_by(&f, "node", "report.data");
    f.opts.now_unix_s = capture_now;
    f.opts.collateral = NULL;
    refused_by(&f, "node", "tdx.collateral");
    assert_int_equal(tacit_verdict_row(&verdict, "tdx.collateral", "node")->cause,
                     TACIT_CAUSE_UNOBTAINABLE);
    assert_int_equal(tacit_verdict_row(&verdict, "log.replay", "node")->result, TACIT_ROW_NOT_RUN);
    capture_close(&f.c);
}

struct change {
    const char *subject, *id, *member;
    size_t skip;      /* octets behind the member to the digit that is changed */
    size_t from_last; /* start at the last occurrence */
};

/* Changes a hex digit, so that the text stays well-formed. */
static void digit_change(struct buf *text, const char *member, size_t skip, bool is_last)
{
    struct bytes all = buf_bytes(text);
    size_t at = bytes_find(all, bytes_of(member));

    assert_true(at != SIZE_MAX);
    for (size_t next = at; is_last && next != SIZE_MAX;) {
        at = next;
        next = bytes_find(bytes_slice(all, at + 1, SIZE_MAX), bytes_of(member));
        next = next == SIZE_MAX ? next : next + at + 1;
    }
    at += strlen(member) + skip;
    text->ptr[at] = text->ptr[at] == '0' ? '1' : '0';
}

static void each_change_is_refused_by_its_row(void **state)
{
    static const struct change changes[] = {
        {"node", "report.nonce", "\"request_nonce\":\"", 3, 0},
        {"node", "report.data", "\"signing_address\":\"", 3, 0},
        {"node", "report.signing_key", "\"signing_public_key\":\"", 3, 0},
        {"node", "report.data", "\"tls_cert_fingerprint\":\"", 3, 0},
        {"node", "tdx.quote.signature", "\"intel_quote\":\"", 2 * (48 + 136) + 3, 0},
        {"node", "tdx.quote.parse", "\"intel_quote\":\"", 1, 0},
        {"node", "log.boot", "\"event_log\":[{\"digest\":\"", 5, 0},
        {"node", "log.read", "\"event\":\"compose-hash\",\"event_payload\":\"", 5, 0},
        {"node", "compose.hash", "\\\"manifest_version\\\": ", 0, 0},
        {"node", "compose.mrconfigid", "\\\"manifest_version\\\": ", 0, 0},
        {"node", "info.agreement", "\"app_id\":\"", 4, 0},
        {"node", "info.agreement", "\"mrtd\":\"", 4, 0},
        {"manager", "manager.actions", "\"commit\":\"", 4, 0},
        {"manager", "manager.actions", "\"actions_hash\":\"", 4, 0},
        {"manager", "tdx.quote.signature", "\"quote\":\"", 2 * (48 + 136) + 3, 1},
        {"manager", "log.read", "\\\"event\\\":\\\"compose-hash\\\",\\\"event_payload\\\":\\\"", 5,
         0},
        {"node", "ohttp.signature", "\"signature\":\"", 5, 1},
        {"node", "ohttp.signature", "\"ohttp_key_config\":\"", 9, 1},
    };
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct buf before = buf_make(CAPTURE_FILE_MAX);

        buf_put(&before, buf_bytes(&f.c.report));
        digit_change(&f.c.report, changes[i].member, changes[i].skip, changes[i].from_last != 0);
        refused_by(&f, changes[i].subject, changes[i].id);
        buf_done(&f.c.report);
        f.c.report = before;
    }
    capture_close(&f.c);
}

static void each_change_of_a_gateway_report_is_refused_by_its_row(void **state)
{
    static const struct change changes[] = {
        {"gateway", "report.data_copy", "\"report_data\":\"", 3, 0},
        {"gateway", "log.read", "\\\"event\\\":\\\"app-id\\\",\\\"event_payload\\\":\\\"", 5, 0},
        {"gateway", "report.data", "\"tls_cert_fingerprint\":\"", 3, 0},
        {"gateway", "ohttp.signature", "\"signature\":\"", 5, 1},
        {"node", "report.data", "\"tls_cert_fingerprint\":\"", 3, 1},
    };
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, GATEWAY))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct buf before = buf_make(CAPTURE_FILE_MAX);

        buf_put(&before, buf_bytes(&f.c.report));
        digit_change(&f.c.report, changes[i].member, changes[i].skip, changes[i].from_last != 0);
        refused_by(&f, changes[i].subject, changes[i].id);
        buf_done(&f.c.report);
        f.c.report = before;
    }
    value_replace(&f.c.report, 0, "\"tls_certificate\":", "\"no certificate\"");
    refused_by(&f, "gateway", "tls.certificate");
    {
        struct tacit_report_facts facts;

        assert_false(verify(&f, &facts));
        assert_false(facts.gateway.is_trusted);
        assert_true(facts.node.is_trusted);
    }
    capture_close(&f.c);
}

/* The padded layout of a report without TLS key may not stand in for one that declares a key. */
static void a_declared_tls_key_cannot_be_dropped(void **state)
{
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    value_replace(&f.c.report, 0, "\"tls_cert_fingerprint\":", "null");
    refused_by(&f, "node", "report.data");
    refused_by(&f, "node", "report.tls");
    value_replace(&f.c.report, 0, "\"request_nonce\":", "5");
    refused_by(&f, "node", "report.nonce");
    capture_close(&f.c);
}

static void there_must_be_exactly_one_model(void **state)
{
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, GATEWAY))
        skip();
    buf_consume(&f.c.report, 1);
    {
        struct buf out = buf_make(CAPTURE_FILE_MAX);
        struct bytes all = buf_bytes(&f.c.report);
        size_t at = bytes_find(all, BYTES_LIT("\"model_attestations\":["));

        buf_putc(&out, '{');
        buf_put(&out, bytes_slice(all, 0, at + 22));
        buf_puts(&out, "{},");
        buf_put(&out, bytes_slice(all, at + 22, SIZE_MAX));
        buf_done(&f.c.report);
        f.c.report = out;
    }
    refused_by(&f, "report", "report.models");
    capture_close(&f.c);
}

static void options_must_not_contradict_each_other(void **state)
{
    struct tacit_report_opts opts = {.is_tls_required = true};
    struct tacit_report_facts facts;

    UNUSED(state);
    verdict = (struct tacit_verdict){0};
    assert_err(tacit_report_verify(&verdict, &facts, BYTES_LIT("{}"), &opts), TACIT_USAGE);
    assert_false(tacit_verdict_is_trusted(&verdict));
    opts = (struct tacit_report_opts){.signer = BYTES_LIT("short")};
    verdict = (struct tacit_verdict){0};
    assert_err(tacit_report_verify(&verdict, &facts, BYTES_LIT("{}"), &opts), TACIT_USAGE);
}

static void text_that_is_no_report_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "{}", "[]", "null", "{\"a\":1,\"a\":2}", "{} x", "{\"all_attestations\":5}"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (int form = TACIT_REPORT_NODE; form <= TACIT_REPORT_GATEWAY; form++) {
            struct tacit_report_opts opts = {.form = (enum tacit_report_form)form};

            verdict = (struct tacit_verdict){0};
            assert_ok(tacit_report_verify(&verdict, NULL, bytes_of(texts[i]), &opts));
            assert_false(tacit_verdict_is_trusted(&verdict));
        }
}

static void sampled_prefixes_are_refused(void **state)
{
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    for (size_t len = 0; len < f.c.report.len; len += 997) {
        verdict = (struct tacit_verdict){0};
        assert_ok(tacit_report_verify(&verdict, NULL, bytes_make(f.c.report.ptr, len), &f.opts));
        assert_false(tacit_verdict_is_trusted(&verdict));
    }
    capture_close(&f.c);
}

/* Much of a report is decoration; a flip there may pass, but then nothing that is told differs. */
static void no_sampled_flip_changes_a_fact(void **state)
{
    struct tacit_report_facts good;
    struct tacit_report_facts facts;
    struct fixture f;

    UNUSED(state);
    if (!fixture_open(&f, DIRECT))
        skip();
    assert_true(verify(&f, &good));
    for (size_t bit = 5; bit < f.c.report.len * 8; bit += 8 * 613 + 3) {
        f.c.report.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (verify(&f, &facts))
            assert_memory_equal(&facts, &good, sizeof(good));
        f.c.report.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    capture_close(&f.c);
}

static void canonical(const char *json, const char *sorted, const char *in_struct_order)
{
    struct buf out = buf_make(CAPTURE_FILE_MAX);
    struct jval root;

    assert_ok(jscan_validate(&root, NULL, bytes_of(json)));
    assert_ok(actions_canonical(&out, root, true));
    assert_string_equal(buf_cstr(&out), sorted);
    buf_reset(&out);
    assert_ok(actions_canonical(&out, root, false));
    assert_string_equal(buf_cstr(&out), in_struct_order);
    buf_done(&out);
}

static void actions_have_two_canonical_forms(void **state)
{
    UNUSED(state);
    canonical(
        "[ {\"services\":[\"m\"],\"tag\":\"\\u6a21\\/\",\"action\":\"up\",\"timestamp\":\"t\"} ]",
        "[{\"action\":\"up\",\"services\":[\"m\"],\"tag\":\"\xe6\xa8\xa1/\",\"timestamp\":\"t\"}]",
        "[{\"timestamp\":\"t\",\"action\":\"up\",\"tag\":\"\xe6\xa8\xa1/\",\"services\":[\"m\"]}]");
}

static void actions_hash_as_their_reports_say(void **state)
{
    static const struct {
        const char *folder;
        bool is_sorted;
    } cases[] = {{"direct-20260424", false}, {"direct-20260629", true}};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf report = buf_make(CAPTURE_FILE_MAX);
        struct buf text = buf_make(CAPTURE_FILE_MAX);
        struct jval root, manager;
        uint8_t hash[32], wanted[32];
        struct bytes hex;

        if (!capture_file(&report, cases[i].folder, "attestation-report.json"))
            skip();
        assert_ok(jscan_object(&root, buf_bytes(&report)));
        manager = jscan_member(root, "compose_manager_attestation");
        assert_ok(actions_canonical(&text, jscan_member(manager, "actions"), cases[i].is_sorted));
        sha256(hash, buf_bytes(&text));
        assert_true(jscan_str_view(&hex, jscan_member(manager, "actions_hash")));
        assert_ok(hex_decode_fixed(wanted, 32, hex));
        assert_memory_equal(hash, wanted, 32);
        buf_done(&report);
        buf_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_gateway_report_is_trusted_and_gives_facts),
        cmocka_unit_test(a_real_node_report_is_trusted),
        cmocka_unit_test(what_the_caller_knows_must_agree),
        cmocka_unit_test(policies_refuse_by_their_own_rows),
        cmocka_unit_test(time_and_collateral_are_needed),
        cmocka_unit_test(each_change_is_refused_by_its_row),
        cmocka_unit_test(each_change_of_a_gateway_report_is_refused_by_its_row),
        cmocka_unit_test(a_declared_tls_key_cannot_be_dropped),
        cmocka_unit_test(there_must_be_exactly_one_model),
        cmocka_unit_test(options_must_not_contradict_each_other),
        cmocka_unit_test(text_that_is_no_report_is_refused),
        cmocka_unit_test(sampled_prefixes_are_refused),
        cmocka_unit_test(no_sampled_flip_changes_a_fact),
        cmocka_unit_test(actions_have_two_canonical_forms),
        cmocka_unit_test(actions_hash_as_their_reports_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
