/* Intel's signed documents: who signed them, that they did, and what they say (tdx.md 2.5).
 * Invariant: a document is parsed only after its signature has verified over its exact octets. */
#include "attest/dcap_priv.h"

#include "base/utc.h"

/* What differs between TCB info and QE identity. */
struct document {
    const char *name;
    enum dcap_check chain, signature, parse, validity;
    struct bytes pem;
    struct bytes text;
    struct bytes sig;
    struct x509_cert *signer;
};

/* Signing certificate and root, in this order. */
static const char *signer_shape(const struct dcap_run *run, const struct x509_cert *chain,
                                size_t count)
{
    const struct x509_cert *leaf = &chain[0];

    if (count != 2)
        return "the issuer chain does not have two certificates";
    if (!bytes_eq(chain[1].der, run->base->root.der))
        return "the issuer chain's root is not the trusted one";
    /* Every platform owner has a key under the same root; the name tells Intel's signer. */
    if (!bytes_eq_cstr(leaf->subject_cn, "Intel SGX TCB Signing"))
        return "the signer is not Intel SGX TCB Signing";
    if (!leaf->has_constraints || leaf->is_ca || !leaf->has_usage ||
        !(leaf->usage & X509_USE_SIGNATURE) || leaf->has_unknown_critical ||
        leaf->sig_alg != SIG_ECDSA_SHA256)
        return "the signer's certificate is not an end entity's";
    return NULL;
}

static bool signer_validity(struct dcap_run *run, const struct document *d)
{
    if (!x509_valid_at(d->signer, run->in->now_unix_s))
        return run_fail(run, d->chain, TACIT_CAUSE_OUT_OF_DATE,
                        run->in->now_unix_s < d->signer->not_before_unix_s
                            ? "the signing certificate is not yet valid"
                            : "the signing certificate has expired");
    if (x509_crl_lists(&run->base->root_crl, d->signer->serial))
        return run_fail(run, d->chain, TACIT_CAUSE_REVOKED, "the signing certificate is revoked");
    window_cut(&run->base->window, d->signer->not_before_unix_s, d->signer->not_after_unix_s);
    return run_pass(run, d->chain);
}

static bool signer_check(struct dcap_run *run, const struct document *d, struct pubkey **key)
{
    struct dcap_base *b = run->base;
    struct x509_cert chain[3];
    size_t count;
    enum tacit_err err = x509_parse_pem(chain, ARRAY_LEN(chain), &count, d->pem, &b->arena);
    const char *why;

    if (err == TACIT_NOMEM)
        return run_nomem(run, d->chain);
    if (err != TACIT_OK)
        return run_fail(run, d->chain, TACIT_CAUSE_UNPARSABLE,
                        "the issuer chain is not a PEM text of certificates");
    why = signer_shape(run, chain, count);
    if (why != NULL)
        return run_fail(run, d->chain, TACIT_CAUSE_UNTRUSTED, "%s", why);
    *d->signer = chain[0];
    err = x509_issues(&b->root, b->root_key, d->signer, 0);
    if (err == TACIT_OK)
        err = x509_key(key, d->signer, b->root_key);
    if (err == TACIT_NOMEM)
        return run_nomem(run, d->chain);
    if (err == TACIT_SIGNATURE)
        return run_fail(run, d->chain, TACIT_CAUSE_FORGED,
                        "the signature of the signing certificate does not verify");
    if (err != TACIT_OK || pubkey_kind(*key) != PUBKEY_P256)
        return run_fail(run, d->chain, TACIT_CAUSE_UNTRUSTED,
                        "the signing certificate is not one that the root may issue");
    return signer_validity(run, d);
}

static bool signature_check(struct dcap_run *run, const struct document *d,
                            const struct pubkey *key)
{
    enum tacit_err err;

    if (d->sig.len != P256_SIG_LEN)
        return run_fail(run, d->signature, TACIT_CAUSE_UNPARSABLE,
                        "the signature is not 64 octets in hex");
    err = pubkey_verify_raw(key, d->sig, d->text);
    if (err == TACIT_NOMEM)
        return run_nomem(run, d->signature);
    if (err != TACIT_OK)
        return run_fail(run, d->signature, TACIT_CAUSE_FORGED,
                        "the signature over the %s does not verify", d->name);
    return run_pass(run, d->signature);
}

static bool dates_check(struct dcap_run *run, enum dcap_check check, const char *name,
                        int64_t issue_unix_s, int64_t next_unix_s)
{
    char when[UTC_TEXT_LEN + 1];

    if (run->in->now_unix_s < issue_unix_s) {
        utc_format(when, issue_unix_s);
        return run_fail(run, check, TACIT_CAUSE_OUT_OF_DATE,
                        "the %s is not yet valid: it was issued %s", name, when);
    }
    if (run->in->now_unix_s > next_unix_s) {
        utc_format(when, next_unix_s);
        return run_fail(run, check, TACIT_CAUSE_OUT_OF_DATE, "the %s has expired: it ended %s",
                        name, when);
    }
    window_cut(&run->base->window, issue_unix_s, next_unix_s);
    return run_pass(run, check);
}

bool stage_platform(struct dcap_run *run)
{
    const struct tcb_info *tcb = &run->base->tcb;
    const struct sgx_ext *ext = &run->platform->ext;
    bool is_tdx = run->quote.body != TACIT_BODY_SGX;

    if (tcb->is_tdx != is_tdx)
        return run_fail(run, CHECK_TCB_PLATFORM, TACIT_CAUSE_MISMATCH,
                        "the TCB info is for %s, the quote from %s", tcb->is_tdx ? "TDX" : "SGX",
                        is_tdx ? "TDX" : "SGX");
    if (memcmp(tcb->fmspc, ext->fmspc, sizeof(tcb->fmspc)) != 0)
        return run_fail(run, CHECK_TCB_PLATFORM, TACIT_CAUSE_MISMATCH,
                        "the TCB info is for another platform (FMSPC)");
    if (memcmp(tcb->pceid, ext->pceid, sizeof(tcb->pceid)) != 0)
        return run_fail(run, CHECK_TCB_PLATFORM, TACIT_CAUSE_MISMATCH,
                        "the TCB info is for another PCE (PCE-ID)");
    return run_pass(run, CHECK_TCB_PLATFORM);
}

static bool tcb_info_check(struct dcap_run *run, const struct document *d)
{
    struct dcap_base *b = run->base;
    enum tacit_err err = tcb_info_parse(&b->tcb, d->text, &b->arena);

    if (err == TACIT_NOMEM)
        return run_nomem(run, d->parse);
    if (err != TACIT_OK)
        return run_fail(run, d->parse, TACIT_CAUSE_UNPARSABLE, "the TCB info is not well-formed");
    run_pass(run, d->parse);
    return dates_check(run, d->validity, d->name, b->tcb.issue_unix_s, b->tcb.next_update_unix_s);
}

static bool qe_identity_check(struct dcap_run *run, const struct document *d)
{
    struct dcap_base *b = run->base;
    enum tacit_err err = qe_identity_parse(&b->qe, d->text, &b->arena);

    if (err == TACIT_NOMEM)
        return run_nomem(run, d->parse);
    if (err != TACIT_OK)
        return run_fail(run, d->parse, TACIT_CAUSE_UNPARSABLE,
                        "the QE identity is not well-formed");
    run_pass(run, d->parse);
    return dates_check(run, d->validity, d->name, b->qe.issue_unix_s, b->qe.next_update_unix_s);
}

/* Usually both documents come with the same chain: it is verified once. */
static bool second_signer_check(struct dcap_run *run, const struct document *first,
                                const struct document *second, struct pubkey **key)
{
    if (!bytes_eq(first->pem, second->pem))
        return signer_check(run, second, key);
    *second->signer = *first->signer;
    return run_pass(run, second->chain);
}

bool stage_documents(struct dcap_run *run)
{
    struct dcap_base *b = run->base;
    const struct document tcb = {
        "TCB info",      CHECK_TCB_CHAIN,           CHECK_TCB_SIGNATURE,
        CHECK_TCB_PARSE, CHECK_TCB_VALIDITY,        b->col.tcb_info_issuer_chain,
        b->col.tcb_info, b->col.tcb_info_signature, &b->signers[0],
    };
    const struct document qe = {
        "QE identity",        CHECK_QEID_CHAIN,
        CHECK_QEID_SIGNATURE, CHECK_QEID_PARSE,
        CHECK_QEID_VALIDITY,  b->col.qe_identity_issuer_chain,
        b->col.qe_identity,   b->col.qe_identity_signature,
        &b->signers[1],
    };
    struct pubkey *tcb_key = NULL;
    struct pubkey *qe_key = NULL;
    bool ok;

    ok = signer_check(run, &tcb, &tcb_key) && signature_check(run, &tcb, tcb_key) &&
         tcb_info_check(run, &tcb) && stage_platform(run) &&
         second_signer_check(run, &tcb, &qe, &qe_key) &&
         signature_check(run, &qe, qe_key != NULL ? qe_key : tcb_key) &&
         qe_identity_check(run, &qe);
    pubkey_free(tcb_key);
    pubkey_free(qe_key);
    return ok;
}
