/* The documents of Intel's PCS, one by one. Invariant: signed text is taken octet for octet from
 * between its neighbours in the reply, never written anew. */
#include "net/pcs.h"

#include <stdio.h>

#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "codec/jwrite.h"

enum { URL_LEN = 1024 };

static const char intel_base[] = "https://api.trustedservices.intel.com";
static const char intel_root_crl[] =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

struct job {
    const struct pcs *pcs;
    const struct tacit_collateral_need *need;
    struct buf *json;
    uint64_t *retry_after_s;
    char *why;
    char fmspc[13];
};

static enum tacit_err explain(const struct job *j, const char *document, enum tacit_err err,
                              const char *what)
{
    snprintf(j->why, PCS_WHY_LEN, "%s of platform %s (%s): %.150s", document, j->fmspc,
             j->need->is_tdx ? "TDX" : "SGX", what);
    return err;
}

static enum tacit_err status_err(const struct job *j, const struct fetch_reply *r)
{
    uint64_t seconds;

    if (r->status == 404 || r->status == 410)
        return TACIT_NOT_FOUND;
    if (r->status != 429 && r->status != 503)
        return TACIT_IO;
    *j->retry_after_s = 60;
    if (bytes_to_u64(&seconds, fetch_header(r, "retry-after"), 7 * 24 * 3600))
        *j->retry_after_s = seconds;
    return TACIT_BUSY;
}

static enum tacit_err document_fetch(const struct job *j, const char *document, const char *url,
                                     struct fetch_reply *reply)
{
    struct fetch_request req = {
        .method = "GET",
        .url = url,
        .trust = j->pcs->is_any_tls ? FETCH_TRUST_ANY : FETCH_TRUST_SYSTEM,
        .total_timeout_ms = j->pcs->timeout_ms == 0 ? 30000 : j->pcs->timeout_ms,
        .body_limit = PCS_DOCUMENT_MAX,
        .proxy = j->pcs->proxy,
    };
    enum tacit_err err = fetch(reply, &req);
    char what[64];

    if (err != TACIT_OK)
        return explain(j, document, err, reply->why[0] != 0 ? reply->why : tacit_err_text(err));
    if (reply->status == 200)
        return TACIT_OK;
    snprintf(what, sizeof(what), "the server answers with status %u", reply->status);
    return explain(j, document, status_err(j, reply), what);
}

enum tacit_err pcs_chain_decode(struct buf *out, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t octet = value.ptr[i];

        if (octet == '%') {
            if (hex_decode_fixed(&octet, 1, bytes_slice(value, i + 1, 2)) != TACIT_OK)
                return TACIT_FORMAT;
            i += 2;
        }
        if (octet == 0)
            return TACIT_FORMAT;
        buf_putc(out, octet);
    }
    return value.len == 0 ? TACIT_FORMAT : buf_err(out);
}

enum tacit_err pcs_crl_decode(struct buf *der, struct bytes body)
{
    static const struct bytes begin = {(const uint8_t *)"-----BEGIN X509 CRL-----", 24};
    struct bytes text = bytes_trim(body);
    size_t end;

    if (body.len > 0 && body.ptr[0] == 0x30) {
        buf_put(der, body);
        return buf_err(der);
    }
    if (!bytes_starts_with(text, begin))
        return text.len == 0 ? TACIT_FORMAT : hex_decode(der, text);
    text = bytes_slice(text, begin.len, SIZE_MAX);
    end = bytes_find(text, BYTES_LIT("-----END X509 CRL-----"));
    if (end == SIZE_MAX || end + 22 != text.len)
        return TACIT_FORMAT;
    return base64_decode_spaced(der, bytes_slice(text, 0, end));
}

/* The header has had several names; each server sends one of them. */
static struct bytes chain_header(const struct fetch_reply *r, const char *const names[2])
{
    struct bytes value = fetch_header(r, names[0]);

    return value.ptr == NULL && names[1] != NULL ? fetch_header(r, names[1]) : value;
}

static enum tacit_err chain_put(const struct job *j, const char *document, const char *member,
                                struct bytes header)
{
    struct buf pem = buf_make(PCS_DOCUMENT_MAX);
    enum tacit_err err = pcs_chain_decode(&pem, header);

    if (err == TACIT_OK) {
        buf_putf(j->json, "\"%s\":", member);
        jw_put_str(j->json, buf_bytes(&pem));
        buf_putc(j->json, ',');
    }
    buf_done(&pem);
    return err == TACIT_OK ? TACIT_OK
                           : explain(j, document, err, "the reply has no readable issuer chain");
}

static enum tacit_err signed_put(const struct job *j, const char *document, const char *member,
                                 const char *name, struct bytes body)
{
    struct jval root;
    struct jval text;
    struct jval sig;

    if (jscan_object(&root, body) != TACIT_OK)
        return explain(j, document, TACIT_FORMAT, "the reply is no strict JSON object");
    text = jscan_member(root, name);
    sig = jscan_member(root, "signature");
    if (text.type != JVAL_OBJECT || sig.type != JVAL_STRING)
        return explain(j, document, TACIT_FORMAT, "the reply lacks the document or its signature");
    buf_putf(j->json, "\"%s\":", member);
    jw_put_str(j->json, text.raw);
    buf_putf(j->json, ",\"%s_signature\":", member);
    buf_put(j->json, sig.raw);
    buf_putc(j->json, ',');
    return TACIT_OK;
}

static const char *base_of(const struct job *j)
{
    return j->pcs->base_url == NULL ? intel_base : j->pcs->base_url;
}

static const char *channel_of(const struct job *j, bool is_first)
{
    if (!j->pcs->is_early)
        return "";
    return is_first ? "?update=early" : "&update=early";
}

static enum tacit_err tcb_info_get(const struct job *j)
{
    static const char *const headers[2] = {"tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"};
    struct fetch_reply reply = {0};
    char url[URL_LEN];
    enum tacit_err err;

    snprintf(url, sizeof(url), "%.900s/%s/certification/v4/tcb?fmspc=%s%s", base_of(j),
             j->need->is_tdx ? "tdx" : "sgx", j->fmspc, channel_of(j, false));
    err = document_fetch(j, "TCB info", url, &reply);
    if (err == TACIT_OK)
        err = chain_put(j, "TCB info", "tcb_info_issuer_chain", chain_header(&reply, headers));
    if (err == TACIT_OK)
        err = signed_put(j, "TCB info", "tcb_info", "tcbInfo", buf_bytes(&reply.body));
    fetch_reply_done(&reply);
    return err;
}

static enum tacit_err qe_identity_get(const struct job *j)
{
    static const char *const headers[2] = {"sgx-enclave-identity-issuer-chain", NULL};
    struct fetch_reply reply = {0};
    char url[URL_LEN];
    enum tacit_err err;

    snprintf(url, sizeof(url), "%.900s/%s/certification/v4/qe/identity%s", base_of(j),
             j->need->is_tdx ? "tdx" : "sgx", channel_of(j, true));
    err = document_fetch(j, "QE identity", url, &reply);
    if (err == TACIT_OK)
        err =
            chain_put(j, "QE identity", "qe_identity_issuer_chain", chain_header(&reply, headers));
    if (err == TACIT_OK)
        err =
            signed_put(j, "QE identity", "qe_identity", "enclaveIdentity", buf_bytes(&reply.body));
    fetch_reply_done(&reply);
    return err;
}

static enum tacit_err crl_put(const struct job *j, const char *document, const char *member,
                              struct bytes body)
{
    struct buf der = buf_make(PCS_DOCUMENT_MAX);
    enum tacit_err err = pcs_crl_decode(&der, body);

    if (err == TACIT_OK) {
        buf_putf(j->json, "\"%s\":\"", member);
        buf_hex(j->json, buf_bytes(&der));
        buf_puts(j->json, "\",");
    }
    buf_done(&der);
    return err == TACIT_OK ? TACIT_OK
                           : explain(j, document, err, "the reply is neither DER, PEM nor hex");
}

static enum tacit_err pck_crl_get(const struct job *j)
{
    static const char *const headers[2] = {"sgx-pck-crl-issuer-chain", NULL};
    struct fetch_reply reply = {0};
    char url[URL_LEN];
    enum tacit_err err;

    snprintf(url, sizeof(url), "%.900s/sgx/certification/v4/pckcrl?ca=%s&encoding=der", base_of(j),
             j->need->is_platform_ca ? "platform" : "processor");
    err = document_fetch(j, "PCK CRL", url, &reply);
    if (err == TACIT_OK)
        err = chain_put(j, "PCK CRL", "pck_crl_issuer_chain", chain_header(&reply, headers));
    if (err == TACIT_OK)
        err = crl_put(j, "PCK CRL", "pck_crl", buf_bytes(&reply.body));
    fetch_reply_done(&reply);
    return err;
}

static enum tacit_err root_crl_get(const struct job *j)
{
    struct fetch_reply reply = {0};
    char url[URL_LEN];
    enum tacit_err err;

    if (j->pcs->root_crl_url != NULL)
        snprintf(url, sizeof(url), "%.1000s", j->pcs->root_crl_url);
    else if (j->pcs->base_url == NULL)
        snprintf(url, sizeof(url), "%s", intel_root_crl);
    else
        snprintf(url, sizeof(url), "%.900s/sgx/certification/v4/rootcacrl", j->pcs->base_url);
    err = document_fetch(j, "root CRL", url, &reply);
    if (err == TACIT_OK)
        err = crl_put(j, "root CRL", "root_ca_crl", buf_bytes(&reply.body));
    fetch_reply_done(&reply);
    return err;
}

enum tacit_err pcs_fetch(struct buf *json, const struct pcs *pcs,
                         const struct tacit_collateral_need *need, uint64_t *retry_after_s,
                         char why[static PCS_WHY_LEN])
{
    struct job j = {
        .pcs = pcs, .need = need, .json = json, .retry_after_s = retry_after_s, .why = why};
    enum tacit_err err;

    why[0] = 0;
    *retry_after_s = 0;
    hex_encode(j.fmspc, sizeof(j.fmspc), BYTES_ARRAY(need->fmspc));
    buf_putc(json, '{');
    err = pck_crl_get(&j);
    if (err == TACIT_OK)
        err = root_crl_get(&j);
    if (err == TACIT_OK)
        err = tcb_info_get(&j);
    if (err == TACIT_OK)
        err = qe_identity_get(&j);
    if (err != TACIT_OK)
        return err;
    if (buf_err(json) != TACIT_OK)
        return explain(&j, "collateral", TACIT_NOMEM, "it is larger than any genuine one");
    json->ptr[json->len - 1] = '}';
    return TACIT_OK;
}
