/* One verification of one node. Everything that decides comes from attest/; here are only the
 * fetching, the roots, the reference values and the collateral. */
#include "gateway/lease.h"

#include <stdio.h>
#include <stdlib.h>

#include "attest/report.h"
#include "attest/verdict.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/random.h"
#include "crypto/x509.h"
#include "net/collateral.h"
#include "net/fetch.h"
#include "net/gpu_trust.h"

enum {
    REPORT_MAX = 8 * 1024 * 1024, /* 8 GPUs and 4 switches with chains stay below 400 KiB */
    COLLATERAL_MAX = 1024 * 1024,
    ROOT_MAX = 64 * 1024,
    VERDICT_MAX = 1024 * 1024,
};

struct lease_policy {
    enum tacit_gpu_demand gpu_demand;
    struct buf root_der;              /* empty: Intel's */
    struct buf collateral;            /* compact JSON; empty: ask the source */
    struct collateral_source *source; /* Intel's PCS or a PCCS; NULL if a file is given */
    struct gpu_trust *gpu;
};

/* --- what all verifications share ---------------------------------------------------------------
 */

static enum tacit_err file_load(struct buf *out, size_t limit, const char *path, const char *what,
                                char why[static 256])
{
    enum tacit_err err;

    *out = buf_make(limit);
    err = path == NULL ? TACIT_OK : file_read(out, path);
    if (err != TACIT_OK)
        snprintf(why, 256, "cannot read the %s %.150s: %s", what, path, tacit_err_text(err));
    return err;
}

/* The root may be given as PEM or DER; verification wants DER. */
static enum tacit_err root_load(struct buf *der, const char *path, char why[static 256])
{
    struct buf raw;
    struct arena arena = arena_make(ROOT_MAX * 2);
    struct x509_cert cert;
    size_t count = 1;
    enum tacit_err err = file_load(&raw, ROOT_MAX, path, "trusted root", why);

    *der = buf_make(ROOT_MAX);
    if (err == TACIT_OK && path != NULL) {
        err = x509_parse(&cert, buf_bytes(&raw));
        if (err != TACIT_OK)
            err = x509_parse_pem(&cert, 1, &count, buf_bytes(&raw), &arena);
        if (err == TACIT_OK && count == 1)
            buf_put(der, cert.der);
        else
            snprintf(why, 256, "the trusted root %.150s is not one certificate in PEM or DER",
                     path);
    }
    arena_done(&arena);
    buf_done(&raw);
    return err == TACIT_OK && path != NULL && der->len == 0 ? TACIT_FORMAT : err;
}

/* Collateral is fetched as platforms need it and kept in the state folder. */
static enum tacit_err source_open(struct lease_policy *p, const struct gateway_conf *conf,
                                  char why[static 256])
{
    char dir[4096];
    struct collateral_source_opts opts = {
        .pcs = {.base_url = conf->pccs, .is_any_tls = conf->pccs != NULL},
        .cache_dir = dir,
        .root_der = buf_bytes(&p->root_der),
    };
    enum tacit_err err = TACIT_LIMIT;

    if (snprintf(dir, sizeof(dir), "%s/collateral", conf->state) < (int)sizeof(dir))
        err = collateral_source_new(&p->source, &opts);
    if (err != TACIT_OK)
        snprintf(why, 256, "cannot make the collateral folder in %.150s: %s", conf->state,
                 tacit_err_text(err));
    return err;
}

/* What GPU evidence is judged by; what is fetched for it is kept in the state folder. */
static enum tacit_err gpu_open(struct lease_policy *p, const struct gateway_conf *conf,
                               char why[static 256])
{
    char dir[4096];
    struct gpu_trust_opts opts = {.root_path = conf->gpu_root,
                                  .rim_root_path = conf->gpu_rim_root,
                                  .rim_paths = &conf->gpu_rims,
                                  .rim_path_count = conf->gpu_rims != NULL ? 1 : 0,
                                  .policy_path = conf->gpu_policy,
                                  .rim_url = conf->gpu_rim_url,
                                  .ocsp_url = conf->gpu_ocsp_url,
                                  .cache_dir = dir};

    if (snprintf(dir, sizeof(dir), "%s/gpu", conf->state) >= (int)sizeof(dir)) {
        snprintf(why, 256, "the name of the state folder is too long");
        return TACIT_LIMIT;
    }
    return gpu_trust_load(&p->gpu, &opts, why);
}

enum tacit_err lease_policy_load(struct lease_policy **out, const struct gateway_conf *conf,
                                 char why[static 256])
{
    struct lease_policy *p = calloc(1, sizeof(*p));
    enum tacit_err err;

    *out = NULL;
    if (p == NULL)
        return TACIT_NOMEM;
    p->gpu_demand =
        conf->gpu_demand == GATEWAY_GPU_REQUIRED ? TACIT_GPU_REQUIRED : TACIT_GPU_IF_PRESENT;
    err = root_load(&p->root_der, conf->root, why);
    if (err == TACIT_OK)
        err = file_load(&p->collateral, COLLATERAL_MAX, conf->collateral, "collateral", why);
    if (err == TACIT_OK && conf->collateral == NULL)
        err = source_open(p, conf, why);
    if (err == TACIT_OK)
        err = gpu_open(p, conf, why);
    if (err == TACIT_OK)
        *out = p;
    else
        lease_policy_free(p);
    return err;
}

void lease_policy_free(struct lease_policy *p)
{
    if (p == NULL)
        return;
    buf_done(&p->root_der);
    buf_done(&p->collateral);
    collateral_source_free(p->source);
    gpu_trust_free(p->gpu);
    free(p);
}

/* --- one verification ---------------------------------------------------------------------------
 */

/* What one verification was lent. */
struct lending {
    const struct lease_policy *policy;
    struct collateral_loan loan;
};

/* The file, if one is given; the verifier checks that it fits the platform. Else the source. */
static enum tacit_err collateral_give(struct bytes *json, char *why,
                                      const struct tacit_collateral_need *need, void *ctx)
{
    struct lending *lending = ctx;

    *json = buf_bytes(&lending->policy->collateral);
    if (json->len > 0)
        return TACIT_OK;
    return collateral_loan_get(json, why, need, &lending->loan);
}

static enum tacit_err report_fetch(struct fetch_reply *reply, const struct gateway_node_conf *node,
                                   const uint8_t nonce[static 32])
{
    struct buf url = buf_make(1024);
    enum tacit_err err;

    buf_putf(&url,
             "%s/v1/attestation/report?signing_algo=ecdsa&include_tls_fingerprint=true&nonce=",
             node->url);
    buf_hex(&url, bytes_make(nonce, 32));
    *reply = (struct fetch_reply){0};
    err = buf_cstr(&url) == NULL ? TACIT_NOMEM : TACIT_OK;
    if (err == TACIT_OK) {
        struct fetch_request req = {.method = "GET",
                                    .url = buf_cstr(&url),
                                    .trust = FETCH_TRUST_ANY,
                                    .body_limit = REPORT_MAX};

        err = fetch(reply, &req);
    }
    if (err == TACIT_OK && (reply->status != 200 || !reply->has_spki))
        err = TACIT_IO;
    buf_done(&url);
    return err;
}

/* Whether nothing speaks against the node but that a service could not be reached: then the lease
 * may run out instead of ending at once. */
static bool is_service_lacking(const struct tacit_verdict *v, enum tacit_err refs_err)
{
    if (refs_err != TACIT_IO && refs_err != TACIT_TIMEOUT && refs_err != TACIT_BUSY)
        return false;
    for (size_t i = 0; i < v->count; i++)
        if (v->rows[i].is_required && v->rows[i].result != TACIT_ROW_PASSED &&
            v->rows[i].cause != TACIT_CAUSE_UNOBTAINABLE)
            return false;
    return true;
}

static enum tacit_err report_judge(struct lease *out, struct tacit_verdict *v,
                                   const struct lease_policy *p,
                                   const struct gateway_node_conf *node,
                                   const struct fetch_reply *reply, const uint8_t nonce[static 32])
{
    struct tacit_report_opts opts = {
        .form = TACIT_REPORT_NODE,
        .now_unix_s = clock_unix_s(),
        .tls_spki = reply->spki,
        .is_tls_required = true,
        .model = node->model,
        .root_der = buf_bytes(&p->root_der),
        .collateral = collateral_give,
        .gpu_demand = p->gpu_demand,
    };
    struct tacit_report_facts facts;
    struct gpu_trust_use gpu;
    struct lending lending = {p, {.source = p->source}};
    enum tacit_err err;

    opts.collateral_ctx = &lending;
    memcpy(opts.nonce, nonce, 32);
    gpu_trust_apply(p->gpu, &gpu, &opts);
    err = tacit_report_verify(v, &facts, buf_bytes(&reply->body), &opts);
    collateral_loan_done(&lending.loan);
    gpu_trust_done(&gpu);
    if (err != TACIT_OK)
        return err;
    if (!tacit_verdict_is_trusted(v) || !facts.node.has_tls_spki)
        return is_service_lacking(v, gpu.refs_err) ? gpu.refs_err : TACIT_UNTRUSTED;
    *out = (struct lease){.is_held = true, .is_simulated = v->is_simulated};
    memcpy(out->spki, facts.node.tls_spki, sizeof(out->spki));
    snprintf(out->model, sizeof(out->model), "%s", facts.node.model);
    return TACIT_OK;
}

static void evidence_store(struct store *store, const struct gateway_node_conf *node,
                           bool is_trusted, struct bytes report, const struct tacit_verdict *v)
{
    struct buf json = buf_make(VERDICT_MAX);
    enum tacit_err err;

    verdict_json(&json, v, false);
    err = buf_err(&json);
    if (err == TACIT_OK)
        err = store_attestation_put(store, node->name, clock_unix_s(), is_trusted, report,
                                    buf_bytes(&json));
    if (err != TACIT_OK)
        log_error("attestation_not_stored", L_ERR("err", err));
    buf_done(&json);
}

enum tacit_err lease_verify(struct lease *out, const struct lease_policy *p,
                            const struct gateway_node_conf *node, struct store *store)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct fetch_reply reply = {0};
    uint8_t nonce[32];
    enum tacit_err err = v == NULL ? TACIT_NOMEM : random_fill(nonce, sizeof(nonce));

    *out = (struct lease){0};
    if (err == TACIT_OK)
        err = report_fetch(&reply, node, nonce);
    if (err == TACIT_OK) {
        err = report_judge(out, v, p, node, &reply, nonce);
        evidence_store(store, node, err == TACIT_OK, buf_bytes(&reply.body), v);
    }
    fetch_reply_done(&reply);
    free(v);
    return err;
}
