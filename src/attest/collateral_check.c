/* Collateral judged by itself. Invariant: nothing is believed of a document before its signature
 * has led to the root by certificates that are valid now and not revoked. */
#include "attest/collateral_check.h"

#include <tacit/quote.h>

#include "attest/collateral.h"
#include "attest/qe_identity.h"
#include "base/limits.h"
#include "crypto/x509.h"

struct check {
    struct row_scope scope;
    struct arena arena;
    int64_t now;
    struct collateral col;
    struct x509_cert root, ca;
    struct pubkey *root_key, *ca_key;
    struct x509_crl root_crl, pck_crl;
    struct tcb_info tcb;
    struct qe_identity qe;
    struct collateral_facts found;
    bool is_out_of_memory;
};

static bool fail(struct check *c, const char *id, enum tacit_row_cause cause, const char *reason)
{
    row_fail(&c->scope, id, cause, "%s", reason);
    return false;
}

static bool pass(struct check *c, const char *id)
{
    row_pass(&c->scope, id);
    return true;
}

static void window_cut(struct check *c, int64_t from, int64_t until)
{
    if (from > c->found.from_unix_s)
        c->found.from_unix_s = from;
    if (until < c->found.until_unix_s)
        c->found.until_unix_s = until;
}

static bool judge_err(struct check *c, const char *id, enum tacit_err err, const char *reason)
{
    c->is_out_of_memory |= err == TACIT_NOMEM;
    if (err == TACIT_OK)
        return true;
    return fail(c, id, err == TACIT_SIGNATURE ? TACIT_CAUSE_FORGED : TACIT_CAUSE_UNTRUSTED, reason);
}

static bool parse_check(struct check *c, struct bytes json)
{
    const char *missing = NULL;
    enum tacit_err err = collateral_parse(&c->col, &missing, json, &c->arena);

    c->is_out_of_memory |= err == TACIT_NOMEM;
    if (err == TACIT_OK)
        return pass(c, "collateral.parse");
    row_fail(&c->scope, "collateral.parse", TACIT_CAUSE_UNPARSABLE, "no such file: %s%s",
             missing == NULL ? "it is not one strict JSON object" : "it lacks the text member ",
             missing == NULL ? "" : missing);
    return false;
}

static bool crl_check(struct check *c, const char *id, struct x509_crl *crl, struct bytes der,
                      const struct x509_cert *ca, const struct pubkey *key)
{
    if (x509_crl_parse(crl, der) != TACIT_OK || !crl->has_number || crl->aki.len == 0)
        return fail(c, id, TACIT_CAUSE_UNPARSABLE, "the revocation list is not well-formed");
    if (!judge_err(c, id, x509_crl_issued_by(crl, ca, key), "the revocation list is not this CA's"))
        return false;
    if (!x509_crl_valid_at(crl, c->now))
        return fail(c, id, TACIT_CAUSE_OUT_OF_DATE, "the revocation list is not current");
    window_cut(c, crl->this_update_unix_s, crl->next_update_unix_s);
    return pass(c, id);
}

/* A chain of one certificate below the root, the root itself included or not. */
static bool chain_open(struct check *c, const char *id, struct x509_cert *out, struct bytes pem)
{
    struct x509_cert chain[3];
    size_t count = 0;
    enum tacit_err err = x509_parse_pem(chain, ARRAY_LEN(chain), &count, pem, &c->arena);

    c->is_out_of_memory |= err == TACIT_NOMEM;
    if (err != TACIT_OK || count == 0 || count > 2)
        return fail(c, id, TACIT_CAUSE_UNPARSABLE,
                    "the issuer chain is not a certificate and its root in PEM");
    if (count == 2 && !bytes_eq(chain[1].der, c->root.der))
        return fail(c, id, TACIT_CAUSE_UNTRUSTED, "the issuer chain ends in another root");
    *out = chain[0];
    if (!x509_valid_at(out, c->now))
        return fail(c, id, TACIT_CAUSE_OUT_OF_DATE, "the issuer's certificate is not valid now");
    window_cut(c, out->not_before_unix_s, out->not_after_unix_s);
    return true;
}

static bool issued_by_root(struct check *c, const char *id, const struct x509_cert *cert,
                           unsigned below)
{
    if (!judge_err(c, id, x509_issues(&c->root, c->root_key, cert, below),
                   "the issuer's certificate is not from the root"))
        return false;
    if (x509_crl_lists(&c->root_crl, cert->serial))
        return fail(c, id, TACIT_CAUSE_REVOKED, "the issuer's certificate is revoked");
    return true;
}

static bool ca_check(struct check *c)
{
    static const char id[] = "collateral.pck_ca";
    bool is_platform;

    if (!chain_open(c, id, &c->ca, c->col.pck_crl_issuer_chain) ||
        !issued_by_root(c, id, &c->ca, 1))
        return false;
    is_platform = bytes_eq_cstr(c->ca.subject_cn, "Intel SGX PCK Platform CA");
    if (!is_platform && !bytes_eq_cstr(c->ca.subject_cn, "Intel SGX PCK Processor CA"))
        return fail(c, id, TACIT_CAUSE_UNTRUSTED, "the issuer is neither of Intel's PCK CAs");
    c->found.need.is_platform_ca = is_platform;
    if (!judge_err(c, id, x509_key(&c->ca_key, &c->ca, NULL), "the CA's key cannot be read"))
        return false;
    return pass(c, id);
}

static bool signer_is_shaped(const struct x509_cert *s)
{
    return bytes_eq_cstr(s->subject_cn, "Intel SGX TCB Signing") && s->has_constraints &&
           !s->is_ca && s->has_usage && (s->usage & X509_USE_SIGNATURE) != 0 &&
           !s->has_unknown_critical;
}

static bool signed_check(struct check *c, const char *id, struct bytes pem, struct bytes text,
                         struct bytes sig)
{
    struct pubkey *key = NULL;
    struct x509_cert signer;
    bool ok;

    if (!chain_open(c, id, &signer, pem) || !issued_by_root(c, id, &signer, 0))
        return false;
    if (!signer_is_shaped(&signer))
        return fail(c, id, TACIT_CAUSE_UNTRUSTED, "the signer is not Intel SGX TCB Signing");
    ok = judge_err(c, id, x509_key(&key, &signer, NULL), "the signer's key cannot be read") &&
         judge_err(c, id, pubkey_verify_raw(key, sig, text), "the signature does not verify");
    pubkey_free(key);
    return ok;
}

static bool dates_check(struct check *c, const char *id, int64_t issue, int64_t next)
{
    if (c->now < issue || c->now > next)
        return fail(c, id, TACIT_CAUSE_OUT_OF_DATE,
                    c->now < issue ? "the document is not valid yet" : "the document has expired");
    window_cut(c, issue, next);
    return pass(c, id);
}

static bool tcb_check(struct check *c)
{
    static const char id[] = "collateral.tcb_info";
    enum tacit_err err;

    if (!signed_check(c, id, c->col.tcb_info_issuer_chain, c->col.tcb_info,
                      c->col.tcb_info_signature))
        return false;
    err = tcb_info_parse(&c->tcb, c->col.tcb_info, &c->arena);
    c->is_out_of_memory |= err == TACIT_NOMEM;
    if (err != TACIT_OK)
        return fail(c, id, TACIT_CAUSE_UNPARSABLE, "the TCB info is not well-formed");
    memcpy(c->found.need.fmspc, c->tcb.fmspc, sizeof(c->found.need.fmspc));
    c->found.need.is_tdx = c->tcb.is_tdx;
    c->found.tcb_eval_number = c->tcb.eval_number;
    c->found.tcb_levels = c->tcb.level_count;
    c->found.tcb_until_unix_s = c->tcb.next_update_unix_s;
    return dates_check(c, id, c->tcb.issue_unix_s, c->tcb.next_update_unix_s);
}

static bool qe_check(struct check *c)
{
    static const char id[] = "collateral.qe_identity";
    enum tacit_err err;

    if (!signed_check(c, id, c->col.qe_identity_issuer_chain, c->col.qe_identity,
                      c->col.qe_identity_signature))
        return false;
    err = qe_identity_parse(&c->qe, c->col.qe_identity, &c->arena);
    c->is_out_of_memory |= err == TACIT_NOMEM;
    if (err != TACIT_OK)
        return fail(c, id, TACIT_CAUSE_UNPARSABLE, "the QE identity is not well-formed");
    c->found.qe_eval_number = c->qe.eval_number;
    c->found.qe_until_unix_s = c->qe.next_update_unix_s;
    return dates_check(c, id, c->qe.issue_unix_s, c->qe.next_update_unix_s);
}

static bool platform_check(struct check *c, const struct tacit_collateral_need *need)
{
    static const char id[] = "collateral.platform";

    if (c->tcb.is_tdx != c->qe.is_tdx)
        return fail(c, id, TACIT_CAUSE_MISMATCH, "TCB info and QE identity are of different TEEs");
    if (need != NULL &&
        (memcmp(need->fmspc, c->tcb.fmspc, sizeof(need->fmspc)) != 0 ||
         need->is_tdx != c->tcb.is_tdx || need->is_platform_ca != c->found.need.is_platform_ca))
        return fail(c, id, TACIT_CAUSE_MISMATCH, "the collateral is for another platform");
    return pass(c, id);
}

static bool root_open(struct check *c, struct bytes root_der)
{
    struct bytes intel = tacit_intel_root();

    c->found.is_simulated = root_der.len > 0 && !bytes_eq(root_der, intel);
    c->scope.authority = c->found.is_simulated ? "SIMULATED root" : "Intel SGX Root CA";
    c->scope.v->is_simulated |= c->found.is_simulated;
    return x509_parse(&c->root, root_der.len > 0 ? root_der : intel) == TACIT_OK &&
           x509_key(&c->root_key, &c->root, NULL) == TACIT_OK;
}

static bool documents_check(struct check *c)
{
    bool ok = crl_check(c, "collateral.root_crl", &c->root_crl, c->col.root_ca_crl, &c->root,
                        c->root_key) &&
              ca_check(c) &&
              crl_check(c, "collateral.pck_crl", &c->pck_crl, c->col.pck_crl, &c->ca, c->ca_key);

    /* the documents do not hang on the PCK CA, but they do on the root CRL */
    if (c->root_crl.der.len == 0)
        return false;
    ok &= tcb_check(c);
    ok &= qe_check(c);
    c->found.root_crl_until_unix_s = c->root_crl.next_update_unix_s;
    c->found.pck_crl_until_unix_s = c->pck_crl.next_update_unix_s;
    c->found.revoked_pck = c->pck_crl.revoked_count;
    return ok;
}

enum tacit_err collateral_check(struct tacit_verdict *v, struct collateral_facts *out,
                                struct bytes json, struct bytes root_der,
                                const struct tacit_collateral_need *need, int64_t now_unix_s)
{
    struct check c = {.scope = {v, "collateral", NULL, false},
                      .arena = arena_make(LIMIT_DCAP_BASE_BYTES),
                      .now = now_unix_s,
                      .found = {.from_unix_s = INT64_MIN, .until_unix_s = INT64_MAX}};
    enum tacit_err err = TACIT_OK;

    *out = (struct collateral_facts){0};
    if (!root_open(&c, root_der)) {
        row_not_run(&c.scope, "collateral.parse", TACIT_CAUSE_UNPARSABLE,
                    "the trusted root is no certificate");
        err = TACIT_USAGE;
    } else if (parse_check(&c, json) && documents_check(&c) && platform_check(&c, need) &&
               !c.is_out_of_memory) {
        *out = c.found;
    }
    if (c.is_out_of_memory) {
        row_not_run(&c.scope, "collateral.memory", TACIT_CAUSE_UNOBTAINABLE, "memory ran out");
        err = TACIT_NOMEM;
    }
    pubkey_free(c.root_key);
    pubkey_free(c.ca_key);
    arena_done(&c.arena);
    return err;
}
