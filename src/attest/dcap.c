/* Verification of a quote from end to end. Invariant: `out` stays zero until every check has
 * passed; what is cached has passed the same checks with the same octets, and is used only inside
 * its validity window. */
#include "attest/dcap.h"

#include <stdlib.h>

#include "attest/dcap_priv.h"
#include "base/limits.h"
#include "crypto/ct.h"

struct dcap_base *dcap_base_new(void)
{
    struct dcap_base *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return NULL;
    b->arena = arena_make(LIMIT_DCAP_BASE_BYTES);
    b->window = (struct dcap_window){INT64_MIN, INT64_MAX};
    return b;
}

void dcap_base_free(struct dcap_base *base)
{
    if (base == NULL)
        return;
    pubkey_free(base->root_key);
    pubkey_free(base->ca_key);
    arena_done(&base->arena);
    free(base);
}

struct dcap_platform *dcap_platform_new(void)
{
    struct dcap_platform *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->arena = arena_make(LIMIT_DCAP_PLATFORM_BYTES);
    p->window = (struct dcap_window){INT64_MIN, INT64_MAX};
    return p;
}

void dcap_platform_free(struct dcap_platform *platform)
{
    if (platform == NULL)
        return;
    pubkey_free(platform->leaf_key);
    pubkey_free(platform->att_key);
    arena_done(&platform->arena);
    free(platform);
}

static bool stage_parse(struct dcap_run *run)
{
    const char *why = NULL;

    if (run->in->quote.len > LIMIT_QUOTE_BYTES)
        return run_fail(run, CHECK_QUOTE_PARSE, TACIT_CAUSE_UNPARSABLE,
                        "the quote is larger than any genuine one");
    if (tacit_quote_parse(&run->quote, run->in->quote, &why) != TACIT_OK)
        return run_fail(run, CHECK_QUOTE_PARSE, TACIT_CAUSE_UNPARSABLE, "%s", why);
    return run_pass(run, CHECK_QUOTE_PARSE);
}

/* A new base: the trusted root and the collateral file, copied into the base's own memory. */
static enum tacit_err base_open(struct dcap_run *run, const char **missing)
{
    struct dcap_base *b = run->base;
    struct bytes root = arena_dup(&b->arena, run->root_der);
    enum tacit_err err;

    *missing = NULL;
    b->source = arena_dup(&b->arena, run->in->collateral);
    if (root.ptr == NULL || b->source.ptr == NULL)
        return TACIT_NOMEM;
    err = x509_parse(&b->root, root);
    if (err == TACIT_OK)
        err = x509_key(&b->root_key, &b->root, NULL);
    if (err == TACIT_NOMEM)
        return err;
    if (err != TACIT_OK || pubkey_kind(b->root_key) != PUBKEY_P256)
        return TACIT_USAGE;
    return collateral_parse(&b->col, missing, b->source, &b->arena);
}

bool stage_collateral(struct dcap_run *run)
{
    const char *missing;
    enum tacit_err err;

    if (!run->is_base_new)
        return run_pass(run, CHECK_COLLATERAL);
    if (run->in->collateral.len == 0)
        return run_fail(run, CHECK_COLLATERAL, TACIT_CAUSE_UNOBTAINABLE,
                        "there is no collateral for this platform");
    if (run->in->collateral.len > LIMIT_COLLATERAL_BYTES)
        return run_fail(run, CHECK_COLLATERAL, TACIT_CAUSE_UNPARSABLE,
                        "the collateral is larger than any genuine one");
    err = base_open(run, &missing);
    if (err == TACIT_NOMEM)
        return run_nomem(run, CHECK_COLLATERAL);
    if (err == TACIT_USAGE) {
        run->err = TACIT_USAGE;
        return run_fail(run, CHECK_COLLATERAL, TACIT_CAUSE_UNPARSABLE,
                        "the trusted root is not a P-256 certificate in DER");
    }
    if (missing != NULL)
        return run_fail(run, CHECK_COLLATERAL, TACIT_CAUSE_UNPARSABLE,
                        "the collateral has no text member '%s'", missing);
    if (err != TACIT_OK)
        return run_fail(run, CHECK_COLLATERAL, TACIT_CAUSE_UNPARSABLE,
                        "the collateral is not one strict JSON object");
    return run_pass(run, CHECK_COLLATERAL);
}

/* Nothing of this platform is known: everything, or everything but the base. */
static bool verify_platform(struct dcap_run *run)
{
    if (!stage_chain(run))
        return false;
    if (run->is_base_new)
        return stage_crls(run) && stage_documents(run);
    return run_pass(run, CHECK_CRL_ROOT) && run_pass(run, CHECK_CRL_PCK) && stage_revocation(run) &&
           run_pass(run, CHECK_TCB_CHAIN) && run_pass(run, CHECK_TCB_SIGNATURE) &&
           run_pass(run, CHECK_TCB_PARSE) && run_pass(run, CHECK_TCB_VALIDITY) &&
           stage_platform(run) && run_pass(run, CHECK_QEID_CHAIN) &&
           run_pass(run, CHECK_QEID_SIGNATURE) && run_pass(run, CHECK_QEID_PARSE) &&
           run_pass(run, CHECK_QEID_VALIDITY);
}

/* A platform from the cache has passed all these checks; time is inside every window. */
static bool replay_platform(struct dcap_run *run)
{
    while (run->next < CHECK_TCB_PLATFORM)
        run_pass(run, run->next);
    if (!stage_platform(run))
        return false;
    while (run->next < CHECK_QE_SIGNATURE)
        run_pass(run, run->next);
    return true;
}

static bool verify(struct dcap_run *run)
{
    if (!stage_parse(run))
        return false;
    if (run->in->cache != NULL)
        cache_find(run->in->cache, run);
    run->is_base_new = run->base == NULL;
    run->is_platform_new = run->platform == NULL;
    if (run->is_base_new)
        run->base = dcap_base_new();
    if (run->is_platform_new)
        run->platform = dcap_platform_new();
    if (run->base == NULL || run->platform == NULL)
        return run_nomem(run, CHECK_COLLATERAL);
    return stage_collateral(run) &&
           (run->is_platform_new ? verify_platform(run) : replay_platform(run)) && stage_qe(run) &&
           stage_quote(run) && stage_tcb(run);
}

/* All 64 octets, in constant time. */
static void report_data_row(const struct dcap_run *run)
{
    const struct tacit_quote *q = &run->quote;
    struct bytes have = q->body == TACIT_BODY_SGX ? q->sgx.report_data : q->td.report_data;

    if (run->in->report_data == NULL)
        return;
    if (run->next < CHECK_COUNT || have.len != 64)
        row_not_run(&run->rows, "tdx.report_data", TACIT_CAUSE_NONE, "the quote is not genuine");
    else if (ct_equal(have, bytes_make(run->in->report_data, 64)))
        row_pass(&run->rows, "tdx.report_data");
    else
        row_fail(&run->rows, "tdx.report_data", TACIT_CAUSE_MISMATCH,
                 "REPORTDATA is not what was asked for");
}

static void run_release(struct dcap_run *run, bool is_genuine)
{
    if (is_genuine && run->in->cache != NULL && (run->is_base_new || run->is_platform_new)) {
        cache_keep(run->in->cache, run);
        return;
    }
    if (run->is_platform_new)
        dcap_platform_free(run->platform);
    if (run->is_base_new)
        dcap_base_free(run->base);
}

enum tacit_err tacit_quote_verify(struct tacit_verdict *v, struct tacit_quote_result *out,
                                  const struct tacit_quote_input *in)
{
    struct bytes intel = tacit_intel_root();
    struct dcap_run run = {.in = in, .root_der = in->root_der.len > 0 ? in->root_der : intel};
    bool is_genuine;

    memset(out, 0, sizeof(*out));
    run.is_simulated = !bytes_eq(run.root_der, intel);
    run.rows = (struct row_scope){v, in->subject != NULL ? in->subject : "quote",
                                  run.is_simulated ? "SIMULATED root" : "Intel SGX Root CA", false};
    if (run.is_simulated)
        v->is_simulated = true;
    is_genuine = verify(&run);
    if (is_genuine) {
        result_fill(out, &run);
        if (in->policy != NULL)
            tdx_policy_rows(&run.rows, in->policy, out, in->now_unix_s);
    } else {
        run_close(&run);
        if (in->policy != NULL)
            tdx_policy_rows_not_run(&run.rows);
    }
    if (is_genuine || in->report_data != NULL)
        report_data_row(&run);
    run_release(&run, is_genuine);
    return run.err;
}
