/* One attested party: its claims are read, its quote verified, and each claim held against the
 * quote or against what the caller knows. Invariant: without a genuine quote no later check of this
 * party passes. */
#include <stdio.h>

#include "attest/report_data.h"
#include "attest/report_priv.h"
#include "codec/hex.h"
#include "crypto/ct.h"
#include "crypto/k1.h"

enum { NONCE_LEN = 32, SPKI_LEN = 32 };

static void nonce_check(struct side *s)
{
    struct bytes nonce = report_hex(s->run, s->obj, "request_nonce");

    if (nonce.len != NONCE_LEN)
        row_fail(&s->scope, "report.nonce", TACIT_CAUSE_UNPARSABLE,
                 "request_nonce is not 32 octets of hex");
    else if (!ct_equal(nonce, BYTES_ARRAY(s->run->opts->nonce)))
        row_fail(&s->scope, "report.nonce", TACIT_CAUSE_MISMATCH,
                 "the report answers another nonce than ours");
    else
        row_pass(&s->scope, "report.nonce");
}

static void model_check(struct side *s)
{
    const char *wanted = s->run->opts->model;
    struct bytes name = report_str(s->run, s->obj, "model_name");
    char shown[ROW_TEXT_MAX];

    if (s->is_gateway)
        return;
    if (name.len > 0 && name.len < TACIT_MODEL_NAME_MAX)
        memcpy(s->facts->model, name.ptr, name.len);
    if (wanted == NULL)
        return;
    if (!bytes_eq_cstr(name, wanted))
        row_fail(&s->scope, "report.model", TACIT_CAUSE_MISMATCH,
                 "the node says it serves '%s', not the model asked for", row_text(shown, name));
    else
        row_pass(&s->scope, "report.model");
}

static bool algo_read(struct side *s, bool *is_ed25519)
{
    struct bytes algo = report_str(s->run, s->obj, "signing_algo");

    *is_ed25519 = bytes_eq_cstr(algo, "ed25519");
    return *is_ed25519 || bytes_eq_cstr(algo, "ecdsa");
}

static bool address_read(struct side *s)
{
    bool is_ed25519;
    size_t len;

    if (!algo_read(s, &is_ed25519)) {
        row_fail(&s->scope, "report.signer", TACIT_CAUSE_UNPARSABLE,
                 "signing_algo is neither ecdsa nor ed25519");
        return false;
    }
    len = is_ed25519 ? ADDRESS_ED25519_LEN : ADDRESS_ECDSA_LEN;
    s->address = report_hex(s->run, s->obj, "signing_address");
    if (s->address.len != len) {
        s->address = (struct bytes){NULL, 0};
        row_fail(&s->scope, "report.signer", TACIT_CAUSE_UNPARSABLE,
                 "signing_address is not %zu octets of hex", len);
        return false;
    }
    s->facts->is_ed25519 = is_ed25519;
    s->facts->signing_address_len = len;
    memcpy(s->facts->signing_address, s->address.ptr, len);
    return true;
}

static void signer_check(struct side *s)
{
    struct bytes wanted = s->run->opts->signer;

    if (s->is_gateway || wanted.len == 0)
        row_pass(&s->scope, "report.signer");
    else if (!ct_equal(s->address, wanted))
        row_fail(&s->scope, "report.signer", TACIT_CAUSE_MISMATCH,
                 "this is another signing key than the one expected");
    else
        row_pass(&s->scope, "report.signer");
}

/* The quote binds the address only: whoever encrypts to the key must know that it is the same. */
static void key_check(struct side *s)
{
    struct bytes key = report_hex(s->run, s->obj, "signing_public_key");
    uint8_t address[K1_ADDRESS_LEN];
    bool fits;

    if (jscan_is_nothing(jscan_member(s->obj, "signing_public_key"))) {
        if (s->facts->is_ed25519) {
            memcpy(s->facts->signing_key, s->address.ptr, ADDRESS_ED25519_LEN);
            s->facts->has_signing_key = true;
        }
        return;
    }
    if (key.len == K1_PUB_LEN + 1 && key.ptr[0] == 0x04)
        key = bytes_slice(key, 1, SIZE_MAX);
    if (key.len != (s->facts->is_ed25519 ? 32 : K1_PUB_LEN)) {
        row_fail(&s->scope, "report.signing_key", TACIT_CAUSE_UNPARSABLE,
                 "signing_public_key has %zu octets", key.len);
        return;
    }
    if (s->facts->is_ed25519) {
        fits = bytes_eq(key, s->address);
    } else {
        k1_address(address, key.ptr);
        fits = bytes_eq(BYTES_ARRAY(address), s->address);
    }
    if (!fits) {
        row_fail(&s->scope, "report.signing_key", TACIT_CAUSE_MISMATCH,
                 "signing_public_key is not the key of signing_address");
        return;
    }
    memcpy(s->facts->signing_key, key.ptr, key.len);
    s->facts->has_signing_key = true;
    row_pass(&s->scope, "report.signing_key");
}

/* The fingerprint as declared, or ptr NULL. A declared one that cannot be read is a failure. */
static bool fingerprint_read(struct side *s, struct bytes *out)
{
    struct jval declared = jscan_member(s->obj, "tls_cert_fingerprint");

    *out = (struct bytes){NULL, 0};
    if (jscan_is_nothing(declared))
        return true;
    *out = report_hex(s->run, s->obj, "tls_cert_fingerprint");
    return out->len == SPKI_LEN;
}

static void tls_judge(struct side *s, struct bytes declared)
{
    const struct tacit_report_opts *opts = s->run->opts;
    struct row_scope aside = s->scope;

    aside.is_optional = true;
    if (!s->is_direct) {
        row_not_run(&aside, "report.tls", TACIT_CAUSE_NONE,
                    "this party's connection is not ours: only its peer can compare the key");
    } else if (opts->tls_spki == NULL) {
        row_not_run(&aside, "report.tls", TACIT_CAUSE_UNOBTAINABLE,
                    "the key of the connection was not observed");
    } else if (declared.ptr == NULL) {
        if (opts->is_tls_required)
            aside.is_optional = false;
        row_fail(&aside, "report.tls", TACIT_CAUSE_MISMATCH,
                 "the report binds no TLS key, so anybody may sit on the connection");
    } else if (!ct_equal(declared, bytes_make(opts->tls_spki, SPKI_LEN))) {
        row_fail(&s->scope, "report.tls", TACIT_CAUSE_MISMATCH,
                 "the connection shows another TLS key than the one attested");
    } else {
        row_pass(&s->scope, "report.tls");
    }
}

static void data_check(struct side *s, struct bytes declared)
{
    struct bytes data = s->result->quote.td.report_data;

    if (!report_data_matches(data.ptr, s->address, declared.ptr, s->run->opts->nonce)) {
        row_fail(&s->scope, "report.data", TACIT_CAUSE_MISMATCH,
                 "the quote's report data does not bind this address, TLS key and nonce");
        return;
    }
    row_pass(&s->scope, "report.data");
    memcpy(s->facts->report_data, data.ptr, REPORT_DATA_LEN);
    if (declared.ptr != NULL) {
        memcpy(s->facts->tls_spki, declared.ptr, SPKI_LEN);
        s->facts->has_tls_spki = true;
    }
}

/* Gateways repeat the 64 octets beside the quote; clients read them there. */
static void copy_check(struct side *s)
{
    struct bytes copy = report_hex(s->run, s->obj, "report_data");

    if (jscan_is_nothing(jscan_member(s->obj, "report_data")) && !s->is_gateway)
        return;
    if (!bytes_eq(copy, s->result->quote.td.report_data))
        row_fail(&s->scope, "report.data_copy", TACIT_CAUSE_MISMATCH,
                 "the member report_data is not what the quote holds");
    else
        row_pass(&s->scope, "report.data_copy");
}

static void quote_facts(struct side *s)
{
    const struct tacit_td_report *td = &s->result->quote.td;

    memcpy(s->facts->mrtd, td->mrtd.ptr, sizeof(s->facts->mrtd));
    memcpy(s->facts->mrconfigid, td->mrconfigid.ptr, sizeof(s->facts->mrconfigid));
    for (unsigned i = 0; i < RTMR_COUNT; i++)
        memcpy(s->facts->rtmr[i], td->rtmr[i].ptr, RTMR_LEN);
    snprintf(s->facts->tcb_status, sizeof(s->facts->tcb_status), "%s",
             tacit_tcb_status_name(s->result->tcb_status));
    s->facts->collateral_expires_unix_s = s->result->earliest_expiry_unix_s;
}

/* What cannot be judged without a genuine quote is named, so that no table looks complete. */
static void rest_not_run(struct side *s)
{
    static const char *const ids[] = {"report.data",   "log.read",     "log.boot",
                                      "log.replay",    "compose.hash", "compose.mrconfigid",
                                      "info.agreement"};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        row_not_run(&s->scope, ids[i], TACIT_CAUSE_UNOBTAINABLE,
                    "there is no genuine TDX quote to hold this against");
}

static void quoted_checks(struct side *s)
{
    struct bytes declared;
    bool readable = fingerprint_read(s, &declared);

    quote_facts(s);
    if (!readable)
        row_fail(&s->scope, "report.data", TACIT_CAUSE_UNPARSABLE,
                 "tls_cert_fingerprint is not 32 octets of hex");
    else
        data_check(s, declared);
    tls_judge(s, declared);
    copy_check(s);
    report_log(s);
    report_measured(s);
}

static bool quote_check(struct side *s)
{
    s->quote = report_hex(s->run, s->obj, "intel_quote");
    if (s->quote.ptr == NULL) {
        row_fail(&s->scope, "tdx.quote.parse", TACIT_CAUSE_UNPARSABLE,
                 "intel_quote is missing or not hex");
        return false;
    }
    s->scope.authority = "Intel";
    return report_quote(s->run, s->result, &s->scope, s->quote, s->policy->tdx);
}

static bool all_passed(const struct tacit_verdict *v, size_t from)
{
    if (v->is_overflowed || from == v->count)
        return false;
    for (size_t i = from; i < v->count; i++)
        if (v->rows[i].is_required && v->rows[i].result != TACIT_ROW_PASSED)
            return false;
    return true;
}

static void side_verify(struct side *s, struct jval holder)
{
    s->scope.authority = "caller";
    nonce_check(s);
    model_check(s);
    if (address_read(s)) {
        signer_check(s);
        key_check(s);
    }
    if (quote_check(s)) {
        s->scope.authority = s->result->is_simulated ? "SIMULATED quote" : "TDX quote";
        quoted_checks(s);
    } else {
        rest_not_run(s);
    }
    if (!s->is_gateway) {
        report_gpu(s);
        report_manager(s);
    }
    s->scope.authority = "attested signing key";
    report_ohttp(s, holder);
}

void report_side(struct report_run *run, const char *subject, struct jval obj, bool is_gateway,
                 bool is_direct, struct jval holder, struct tacit_side_facts *facts)
{
    size_t from = run->v->count;
    struct tacit_side_facts found = {0};
    struct side s = {.run = run,
                     .policy = is_gateway ? &run->opts->gateway : &run->opts->node,
                     .is_gateway = is_gateway,
                     .is_direct = is_direct,
                     .obj = obj,
                     .facts = &found};

    snprintf(s.subject, sizeof(s.subject), "%s", subject);
    s.scope = (struct row_scope){run->v, s.subject, "caller", false};
    s.result = arena_alloc(&run->arena, sizeof(*s.result));
    if (s.result == NULL) {
        run->is_out_of_memory = true;
        return;
    }
    if (obj.type != JVAL_OBJECT) {
        row_fail(&s.scope, "report.shape", TACIT_CAUSE_UNPARSABLE,
                 "the report holds no attestation of this party");
        return;
    }
    side_verify(&s, holder);
    if (facts != NULL && all_passed(run->v, from) && !run->is_out_of_memory) {
        found.is_trusted = true;
        *facts = found;
    }
}
