/* The report itself: evidence gathered with one nonce, written as near.md 3.2 has it. */
#include "base/log.h"
#include "codec/jwrite.h"
#include "node/report.h"

enum {
    QUOTE_MAX = 64 * 1024,
    INFO_MAX = 512 * 1024,
    PAYLOAD_MAX = LIMIT_GPU_EVIDENCE_BYTES,
};

/* Everything that is shown of one node; each is JSON or octets. */
struct evidence {
    struct buf quote, event_log, info, gpu;
};

static enum tacit_err gather_gpu(struct evidence *e, struct node *n, const uint8_t nonce[static 32])
{
    char why[256];
    enum tacit_err err;

    if (n->gpus == NULL)
        return TACIT_OK; /* nvidia_payload stays empty: there is nothing to show */
    err = gpus_collect(n->gpus, &e->gpu, nonce, why);
    if (err != TACIT_OK)
        log_error("gpu_evidence_failed", L_ERR("err", err));
    return err;
}

static enum tacit_err gather(struct evidence *e, struct node *n, const struct report_query *q)
{
    uint8_t report_data[64];
    enum tacit_err err;

    identity_report_data(n->identity, report_data, q->algo, q->with_tls, q->nonce);
    err = tee_quote(n->tee, &e->quote, report_data);
    if (err != TACIT_OK) {
        log_error("quote_failed", L_ERR("err", err));
        return err;
    }
    err = tee_event_log(n->tee, &e->event_log);
    if (err == TACIT_OK)
        err = tee_info(n->tee, &e->info);
    if (err != TACIT_OK) {
        log_error("tee_info_failed", L_ERR("err", err));
        return err;
    }
    return gather_gpu(e, n, q->nonce);
}

/* The members of near.md 3.2, in its order. */
static void put_members(struct jw *w, const struct node *n, const struct report_query *q,
                        const struct evidence *e)
{
    uint8_t spki[32];

    jw_key_cstr(w, "model_name", n->conf->model);
    jw_key_cstr(w, "signing_address", identity_address(n->identity, q->algo));
    jw_key_cstr(w, "signing_algo", near_algo_name(q->algo));
    jw_key_cstr(w, "signing_public_key", identity_public_key(n->identity, q->algo));
    jw_key(w, "request_nonce");
    jw_hex(w, BYTES_ARRAY(q->nonce));
    jw_key(w, "intel_quote");
    jw_hex(w, buf_bytes(&e->quote));
    jw_key_str(w, "nvidia_payload", buf_bytes(&e->gpu));
    jw_key_raw(w, "event_log", buf_bytes(&e->event_log));
    jw_key_raw(w, "info", buf_bytes(&e->info));
    if (!q->with_tls)
        return;
    identity_spki(n->identity, spki);
    jw_key(w, "tls_cert_fingerprint");
    jw_hex(w, BYTES_ARRAY(spki));
}

static void put_report(struct buf *out, const struct node *n, const struct report_query *q,
                       const struct evidence *e)
{
    struct jw w = jw_make(out);

    jw_object(&w);
    put_members(&w, n, q, e);
    jw_key(&w, "all_attestations");
    jw_array(&w);
    jw_object(&w);
    put_members(&w, n, q, e);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
}

enum tacit_err report_make(struct buf *out, struct node *n, const struct report_query *query)
{
    struct evidence e = {buf_make(QUOTE_MAX), buf_make(LIMIT_EVENT_LOG_BYTES), buf_make(INFO_MAX),
                         buf_make(PAYLOAD_MAX)};
    enum tacit_err err = gather(&e, n, query);

    if (err == TACIT_OK) {
        put_report(out, n, query, &e);
        err = buf_err(out);
    }
    buf_done(&e.quote);
    buf_done(&e.event_log);
    buf_done(&e.info);
    buf_done(&e.gpu);
    return err;
}
