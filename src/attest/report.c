/* Whole attestation reports: which parties are in one, and that each is verified. Invariant: the
 * caller names the form; whatever the report says of itself only adds demands. */
#include "attest/report.h"

#include <stdio.h>

#include "attest/report_priv.h"
#include "base/limits.h"
#include "codec/hex.h"
#include "crypto/spki.h"

struct bytes report_str(struct report_run *run, struct jval obj, const char *name)
{
    struct jval val = jscan_member(obj, name);
    struct bytes out;

    if (val.type != JVAL_STRING)
        return (struct bytes){NULL, 0};
    if (jscan_str_view(&out, val))
        return out;
    out = jscan_str_dup(&run->arena, val);
    run->is_out_of_memory |= out.ptr == NULL;
    return out;
}

struct bytes report_hex(struct report_run *run, struct jval obj, const char *name)
{
    struct bytes text = report_str(run, obj, name);
    uint8_t *mem;

    if (bytes_starts_with(text, BYTES_LIT("0x")))
        text = bytes_slice(text, 2, SIZE_MAX);
    if (text.len == 0 || text.len % 2 != 0)
        return (struct bytes){NULL, 0};
    mem = arena_alloc(&run->arena, text.len / 2);
    run->is_out_of_memory |= mem == NULL;
    if (mem == NULL || hex_decode_fixed(mem, text.len / 2, text) != TACIT_OK)
        return (struct bytes){NULL, 0};
    return bytes_make(mem, text.len / 2);
}

enum tacit_err tacit_collateral_from_set(struct bytes *json, char *why,
                                         const struct tacit_collateral_need *need, void *ctx)
{
    const struct tacit_collateral_set *set = ctx;

    *json = (struct bytes){NULL, 0};
    for (size_t i = 0; i < set->count; i++) {
        const struct tacit_collateral_need *have = &set->entries[i].need;

        if (bytes_eq(BYTES_ARRAY(have->fmspc), BYTES_ARRAY(need->fmspc)) &&
            have->is_platform_ca == need->is_platform_ca && have->is_tdx == need->is_tdx) {
            *json = set->entries[i].json;
            return TACIT_OK;
        }
    }
    snprintf(why, TACIT_ROW_REASON_MAX, "no collateral was given for this platform");
    return TACIT_NOT_FOUND;
}

static struct collateral_slot *collateral_ask(struct report_run *run,
                                              const struct tacit_collateral_need *need)
{
    struct collateral_slot *slot;

    for (size_t i = 0; i < run->collateral_count; i++) {
        slot = &run->collaterals[i];
        if (bytes_eq(BYTES_ARRAY(slot->need.fmspc), BYTES_ARRAY(need->fmspc)) &&
            slot->need.is_platform_ca == need->is_platform_ca && slot->need.is_tdx == need->is_tdx)
            return slot;
    }
    if (run->collateral_count == COLLATERALS_MAX)
        return NULL;
    slot = &run->collaterals[run->collateral_count++];
    slot->need = *need;
    slot->err = TACIT_NOT_FOUND;
    snprintf(slot->why, sizeof(slot->why), "the caller has no source of collateral");
    if (run->opts->collateral != NULL) {
        slot->why[0] = 0;
        slot->err =
            run->opts->collateral(&slot->json, slot->why, &slot->need, run->opts->collateral_ctx);
    }
    return slot;
}

static void collateral_refuse(const struct row_scope *scope, const struct collateral_slot *slot)
{
    char fmspc[13];
    char why[ROW_TEXT_MAX];

    hex_encode(fmspc, sizeof(fmspc), BYTES_ARRAY(slot->need.fmspc));
    row_not_run(scope, "tdx.collateral", TACIT_CAUSE_UNOBTAINABLE,
                "no collateral for platform %s (%s CA): %s", fmspc,
                slot->need.is_platform_ca ? "platform" : "processor",
                row_text(why, bytes_of(slot->why[0] != 0 ? slot->why : tacit_err_text(slot->err))));
}

bool report_quote(struct report_run *run, struct tacit_quote_result *out,
                  const struct row_scope *scope, struct bytes quote,
                  const struct tacit_tdx_policy *policy)
{
    struct tacit_tdx_policy standard = tacit_tdx_policy_default();
    struct tacit_collateral_need need;
    struct tacit_quote_input in = {
        .quote = quote,
        .root_der = run->opts->root_der,
        .now_unix_s = run->opts->now_unix_s,
        .policy = policy != NULL ? policy : &standard,
        .subject = scope->subject,
        .cache = run->opts->cache,
    };

    *out = (struct tacit_quote_result){0};
    if (tacit_quote_need(&need, quote) == TACIT_OK) {
        struct collateral_slot *slot = collateral_ask(run, &need);

        if (slot == NULL) {
            row_not_run(scope, "tdx.collateral", TACIT_CAUSE_UNOBTAINABLE,
                        "the report names more than %d platforms", COLLATERALS_MAX);
            return false;
        }
        if (slot->err != TACIT_OK) {
            collateral_refuse(scope, slot);
            return false;
        }
        in.collateral = slot->json;
    }
    if (tacit_quote_verify(run->v, out, &in) == TACIT_NOMEM)
        run->is_out_of_memory = true;
    return out->is_genuine && out->quote.body != TACIT_BODY_SGX;
}

/* The certificate text that comes along must hold the key that the gateway attests. False if it
 * does not. */
static bool certificate_check(struct report_run *run, struct jval root, struct jval gateway)
{
    struct row_scope scope = {run->v, "gateway", "report data", false};
    struct bytes pem = report_str(run, root, "tls_certificate");
    struct bytes claimed = report_hex(run, gateway, "tls_cert_fingerprint");
    uint8_t spki[32];

    if (jscan_is_nothing(jscan_member(root, "tls_certificate")))
        return true;
    if (claimed.len != 32) {
        row_fail(&scope, "tls.certificate", TACIT_CAUSE_MISMATCH,
                 "a TLS certificate is shown, but the gateway attests no TLS key");
        return false;
    }
    if (pem.ptr == NULL || spki_of_cert_pem(spki, pem) != TACIT_OK) {
        row_fail(&scope, "tls.certificate", TACIT_CAUSE_UNPARSABLE,
                 "tls_certificate does not begin with a readable certificate");
        return false;
    }
    if (!bytes_eq(BYTES_ARRAY(spki), claimed)) {
        row_fail(&scope, "tls.certificate", TACIT_CAUSE_MISMATCH,
                 "tls_certificate holds another key than the one attested");
        return false;
    }
    row_pass(&scope, "tls.certificate");
    return true;
}

static void models_verify(struct report_run *run, struct jval root,
                          struct tacit_report_facts *facts)
{
    struct row_scope scope = {run->v, "report", "caller", false};
    struct jval models = jscan_member(root, "model_attestations");
    size_t count = jscan_count(models);

    if (count == 0 && !run->opts->is_node_required && jscan_is_nothing(models))
        return;
    if (models.type != JVAL_ARRAY || count != 1) {
        row_fail(&scope, "report.models", TACIT_CAUSE_UNPARSABLE,
                 "exactly one model attestation is expected, the report has %zu", count);
        return;
    }
    row_pass(&scope, "report.models");
    report_side(run, "node", jscan_item(models, 0), false, false, jscan_item(models, 0),
                facts == NULL ? NULL : &facts->node);
}

static void gateway_form(struct report_run *run, struct jval root, struct tacit_report_facts *facts)
{
    struct jval gateway = jscan_member(root, "gateway_attestation");

    report_side(run, "gateway", gateway, true, true, root, facts == NULL ? NULL : &facts->gateway);
    if (!certificate_check(run, root, gateway) && facts != NULL)
        facts->gateway = (struct tacit_side_facts){0};
    models_verify(run, root, facts);
}

/* Replicas share keys, not quotes: one that repeats the serving node's quote adds nothing, any
 * other is verified like a node that somebody else talks to. */
static void replicas_verify(struct report_run *run, struct jval root)
{
    struct row_scope scope = {run->v, "report", "caller", false};
    struct jval all = jscan_member(root, "all_attestations");
    struct bytes own = jscan_member(root, "intel_quote").raw;
    struct jiter it = jscan_iter(all);
    char subject[SUBJECT_LEN];
    struct jval item;
    unsigned index = 0;

    if (jscan_is_nothing(all))
        return;
    if (all.type != JVAL_ARRAY || jscan_count(all) > LIMIT_REPLICAS) {
        row_fail(&scope, "report.replicas", TACIT_CAUSE_UNPARSABLE,
                 "all_attestations is not a list of at most %d", LIMIT_REPLICAS);
        return;
    }
    for (; jscan_next(&it, NULL, &item); index++) {
        if (bytes_eq(jscan_member(item, "intel_quote").raw, own) &&
            bytes_eq(jscan_member(item, "request_nonce").raw,
                     jscan_member(root, "request_nonce").raw))
            continue;
        snprintf(subject, sizeof(subject), "replica[%u]", index);
        report_side(run, subject, item, false, false, item, NULL);
    }
    row_pass(&scope, "report.replicas");
}

static void node_form(struct report_run *run, struct jval root, struct tacit_report_facts *facts)
{
    report_side(run, "node", root, false, true, root, facts == NULL ? NULL : &facts->node);
    replicas_verify(run, root);
}

static bool report_open(struct report_run *run, struct jval *root, struct bytes report)
{
    struct row_scope scope = {run->v, "report", "RFC 8259", false};
    struct jscan_fault fault = {0, NULL};

    if (report.len > LIMIT_REPORT_BYTES) {
        row_fail(&scope, "report.json", TACIT_CAUSE_UNPARSABLE,
                 "the report has %zu octets, "
                 "more than %d",
                 report.len, LIMIT_REPORT_BYTES);
        return false;
    }
    if (jscan_validate(root, &fault, report) != TACIT_OK) {
        row_fail(&scope, "report.json", TACIT_CAUSE_UNPARSABLE, "no strict JSON at octet %zu: %s",
                 fault.offset, fault.what == NULL ? "unreadable" : fault.what);
        return false;
    }
    if (root->type != JVAL_OBJECT) {
        row_fail(&scope, "report.json", TACIT_CAUSE_UNPARSABLE, "the report is no JSON object");
        return false;
    }
    row_pass(&scope, "report.json");
    return true;
}

static bool opts_are_sound(const struct tacit_report_opts *opts)
{
    if (opts->signer.len != 0 && opts->signer.len != 20 && opts->signer.len != 32)
        return false;
    if (opts->is_tls_required && opts->tls_spki == NULL)
        return false;
    return opts->form == TACIT_REPORT_NODE || opts->form == TACIT_REPORT_GATEWAY;
}

static void facts_withhold(struct tacit_report_facts *facts)
{
    if (facts != NULL)
        *facts = (struct tacit_report_facts){0};
}

enum tacit_err tacit_report_verify(struct tacit_verdict *v, struct tacit_report_facts *facts,
                                   struct bytes report, const struct tacit_report_opts *opts)
{
    struct row_scope scope = {v, "report", "tacit", false};
    struct report_run run = {.v = v, .opts = opts, .arena = arena_make(LIMIT_REPORT_ARENA)};
    struct jval root;

    facts_withhold(facts);
    if (!opts_are_sound(opts)) {
        row_not_run(&scope, "report.json", TACIT_CAUSE_POLICY, "the options contradict each other");
        return TACIT_USAGE;
    }
    if (report_open(&run, &root, report)) {
        if (opts->form == TACIT_REPORT_GATEWAY)
            gateway_form(&run, root, facts);
        else
            node_form(&run, root, facts);
    }
    arena_done(&run.arena);
    if (!run.is_out_of_memory)
        return TACIT_OK;
    row_not_run(&scope, "report.memory", TACIT_CAUSE_UNOBTAINABLE, "memory ran out");
    facts_withhold(facts);
    return TACIT_NOMEM;
}
