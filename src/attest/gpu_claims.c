/* Claims 3.0 out of rows. Nothing is claimed that no row shows. */
#include "attest/gpu_claims.h"

#include <stdio.h>

#include "base/utc.h"
#include "codec/jwrite.h"

struct view {
    const struct tacit_verdict *v;
    const char *subject;
    struct jw *w;
};

static bool passed(const struct view *c, const char *id)
{
    const struct tacit_row *row = tacit_verdict_row(c->v, id, c->subject);

    return row != NULL && row->result == TACIT_ROW_PASSED;
}

static void claim(const struct view *c, const char *name, bool value)
{
    jw_key(c->w, name);
    jw_bool(c->w, value);
}

static const char *cert_status(const struct view *c, const char *chain_id, const char *time_id,
                               const char *ocsp_id)
{
    const struct tacit_row *ocsp = tacit_verdict_row(c->v, ocsp_id, c->subject);

    if (!passed(c, chain_id))
        return "invalid";
    if (ocsp != NULL && ocsp->cause == TACIT_CAUSE_REVOKED)
        return "revoked";
    return passed(c, time_id) ? "valid" : "expired";
}

static void chain_claim(const struct view *c, const char *name, const char *chain_id,
                        const char *time_id, const char *ocsp_id, int64_t expires_unix_s)
{
    const struct tacit_row *ocsp = tacit_verdict_row(c->v, ocsp_id, c->subject);
    char date[UTC_TEXT_LEN + 1];

    utc_format(date, expires_unix_s);
    jw_key(c->w, name);
    jw_object(c->w);
    jw_key_cstr(c->w, "x-nvidia-cert-status", cert_status(c, chain_id, time_id, ocsp_id));
    jw_key_cstr(c->w, "x-nvidia-cert-ocsp-status",
                passed(c, ocsp_id)                                   ? "good"
                : ocsp != NULL && ocsp->cause == TACIT_CAUSE_REVOKED ? "revoked"
                                                                     : "unknown");
    jw_key_cstr(c->w, "x-nvidia-cert-expiration-date", date);
    jw_key(c->w, "x-nvidia-cert-revocation-reason");
    jw_null(c->w);
    jw_end(c->w);
}

static void rim_claims(const struct view *c, const char *kind, const char *prefix,
                       int64_t expires_unix_s)
{
    static const char *const rows[] = {"format", "format", "signature", "version", "signature"};
    static const char *const names[] = {"fetched", "schema-validated", "signature-verified",
                                        "version-match", "measurements-available"};
    char name[96], id[5][TACIT_ROW_ID_MAX];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(name, sizeof(name), "%s-%s-rim-%s", prefix, kind, names[i]);
        snprintf(id[0], sizeof(id[0]), "gpu.rim.%s.%s", kind, rows[i]);
        claim(c, name, passed(c, id[0]));
    }
    snprintf(id[1], sizeof(id[1]), "gpu.rim.%s.chain", kind);
    snprintf(id[2], sizeof(id[2]), "gpu.rim.%s.validity", kind);
    snprintf(id[3], sizeof(id[3]), "gpu.rim.%s.revocation", kind);
    snprintf(name, sizeof(name), "%s-%s-rim-cert-chain", prefix, kind);
    chain_claim(c, name, id[1], id[2], id[3], expires_unix_s);
}

static void report_claims(const struct view *c, const char *prefix,
                          const struct tacit_gpu_device *d)
{
    static const struct {
        const char *name, *row;
    } list[] = {
        {"arch-check", "gpu.report.arch"},
        {"attestation-report-parsed", "gpu.report.format"},
        {"attestation-report-nonce-match", "gpu.report.nonce"},
        {"attestation-report-signature-verified", "gpu.report.signature"},
        {"attestation-report-cert-chain-fwid-match", "gpu.chain.fwid"},
    };
    char name[96];

    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        snprintf(name, sizeof(name), "%s-%s", prefix, list[i].name);
        claim(c, name, passed(c, list[i].row));
    }
    snprintf(name, sizeof(name), "%s-attestation-report-cert-chain", prefix);
    chain_claim(c, name, "gpu.chain.trust", "gpu.chain.validity", "gpu.chain.revocation",
                d->chain_expires_unix_s);
}

static void result_claims(const struct view *c, const struct tacit_gpu_device *d)
{
    bool success = passed(c, "gpu.measurements");

    jw_key_cstr(c->w, "measres", success ? "success" : "fail");
    if (success) {
        claim(c, "secboot", true);
        jw_key_cstr(c->w, "dbgstat", "disabled");
    }
    if (d->mismatch_mask == 0)
        return;
    jw_key(c->w, "x-nvidia-mismatch-measurement-records");
    jw_array(c->w);
    for (unsigned i = 0; i < 64; i++)
        if ((d->mismatch_mask & UINT64_C(1) << i) != 0)
            jw_u64(c->w, i);
    jw_end(c->w);
}

void gpu_claims_write(struct buf *out, const struct tacit_verdict *v, const char *subject,
                      const struct tacit_gpu_device *d, const uint8_t nonce[static 32],
                      int64_t now_unix_s)
{
    const char *prefix = d->is_switch ? "x-nvidia-switch" : "x-nvidia-gpu";
    struct jw w = jw_make(out);
    struct view c = {v, subject, &w};
    char name[96];

    jw_object(&w);
    jw_key_cstr(&w, "x-nvidia-device-type", d->is_switch ? "nvswitch" : "gpu");
    jw_key(&w, "iat");
    jw_i64(&w, now_unix_s);
    jw_key_cstr(&w, "hwmodel", d->hwmodel);
    jw_key_cstr(&w, "ueid", d->ueid);
    jw_key_cstr(&w, "oemid", "5703");
    jw_key(&w, "eat_nonce");
    jw_hex(&w, bytes_make(nonce, 32));
    report_claims(&c, prefix, d);
    if (!d->is_switch) {
        jw_key_cstr(&w, "x-nvidia-gpu-driver-version", d->driver);
        rim_claims(&c, "driver", prefix, d->driver_rim_expires_unix_s);
        claim(&c, "x-nvidia-gpu-vbios-index-no-conflict", passed(&c, "gpu.measurements.conflict"));
    }
    snprintf(name, sizeof(name), "%s-%s-version", prefix, d->is_switch ? "bios" : "vbios");
    jw_key_cstr(&w, name, d->vbios);
    rim_claims(&c, "vbios", prefix, d->vbios_rim_expires_unix_s);
    result_claims(&c, d);
    jw_key(&w, "x-nvidia-attestation-warning");
    jw_null(&w);
    jw_end(&w);
}
