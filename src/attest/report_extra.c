/* GPU evidence and OHTTP keys of a report: bound to the caller's nonce and to the attested signing
 * key. */
#include "attest/gpu_binding.h"
#include "attest/report_priv.h"
#include "crypto/ct.h"
#include "crypto/ed25519.h"

static size_t devices_trusted(const struct tacit_gpu_facts *facts)
{
    size_t count = 0;

    for (size_t i = 0; i < facts->count && i < TACIT_GPU_DEVICES_MAX; i++)
        count += facts->devices[i].is_trusted && !facts->devices[i].is_switch;
    return count;
}

/* Reference values that are fetched for this very evidence. What is missing is told twice: here
 * why, and in the rows that miss it. */
static void gpu_references(struct side *s, struct tacit_gpu_opts *opts, struct bytes payload)
{
    const struct tacit_report_opts *o = s->run->opts;
    struct row_scope aside = s->scope;
    char why[TACIT_ROW_REASON_MAX] = "";
    enum tacit_err err;

    if (o->gpu_refs == NULL)
        return;
    err = o->gpu_refs(opts, why, payload, o->gpu_refs_ctx);
    aside.is_optional = true;
    if (err != TACIT_OK)
        row_not_run(&aside, "gpu.references", TACIT_CAUSE_UNOBTAINABLE, "%s",
                    why[0] != 0 ? why : tacit_err_text(err));
}

/* NEAR's form: devices and quote answer the same nonce, which is freshness of both and no more
 * (gpu.md 6.1). The quote's part of it is the row report.data. */
static void gpu_binding(const struct side *s, const struct tacit_gpu_facts *facts,
                        const struct tacit_gpu_policy *policy)
{
    const struct tacit_row *data = tacit_verdict_row(s->run->v, "report.data", s->subject);
    bool is_fresh = devices_trusted(facts) > 0 && data != NULL && data->result == TACIT_ROW_PASSED;

    (void)gpu_binding_row(&s->scope, is_fresh ? TACIT_GPU_BINDING_NONCE : TACIT_GPU_BINDING_NONE,
                          policy == NULL ? TACIT_GPU_BINDING_NONE : policy->binding);
}

static void gpu_verify(struct side *s, struct bytes payload)
{
    struct tacit_gpu_opts opts = *s->run->opts->gpu;
    struct tacit_gpu_facts *facts = arena_alloc(&s->run->arena, sizeof(*facts));

    if (facts == NULL) {
        s->run->is_out_of_memory = true;
        return;
    }
    memcpy(opts.nonce, s->run->opts->nonce, sizeof(opts.nonce));
    opts.now_unix_s = s->run->opts->now_unix_s;
    gpu_references(s, &opts, payload);
    if (tacit_gpu_verify(s->run->v, facts, payload, &opts) == TACIT_NOMEM)
        s->run->is_out_of_memory = true;
    s->facts->gpu_count = devices_trusted(facts);
    gpu_binding(s, facts, opts.policy);
}

static void gpu_nonce_check(struct side *s, struct bytes payload)
{
    struct jval root;
    struct bytes nonce;

    if (jscan_object(&root, payload) != TACIT_OK) {
        row_fail(&s->scope, "gpu.nonce", TACIT_CAUSE_UNPARSABLE,
                 "nvidia_payload is no JSON object");
        return;
    }
    nonce = report_hex(s->run, root, "nonce");
    if (!ct_equal(nonce, BYTES_ARRAY(s->run->opts->nonce)))
        row_fail(&s->scope, "gpu.nonce", TACIT_CAUSE_MISMATCH,
                 "the GPU evidence answers another nonce than ours");
    else
        row_pass(&s->scope, "gpu.nonce");
}

static void gpu_absent(struct side *s)
{
    struct row_scope aside = s->scope;

    aside.is_optional = s->run->opts->gpu_demand != TACIT_GPU_REQUIRED;
    row_not_run(&aside, "gpu.payload", TACIT_CAUSE_UNOBTAINABLE,
                "the node shows no GPU evidence: nothing is known about where the model runs");
}

void report_gpu(struct side *s)
{
    struct jval val = jscan_member(s->obj, "nvidia_payload");
    struct bytes payload = report_str(s->run, s->obj, "nvidia_payload");

    s->scope.authority = "NVIDIA";
    if (jscan_is_nothing(val) || (val.type == JVAL_STRING && payload.len == 0)) {
        gpu_absent(s);
        return;
    }
    if (payload.ptr == NULL) {
        row_fail(&s->scope, "gpu.payload", TACIT_CAUSE_UNPARSABLE, "nvidia_payload is no string");
        return;
    }
    row_pass(&s->scope, "gpu.payload");
    gpu_nonce_check(s, payload);
    if (s->run->opts->gpu != NULL)
        gpu_verify(s, payload);
    else
        row_not_run(&s->scope, "gpu.evidence", TACIT_CAUSE_UNOBTAINABLE,
                    "no GPU roots and reference values were given to judge by");
}

/* Ed25519 over the raw key configuration, by the signer that the quote binds (near.md 5.7). */
static void ohttp_verify(struct side *s, struct jval holder, struct jval att)
{
    struct bytes config = report_hex(s->run, att, "key_config");
    struct bytes key = report_hex(s->run, att, "signing_key");
    struct bytes sig = report_hex(s->run, att, "signature");
    struct bytes shown = report_hex(s->run, holder, "ohttp_key_config");

    if (config.ptr == NULL || key.len != ED25519_PUB_LEN || sig.len != ED25519_SIG_LEN) {
        row_fail(&s->scope, "ohttp.signature", TACIT_CAUSE_UNPARSABLE,
                 "ohttp_attestation lacks its key, configuration or signature");
        return;
    }
    if (!bytes_eq(shown, config)) {
        row_fail(&s->scope, "ohttp.signature", TACIT_CAUSE_MISMATCH,
                 "ohttp_key_config is not the configuration that is signed");
        return;
    }
    if (ed25519_verify(key.ptr, sig.ptr, config) != TACIT_OK) {
        row_fail(&s->scope, "ohttp.signature", TACIT_CAUSE_FORGED,
                 "the signature over the OHTTP key configuration does not verify");
        return;
    }
    row_pass(&s->scope, "ohttp.signature");
    if (!s->facts->is_ed25519) {
        struct row_scope aside = s->scope;

        aside.is_optional = true;
        row_not_run(&aside, "ohttp.key", TACIT_CAUSE_UNOBTAINABLE,
                    "this report attests the ecdsa key; ask with signing_algo=ed25519");
    } else if (!bytes_eq(key, s->address)) {
        row_fail(&s->scope, "ohttp.key", TACIT_CAUSE_MISMATCH,
                 "the OHTTP configuration is signed by another key than the attested one");
    } else {
        row_pass(&s->scope, "ohttp.key");
    }
}

void report_ohttp(struct side *s, struct jval holder)
{
    struct jval att = jscan_member(holder, "ohttp_attestation");
    struct jval config = jscan_member(holder, "ohttp_key_config");
    struct row_scope aside = s->scope;

    if (jscan_is_nothing(att) && jscan_is_nothing(config))
        return;
    aside.is_optional = true;
    if (jscan_is_nothing(att))
        row_not_run(&aside, "ohttp.signature", TACIT_CAUSE_UNOBTAINABLE,
                    "the OHTTP key configuration is not signed: do not encrypt to it");
    else
        ohttp_verify(s, holder, att);
}
