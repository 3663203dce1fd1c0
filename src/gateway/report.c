/* GET /v1/attestation/report: the gateway's own evidence and, for a model, that of a node that
 * serves it, all for one nonce (near.md 3.1, 3.3). Quotes and the question to the node block, so
 * they run on a work thread; how many at once is bounded, because each costs the platform's quoting
 * enclave. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "codec/jwrite.h"
#include "crypto/random.h"
#include "gateway/gateway_priv.h"
#include "net/fetch.h"

enum {
    REPORT_MAX = 8 * 1024 * 1024,
    QUOTE_MAX = 64 * 1024,
    EVENT_LOG_MAX = 1024 * 1024,
    REPORTS_AT_ONCE = 8,
};

struct report {
    struct worker *worker;
    struct exchange *x; /* NULL once the client has left */
    uint8_t nonce[32];
    bool has_nonce;
    bool with_tls;
    enum near_algo algo;
    char algo_raw[16]; /* as given, forwarded to the node */
    char address[70];  /* asked of the node; "" if not given */
    size_t node;       /* SIZE_MAX: gateway part only */
    struct lease lease;
    struct buf body;
    unsigned status;
    const char *error_type;
    const char *error_text; /* static */
    bool is_working;
};

static void report_free(struct report *r)
{
    buf_done(&r->body);
    free(r);
}

static void report_fail(struct report *r, unsigned status, const char *type, const char *text)
{
    r->status = status;
    r->error_type = type;
    r->error_text = text;
}

/* --- on the work thread -------------------------------------------------------------------------
 */

static bool own_evidence_write(struct report *r, struct jw *w)
{
    struct gateway *gw = r->worker->gw;
    struct buf quote = buf_make(QUOTE_MAX);
    struct buf log = buf_make(EVENT_LOG_MAX);
    struct buf info = buf_make(EVENT_LOG_MAX);
    uint8_t data[64];
    uint8_t spki[32];
    enum tacit_err err;

    identity_report_data(gw->identity, data, r->algo, r->with_tls, r->nonce);
    err = tee_quote(gw->tee, &quote, data);
    if (err == TACIT_OK)
        err = tee_event_log(gw->tee, &log);
    if (err == TACIT_OK && tee_info(gw->tee, &info) != TACIT_OK)
        buf_reset(&info);
    if (err == TACIT_OK) {
        jw_key(w, "gateway_attestation");
        jw_object(w);
        jw_key_cstr(w, "signing_address", identity_address(gw->identity, r->algo));
        jw_key_cstr(w, "signing_algo", near_algo_name(r->algo));
        jw_key_cstr(w, "signing_public_key", identity_public_key(gw->identity, r->algo));
        jw_key(w, "intel_quote");
        jw_hex(w, buf_bytes(&quote));
        jw_key_str(w, "event_log", buf_bytes(&log));
        jw_key(w, "report_data");
        jw_hex(w, BYTES_ARRAY(data));
        jw_key(w, "request_nonce");
        jw_hex(w, BYTES_ARRAY(r->nonce));
        if (info.len > 0)
            jw_key_raw(w, "info", buf_bytes(&info));
        if (r->with_tls) {
            identity_spki(gw->identity, spki);
            jw_key(w, "tls_cert_fingerprint");
            jw_hex(w, BYTES_ARRAY(spki));
        }
        jw_end(w);
    }
    buf_done(&quote);
    buf_done(&log);
    buf_done(&info);
    return err == TACIT_OK;
}

static void node_url(struct report *r, struct buf *url)
{
    buf_putf(url,
             "%s/v1/attestation/report?nonce=", nodes_conf(r->worker->gw->nodes, r->node)->url);
    buf_hex(url, BYTES_ARRAY(r->nonce));
    if (r->algo_raw[0] != 0)
        buf_putf(url, "&signing_algo=%s", r->algo_raw);
    if (r->address[0] != 0)
        buf_putf(url, "&signing_address=%s", r->address);
    if (r->with_tls)
        buf_puts(url, "&include_tls_fingerprint=true");
}

/* Every member as the node sent it, but all_attestations, which the gateway's form does not have.
 */
static bool node_members_write(struct jw *w, struct bytes body)
{
    struct jval root;
    struct jval name;
    struct jval val;
    struct jiter it;

    if (jscan_object(&root, body) != TACIT_OK)
        return false;
    it = jscan_iter(root);
    jw_object(w);
    while (jscan_next(&it, &name, &val)) {
        struct bytes text;

        if (!jscan_str_view(&text, name))
            return false;
        if (bytes_eq_cstr(text, "all_attestations"))
            continue;
        jw_key_bytes(w, text);
        jw_raw(w, val.raw);
    }
    jw_end(w);
    return true;
}

static bool node_evidence_write(struct report *r, struct jw *w)
{
    struct buf url = buf_make(1024);
    struct fetch_reply reply = {0};
    bool ok = false;

    node_url(r, &url);
    if (buf_cstr(&url) != NULL) {
        struct fetch_request req = {.method = "GET",
                                    .url = buf_cstr(&url),
                                    .trust = FETCH_TRUST_PIN,
                                    .body_limit = REPORT_MAX};

        memcpy(req.pin, r->lease.spki, sizeof(req.pin));
        ok = fetch(&reply, &req) == TACIT_OK && reply.status == 200;
    }
    if (ok) {
        jw_key(w, "model_attestations");
        jw_array(w);
        ok = node_members_write(w, buf_bytes(&reply.body));
        jw_end(w);
    }
    fetch_reply_done(&reply);
    buf_done(&url);
    return ok;
}

static void report_work(void *ctx)
{
    struct report *r = ctx;
    struct jw w = jw_make(&r->body);

    jw_object(&w);
    if (!own_evidence_write(r, &w)) {
        report_fail(r, 500, "internal_server_error", "The gateway's own evidence could not be had");
        return;
    }
    if (r->node != SIZE_MAX && !node_evidence_write(r, &w)) {
        report_fail(r, 503, "provider_error", "The model's attestation could not be had");
        return;
    }
    if (r->with_tls)
        jw_key_str(&w, "tls_certificate", identity_cert_pem(r->worker->gw->identity));
    jw_end(&w);
    if (buf_err(&r->body) != TACIT_OK)
        report_fail(r, 500, "internal_server_error", "The report is too large");
}

/* --- on the loop --------------------------------------------------------------------------------
 */

static void report_done(void *ctx)
{
    struct report *r = ctx;
    struct header extra = {BYTES_LIT("cache-control"), BYTES_LIT("no-store")};

    r->is_working = false;
    atomic_fetch_sub(&r->worker->gw->reports_running, 1);
    if (r->x == NULL) {
        report_free(r);
        return;
    }
    if (r->error_text != NULL)
        reply_error(r->x, r->status, r->error_type, r->error_text, NULL);
    else
        reply_json(r->x, 200, buf_bytes(&r->body), &extra, 1);
}

static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct report *r = ctx;

    UNUSED(x);
    UNUSED(is_complete);
    r->x = NULL;
    if (!r->is_working)
        report_free(r);
}

static bool param_bad(struct exchange *x, const char *param, const char *message)
{
    reply_error(x, 400, "invalid_request_error", message, param);
    return false;
}

static bool nonce_read(struct report *r, struct exchange *x, struct bytes query, bool *is_bad)
{
    char text[160];
    char message[96];
    size_t len;

    if (!query_get(text, sizeof(text), is_bad, query, "nonce")) {
        r->has_nonce = false;
        return random_fill(r->nonce, sizeof(r->nonce)) == TACIT_OK;
    }
    r->has_nonce = true;
    len = strlen(text);
    if (hex_decode_fixed(r->nonce, sizeof(r->nonce), bytes_of(text)) == TACIT_OK)
        return true;
    for (size_t i = 0; i < len; i++)
        if (strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return param_bad(x, "nonce",
                             "Invalid parameter: Invalid nonce format: not hexadecimal");
    snprintf(message, sizeof(message),
             "Invalid parameter: Nonce must be exactly 32 bytes, got %zu bytes", len / 2);
    return param_bad(x, "nonce", message);
}

static bool algo_read(struct report *r, struct exchange *x, struct bytes query, bool *is_bad)
{
    r->algo = NEAR_ED25519;
    if (!query_get(r->algo_raw, sizeof(r->algo_raw), is_bad, query, "signing_algo"))
        return true;
    if (near_algo_read(&r->algo, bytes_of(r->algo_raw)))
        return true;
    return param_bad(x, "signing_algo",
                     "Invalid parameter: signing_algo must be 'ed25519' or 'ecdsa'");
}

static bool address_read(struct report *r, struct exchange *x, struct bytes query, bool *is_bad)
{
    struct bytes text;

    if (!query_get(r->address, sizeof(r->address), is_bad, query, "signing_address"))
        return true;
    text = bytes_of(r->address);
    if (bytes_starts_with(text, BYTES_LIT("0x")))
        text = bytes_slice(text, 2, SIZE_MAX);
    for (size_t i = 0; i < text.len; i++)
        if (strchr("0123456789abcdefABCDEF", text.ptr[i]) == NULL)
            return param_bad(x, "signing_address",
                             "Invalid parameter: signing_address must be hex");
    return text.len == 40 || text.len == 64 ||
           param_bad(x, "signing_address",
                     "Invalid parameter: signing_address has the wrong length");
}

static bool tls_read(struct report *r, struct exchange *x, struct bytes query, bool *is_bad)
{
    char text[8];

    if (!query_get(text, sizeof(text), is_bad, query, "include_tls_fingerprint"))
        return true;
    r->with_tls = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return r->with_tls || strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ||
           param_bad(x, "include_tls_fingerprint",
                     "Invalid parameter: include_tls_fingerprint must be true or false");
}

static bool model_read(struct report *r, struct exchange *x, struct bytes query, bool *is_bad)
{
    char model[160];
    enum nodes_none none;

    r->node = SIZE_MAX;
    if (!query_get(model, sizeof(model), is_bad, query, "model"))
        return true;
    r->node = nodes_pick(r->worker->gw->nodes, bytes_of(model), 0, &none);
    if (r->node == SIZE_MAX && none == NODES_ALL_BUSY) {
        reply_error(x, 429, "service_overloaded", "All nodes of this model are busy", NULL);
        return false;
    }
    if (r->node == SIZE_MAX) {
        reply_error(x, 503, "provider_error", "No verified node serves this model", "model");
        return false;
    }
    r->lease = nodes_lease(r->worker->gw->nodes, r->node);
    return true;
}

static bool query_read(struct report *r, struct exchange *x, struct bytes query)
{
    bool is_bad = false;

    if (!nonce_read(r, x, query, &is_bad) || !algo_read(r, x, query, &is_bad) ||
        !address_read(r, x, query, &is_bad) || !tls_read(r, x, query, &is_bad) ||
        !model_read(r, x, query, &is_bad))
        return false;
    return !is_bad || param_bad(x, NULL, "Invalid parameter: repeated or badly encoded");
}

void report_begin(struct worker *w, struct exchange *x, const struct request *req)
{
    static const struct exchange_events events = {reply_drop_body, reply_drop_end, NULL, on_closed};
    struct report *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        reply_error(x, 500, "internal_server_error", "Out of memory", NULL);
        return;
    }
    r->worker = w;
    r->body = buf_make(REPORT_MAX);
    if (!query_read(r, x, req->query)) {
        report_free(r);
        return;
    }
    if (atomic_fetch_add(&w->gw->reports_running, 1) >= REPORTS_AT_ONCE) {
        atomic_fetch_sub(&w->gw->reports_running, 1);
        reply_error(x, 429, "rate_limit_exceeded", "Too many attestation reports at once", NULL);
        report_free(r);
        return;
    }
    atomic_fetch_add(&w->gw->counters.reports, 1);
    r->x = x;
    exchange_listen(x, &events, r);
    r->is_working = loop_work(w->loop, report_work, report_done, r);
    if (!r->is_working) {
        atomic_fetch_sub(&w->gw->reports_running, 1);
        reply_error(x, 500, "internal_server_error", "Out of memory", NULL);
    }
}
