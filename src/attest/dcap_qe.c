/* The quoting enclave, the quote's signature, the TCB (tdx.md 2.6-2.8). */
#include "attest/dcap_priv.h"
#include "crypto/sha2.h"

/* REPORTDATA of the QE: SHA-256(attestation key || authentication data), then 32 zeros. */
static bool is_bound(const struct tacit_quote *q)
{
    uint8_t wanted[64] = {0};
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, q->att_key);
    sha256_add(&hash, q->qe_auth_data);
    sha256_final(&hash, wanted);
    return bytes_eq(q->qe.report_data, BYTES_ARRAY(wanted));
}

static bool identity_check(struct dcap_run *run)
{
    const struct qe_identity *id = &run->base->qe;
    const struct tacit_sgx_report *qe = &run->quote.qe;
    const char *why;

    if (id->is_tdx != (run->quote.body != TACIT_BODY_SGX))
        return run_fail(run, CHECK_QE_IDENTITY, TACIT_CAUSE_MISMATCH,
                        "the QE identity is that of the other kind of quoting enclave");
    why = qe_identity_differs(id, qe);
    if (why != NULL)
        return run_fail(run, CHECK_QE_IDENTITY, TACIT_CAUSE_MISMATCH, "%s", why);
    run->qe_level = isv_level_find(&id->levels, qe->isvsvn);
    if (run->qe_level == NULL)
        return run_fail(run, CHECK_QE_IDENTITY, TACIT_CAUSE_OUT_OF_DATE,
                        "the quoting enclave is older than every known version");
    if (run->qe_level->verdict.status == TACIT_TCB_REVOKED)
        return run_fail(run, CHECK_QE_IDENTITY, TACIT_CAUSE_REVOKED,
                        "the quoting enclave's version is revoked");
    return run_pass(run, CHECK_QE_IDENTITY);
}

bool stage_qe(struct dcap_run *run)
{
    struct dcap_platform *p = run->platform;
    const struct tacit_quote *q = &run->quote;
    enum tacit_err err;

    /* A cached platform has been through signature and binding with these very octets. */
    if (!run->is_platform_new)
        return run_pass(run, CHECK_QE_SIGNATURE) && run_pass(run, CHECK_QE_BINDING) &&
               identity_check(run);
    err = pubkey_verify_raw(p->leaf_key, q->qe_signature, q->qe.whole);
    if (err == TACIT_NOMEM)
        return run_nomem(run, CHECK_QE_SIGNATURE);
    if (err != TACIT_OK)
        return run_fail(run, CHECK_QE_SIGNATURE, TACIT_CAUSE_FORGED,
                        "the platform's key did not sign the quoting enclave's report");
    run_pass(run, CHECK_QE_SIGNATURE);
    if (!is_bound(q))
        return run_fail(run, CHECK_QE_BINDING, TACIT_CAUSE_FORGED,
                        "the quoting enclave's report does not name the attestation key");
    err = pubkey_from_point(&p->att_key, PUBKEY_P256, q->att_key, p->leaf_key);
    if (err == TACIT_NOMEM)
        return run_nomem(run, CHECK_QE_BINDING);
    if (err != TACIT_OK)
        return run_fail(run, CHECK_QE_BINDING, TACIT_CAUSE_UNPARSABLE,
                        "the attestation key is not a point on P-256");
    run_pass(run, CHECK_QE_BINDING);
    return identity_check(run);
}

bool stage_quote(struct dcap_run *run)
{
    enum tacit_err err =
        pubkey_verify_raw(run->platform->att_key, run->quote.signature, run->quote.signed_part);

    if (err == TACIT_NOMEM)
        return run_nomem(run, CHECK_QUOTE_SIGNATURE);
    if (err != TACIT_OK)
        return run_fail(run, CHECK_QUOTE_SIGNATURE, TACIT_CAUSE_FORGED,
                        "the quote's signature does not verify");
    return run_pass(run, CHECK_QUOTE_SIGNATURE);
}

static bool outcome_row(struct dcap_run *run, const struct tcb_outcome *o, const char *which)
{
    switch (o->fault) {
    case TCB_MODULE_DIFFERS:
        return run_fail(run, CHECK_TDX_MODULE, TACIT_CAUSE_MISMATCH, "%s%s", which, o->why);
    case TCB_NO_LEVEL:
        run_pass(run, CHECK_TDX_MODULE);
        return run_fail(run, CHECK_TCB_LEVEL, TACIT_CAUSE_OUT_OF_DATE, "%s%s", which, o->why);
    case TCB_IS_REVOKED:
        run_pass(run, CHECK_TDX_MODULE);
        return run_fail(run, CHECK_TCB_LEVEL, TACIT_CAUSE_REVOKED, "%s%s", which, o->why);
    case TCB_FINE:
        break;
    }
    return true;
}

/* TD 1.5 bodies say which module launched the TD and which one runs now; both are judged. A revoked
 * module that came after the launch does not change the result (as Intel's verifier has it), but it
 * is reported. */
bool stage_tcb(struct dcap_run *run)
{
    const struct dcap_base *b = run->base;
    const struct sgx_ext *ext = &run->platform->ext;
    const struct tacit_td_report *td = run->quote.body == TACIT_BODY_SGX ? NULL : &run->quote.td;
    enum tacit_tcb_status qe = run->qe_level->verdict.status;
    struct bytes svn = td == NULL ? (struct bytes){NULL, 0} : td->tee_tcb_svn;

    run->launch = tcb_evaluate(&b->tcb, ext, td, svn, qe);
    if (!outcome_row(run, &run->launch, ""))
        return false;
    run->status = run->launch.status;
    if (td != NULL && td->tee_tcb_svn2.len > 0) {
        run->current = tcb_evaluate(&b->tcb, ext, td, td->tee_tcb_svn2, qe);
        if (run->current.fault != TCB_IS_REVOKED &&
            !outcome_row(run, &run->current, "after the last module update: "))
            return false;
        run->status = tcb_relaunch(run->launch.status, run->current.status);
    }
    run_pass(run, CHECK_TDX_MODULE);
    return run_pass(run, CHECK_TCB_LEVEL);
}
