/* The rows of one device: report, chain, manifests, measurements, policy. Invariant: a later check
 * whose ground an earlier one has taken away is NOT_RUN and required, never passed. */
#include "attest/gpu_claims.h"
#include "attest/gpu_policy.h"
#include "attest/gpu_priv.h"
#include "crypto/ct.h"

#include <stdio.h>

enum { CLAIMS_MAX = 16 * 1024 };

static bool report_rows(const struct row_scope *s, struct gpu_run *run, struct gpu_subject *d)
{
    if (!d->has_report) {
        row_fail(s, "gpu.report.format", TACIT_CAUSE_UNPARSABLE, "%s", d->report_fault);
        return false;
    }
    row_pass(s, "gpu.report.format");
    if (d->report.trailing > 0)
        row_note(s, "gpu.report.trailing", "%zu zero octets behind the signature are ignored",
                 d->report.trailing);
    if (!ct_equal(d->report.nonce, BYTES_ARRAY(run->opts->nonce))) {
        row_fail(s, "gpu.report.nonce", TACIT_CAUSE_MISMATCH,
                 "the device signed another nonce than ours");
        return false;
    }
    row_pass(s, "gpu.report.nonce");
    return true;
}

static bool chain_rows(const struct row_scope *s, struct gpu_run *run, struct gpu_subject *d)
{
    bool ok;

    if (!d->has_chain) {
        row_fail(s, "gpu.chain.format", TACIT_CAUSE_UNPARSABLE, "%s", d->chain_fault);
        return false;
    }
    row_pass(s, "gpu.chain.format");
    ok = gpu_chain_rows(s, &d->chain, &run->device_root, run->opts->now_unix_s, &run->links);
    /* the leaf is made on the device, no responder knows it (spec: gpu.md 2.4) */
    return gpu_ocsp_row(s, "gpu.chain.revocation", &run->ocsp, d->chain.certs, 1, GPU_CHAIN_LEN - 2,
                        run->policy->is_ocsp_required) &&
           ok;
}

static bool signature_row(const struct row_scope *s, struct gpu_run *run,
                          const struct gpu_subject *d)
{
    struct pubkey *key = NULL;
    enum tacit_err err = gpu_key_get(&key, &d->chain.certs[0], &run->links);

    if (err == TACIT_OK)
        err = pubkey_verify_raw(key, d->report.signature, d->report.signed_part);
    pubkey_free(key);
    if (err == TACIT_OK)
        row_pass(s, "gpu.report.signature");
    else if (err == TACIT_NOMEM)
        row_fail(s, "gpu.report.signature", TACIT_CAUSE_UNOBTAINABLE, "out of memory");
    else
        row_fail(s, "gpu.report.signature", TACIT_CAUSE_FORGED,
                 "the report's signature does not verify with the certified key");
    return err == TACIT_OK;
}

static bool arch_row(const struct row_scope *s, const struct gpu_run *run,
                     const struct gpu_subject *d)
{
    enum tacit_gpu_arch wanted = d->item.arch;

    if (wanted == TACIT_GPU_ARCH_UNKNOWN && !d->is_switch)
        wanted = run->opts->arch;
    if (d->report.arch != d->chain.arch) {
        row_fail(s, "gpu.report.arch", TACIT_CAUSE_MISMATCH,
                 "the report says %s, the certificates %s", tacit_gpu_arch_name(d->report.arch),
                 tacit_gpu_arch_name(d->chain.arch));
        return false;
    }
    if (wanted != TACIT_GPU_ARCH_UNKNOWN && wanted != d->report.arch) {
        row_fail(s, "gpu.report.arch", TACIT_CAUSE_MISMATCH, "the device is %s, expected is %s",
                 tacit_gpu_arch_name(d->report.arch), tacit_gpu_arch_name(wanted));
        return false;
    }
    row_pass(s, "gpu.report.arch");
    return true;
}

static void measurements_skip(const struct row_scope *s, bool is_optional, const char *why)
{
    struct row_scope scope = *s;

    scope.is_optional = is_optional;
    row_not_run(&scope, "gpu.measurements", TACIT_CAUSE_UNOBTAINABLE, "%s", why);
}

/* Manifests are not needed where policy waives them, or NRAS answers for the measurements. */
static bool rims_are_optional(const struct gpu_run *run)
{
    return run->policy->is_rim_waived || (run->opts->nras != NULL && !run->policy->is_rim_required);
}

static void measurement_rows(const struct row_scope *s, struct gpu_run *run, struct gpu_subject *d,
                             struct tacit_gpu_device *facts)
{
    const struct gpu_rim *rims[2] = {NULL, NULL};
    bool is_optional = rims_are_optional(run);
    struct gpu_comparison c;
    size_t wanted = d->is_switch ? 1 : 2;
    size_t have = 0;
    bool ok = true;

    if (is_optional && run->rims.count == 0) {
        measurements_skip(s, true, "no manifests were given, and none are demanded");
        return;
    }
    if (!d->is_switch)
        ok = gpu_rim_rows(&rims[0], &facts->driver_rim_expires_unix_s, s, &run->rims,
                          TACIT_GPU_RIM_DRIVER, &d->report, facts->driver_rim_id, is_optional);
    ok &= gpu_rim_rows(&rims[1], &facts->vbios_rim_expires_unix_s, s, &run->rims,
                       TACIT_GPU_RIM_VBIOS, &d->report, facts->vbios_rim_id, is_optional);
    have = (size_t)(rims[0] != NULL) + (size_t)(rims[1] != NULL);
    if (!ok || have < wanted) {
        measurements_skip(s, ok && is_optional, "the manifests to compare with are not all good");
        return;
    }
    gpu_compare(&c, &d->report, rims, ARRAY_LEN(rims), run->policy->is_nvdec_compared);
    facts->mismatch_mask = c.mismatch_mask;
    facts->unlisted_mask = c.unlisted_mask;
    gpu_compare_rows(s, &c, run->policy->mismatch_mask);
}

static void facts_fill(struct tacit_gpu_device *out, const struct gpu_subject *d)
{
    struct bytes model = d->chain.certs[1].subject_cn;

    out->is_switch = d->is_switch;
    out->arch = d->report.arch;
    out->mode = d->report.mode;
    memcpy(out->driver, d->report.driver, sizeof(out->driver));
    memcpy(out->vbios, d->report.vbios, sizeof(out->vbios));
    if (d->has_report) {
        gpu_rim_id(out->driver_rim_id, &d->report, TACIT_GPU_RIM_DRIVER);
        gpu_rim_id(out->vbios_rim_id, &d->report, TACIT_GPU_RIM_VBIOS);
    }
    if (!d->has_chain)
        return;
    if (model.len < sizeof(out->hwmodel))
        memcpy(out->hwmodel, model.ptr, model.len);
    gpu_serial_decimal(out->ueid, d->chain.certs[0].serial);
    memcpy(out->pdi, d->chain.pdi, sizeof(out->pdi));
    out->chain_expires_unix_s = d->chain.expires_unix_s;
}

static bool subject_is_trusted(const struct tacit_verdict *v, size_t from, const char *subject)
{
    bool any = false;

    for (size_t i = from; i < v->count; i++) {
        const struct tacit_row *row = &v->rows[i];

        if (!row->is_required || strcmp(row->subject, subject) != 0)
            continue;
        any = true;
        if (row->result != TACIT_ROW_PASSED)
            return false;
    }
    return any && !v->is_overflowed;
}

/* NVIDIA's policy form is held against our claims about the device. */
static void rules_rows(const struct row_scope *s, const struct gpu_run *run,
                       const struct tacit_gpu_device *facts)
{
    struct buf claims = buf_make(CLAIMS_MAX);

    if (run->policy->rules.len == 0)
        return;
    gpu_claims_write(&claims, run->v, s->subject, facts, run->opts->nonce, run->opts->now_unix_s);
    gpu_rules_row(s, run->policy->rules, "detached-claims", buf_bytes(&claims));
    buf_done(&claims);
}

void gpu_device_rows(struct gpu_run *run, struct gpu_subject *d, struct tacit_gpu_device *facts)
{
    struct row_scope s = {.v = run->v, .subject = d->name, .authority = run->device_root.authority};
    size_t from = run->v->count;
    bool nonce_ok, chain_ok;

    *facts = (struct tacit_gpu_device){0};
    facts_fill(facts, d);
    nonce_ok = report_rows(&s, run, d);
    chain_ok = chain_rows(&s, run, d);
    if (!d->has_report || !d->has_chain) {
        row_not_run(&s, "gpu.report.signature", TACIT_CAUSE_UNPARSABLE,
                    "report or certificates could not be read");
        measurements_skip(&s, false, "the report is not verified");
        return;
    }
    chain_ok &= arch_row(&s, run, d);
    if (d->chain.fwid_fault == NULL)
        chain_ok &= gpu_fwid_row(&s, &d->chain, &d->report, run->policy->is_fwid_required);
    if (!signature_row(&s, run, d) || !chain_ok || !nonce_ok) {
        measurements_skip(&s, false, "the report is not verified");
        return;
    }
    measurement_rows(&s, run, d, facts);
    gpu_policy_rows(&s, run->policy, &d->report, facts->ueid);
    rules_rows(&s, run, facts);
    facts->is_trusted = subject_is_trusted(run->v, from, d->name);
}
