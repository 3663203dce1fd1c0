/* Manifests, OCSP answers and keys: how each is fetched and when it holds. Invariant: check accepts
 * only what is signed under the configured root and is about the very thing that was asked for. */
#include <stdio.h>

#include "attest/gpu_jwt.h"
#include "attest/gpu_rim.h"
#include "attest/verdict.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "crypto/ocsp_request.h"
#include "crypto/random.h"
#include "crypto/sha2.h"
#include "net/gpu_refs_priv.h"

enum {
    URL_LEN = 1024,
    NAME_LEN = 160,
    RIM_REPLY_MAX = 512 * 1024, /* a manifest in base64, and its names */
    PARSE_MEMORY = 4 * 1024 * 1024,
    REQUEST_MAX = 1024,
    OCSP_TRY_LATER = 3,
};

enum tacit_err gpu_ref_explain(char *why, enum tacit_err err, const char *name, const char *what)
{
    (void)snprintf(why, KEEP_WHY_LEN, "%.100s: %.140s", name, what);
    return err;
}

static enum tacit_err status_err(uint64_t *retry_after_s, const struct fetch_reply *r)
{
    uint64_t seconds;

    if (r->status == 404 || r->status == 410)
        return TACIT_NOT_FOUND;
    if (r->status != 429 && r->status != 503)
        return TACIT_IO;
    if (bytes_to_u64(&seconds, fetch_header(r, "retry-after"), KEEP_RETRY_AFTER_MAX_S))
        *retry_after_s = seconds;
    return TACIT_BUSY;
}

enum tacit_err gpu_ref_fetch(const struct gpu_refs *refs, struct fetch_reply *reply,
                             const struct fetch_request *req, const char *name,
                             uint64_t *retry_after_s, char *why)
{
    struct fetch_request whole = *req;
    enum tacit_err err;
    char what[96];

    whole.trust = FETCH_TRUST_SYSTEM;
    whole.proxy = refs->proxy;
    err = fetch(reply, &whole);
    if (err != TACIT_OK)
        return gpu_ref_explain(why, err, name,
                               reply->why[0] != 0 ? reply->why : tacit_err_text(err));
    if (reply->status == 200)
        return TACIT_OK;
    err = status_err(retry_after_s, reply);
    (void)snprintf(what, sizeof(what),
                   err == TACIT_NOT_FOUND ? "the service has none (status %u)"
                                          : "the service answers with status %u",
                   reply->status);
    return gpu_ref_explain(why, err, name, what);
}

/* --- reference manifests ------------------------------------------------------------------------
 */

static void rim_name(char out[static NAME_LEN], struct bytes id)
{
    (void)snprintf(out, NAME_LEN, "manifest %.*s", BYTES_FMT(bytes_slice(id, 0, KEEP_KEY_MAX)));
}

/* Nobody says whether the digest is of the manifest or of its base64 text: either will do, since it
 * guards against accidents only. Trust comes from the signature inside. */
static bool digest_fits(struct jval stated, struct bytes xml, struct bytes text)
{
    uint8_t digest[SHA256_LEN], given[SHA256_LEN];
    struct bytes hex;

    if (!jscan_str_view(&hex, stated) || hex_decode_fixed(given, sizeof(given), hex) != TACIT_OK)
        return false;
    sha256(digest, xml);
    if (bytes_eq(BYTES_ARRAY(digest), BYTES_ARRAY(given)))
        return true;
    sha256(digest, text);
    return bytes_eq(BYTES_ARRAY(digest), BYTES_ARRAY(given));
}

enum tacit_err gpu_ref_rim_unwrap(struct buf *xml, char *why, struct bytes json, struct bytes id)
{
    struct jscan_field f[] = {
        {.name = "id"}, {.name = "rim"}, {.name = "sha256"}, {.name = "rim_format"}};
    char name[NAME_LEN];
    struct jval root;
    struct bytes text;

    rim_name(name, id);
    if (jscan_object(&root, json) != TACIT_OK)
        return gpu_ref_explain(why, TACIT_FORMAT, name, "the reply is no strict JSON object");
    jscan_fields(root, f, ARRAY_LEN(f));
    if (!jscan_str_eq(f[0].val, id))
        return gpu_ref_explain(why, TACIT_MISMATCH, name, "the reply is about another manifest");
    if (!jscan_str_eq_cstr(f[3].val, "TCG"))
        return gpu_ref_explain(why, TACIT_FORMAT, name, "the reply's rim_format is not TCG");
    if (!jscan_str_view(&text, f[1].val) || base64_decode(xml, text, BASE64_STD) != TACIT_OK)
        return gpu_ref_explain(why, TACIT_FORMAT, name, "the reply's rim is not base64");
    if (!digest_fits(f[2].val, buf_bytes(xml), text))
        return gpu_ref_explain(why, TACIT_MISMATCH, name,
                               "the manifest has not the sha256 that the reply states");
    return TACIT_OK;
}

static enum tacit_err rim_fetch(struct buf *doc, uint64_t *retry_after_s, char *why,
                                struct bytes subject, uint64_t timeout_ms, void *ctx)
{
    const struct gpu_refs *refs = ctx;
    struct fetch_reply reply = {0};
    char url[URL_LEN], name[NAME_LEN];
    struct fetch_request req = {
        .method = "GET", .url = url, .total_timeout_ms = timeout_ms, .body_limit = RIM_REPLY_MAX};
    enum tacit_err err;

    rim_name(name, subject);
    (void)snprintf(url, sizeof(url), "%.800s/v1/rim/%.*s", refs->rim_url, BYTES_FMT(subject));
    err = gpu_ref_fetch(refs, &reply, &req, name, retry_after_s, why);
    if (err == TACIT_OK)
        err = gpu_ref_rim_unwrap(doc, why, buf_bytes(&reply.body), subject);
    fetch_reply_done(&reply);
    return err;
}

/* Letters and digits of a version or an id, without dots and in upper case. */
static void plain_text(char out[static NAME_LEN], struct bytes in)
{
    size_t len = 0;

    for (size_t i = 0; i < in.len && len + 1 < NAME_LEN; i++) {
        char c = (char)in.ptr[i];

        if (c != '.')
            out[len++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    out[len] = 0;
}

/* Ids end with the version, those of a VBIOS without its dots (spec: gpu.md 3.5). */
static bool rim_is_about(const struct gpu_rim *rim, struct bytes id)
{
    char version[NAME_LEN], name[NAME_LEN], end[NAME_LEN + 1];

    plain_text(version, bytes_of(rim->version));
    plain_text(name, id);
    (void)snprintf(end, sizeof(end), "_%s", version);
    return version[0] != 0 && bytes_ends_with(bytes_of(name), bytes_of(end));
}

static enum tacit_err rim_judge(const struct gpu_refs *refs, int64_t *expires_unix_s, char *why,
                                const struct gpu_rim *rim, struct bytes id, int64_t now)
{
    struct gpu_links links = {0};
    struct gpu_rim_state state;
    char name[NAME_LEN];

    rim_name(name, id);
    gpu_rim_verify(&state, rim, &refs->rim_root, now, refs->rim_expired_days, &links);
    gpu_links_done(&links);
    if (state.signature_fault != NULL)
        return gpu_ref_explain(why, TACIT_UNTRUSTED, name, state.signature_fault);
    if (state.chain_fault != NULL)
        return gpu_ref_explain(why, TACIT_UNTRUSTED, name, state.chain_fault);
    if (state.validity_fault != NULL)
        return gpu_ref_explain(why, TACIT_EXPIRED, name, state.validity_fault);
    if (!rim_is_about(rim, id))
        return gpu_ref_explain(why, TACIT_MISMATCH, name, "it is for another version");
    *expires_unix_s = state.expires_unix_s;
    return TACIT_OK;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static enum tacit_err rim_check(struct keep_span *span, char *why, struct bytes doc,
                                struct bytes subject, int64_t fetched_unix_s, int64_t now_unix_s,
                                void *ctx)
{
    const struct gpu_refs *refs = ctx;
    struct arena arena = arena_make(PARSE_MEMORY);
    struct gpu_rim *rim = arena_alloc(&arena, sizeof(*rim));
    int64_t expires = 0;
    const char *fault = "out of memory";
    char name[NAME_LEN];
    enum tacit_err err = rim == NULL ? TACIT_NOMEM : gpu_rim_parse(rim, &fault, doc, false, &arena);

    rim_name(name, subject);
    if (err != TACIT_OK)
        (void)gpu_ref_explain(why, err, name, fault);
    else
        err = rim_judge(refs, &expires, why, rim, subject, now_unix_s);
    span->until_unix_s = earlier(expires + (int64_t)refs->rim_expired_days * 24 * 3600,
                                 fetched_unix_s + GPU_REFS_RIM_LIFE_S);
    span->fresh_unix_s = earlier(fetched_unix_s + GPU_REFS_RIM_FRESH_S, span->until_unix_s);
    arena_done(&arena);
    return err;
}

/* --- revocation answers -------------------------------------------------------------------------
 */

struct pair {
    struct x509_cert cert, issuer;
    char name[NAME_LEN];
};

/* The certificate's own name for itself, printable. */
static void pair_name(struct pair *p)
{
    struct bytes cn = p->cert.subject_cn;
    int len = snprintf(p->name, sizeof(p->name), "OCSP answer about ");

    for (size_t i = 0; i < cn.len && i < TACIT_GPU_TEXT_MAX; i++)
        p->name[len++] = cn.ptr[i] >= 0x20 && cn.ptr[i] < 0x7f ? (char)cn.ptr[i] : '?';
    p->name[len] = 0;
}

static enum tacit_err pair_read(struct pair *out, char *why, struct bytes subject)
{
    struct der both = der_over(subject);
    struct bytes cert = der_whole(&both, DER_SEQUENCE);
    struct bytes issuer = der_whole(&both, DER_SEQUENCE);

    if (!der_finished(&both) || x509_parse(&out->cert, cert) != TACIT_OK ||
        x509_parse(&out->issuer, issuer) != TACIT_OK)
        return gpu_ref_explain(why, TACIT_FORMAT, "OCSP answer", "a certificate cannot be read");
    pair_name(out);
    return TACIT_OK;
}

/* Good, revoked and unknown are all answers that hold: which of them a verdict can bear is decided
 * there. nonce len 0: a stored answer. */
static enum tacit_err ocsp_judge(struct keep_span *span, char *why, struct bytes der,
                                 const struct pair *p, struct bytes nonce, int64_t now)
{
    struct gpu_ocsp_rules rules = {.now_unix_s = now, .is_hold_allowed = true};
    const struct ocsp_entry *entry;
    struct ocsp_answer answer;
    enum tacit_row_cause cause = TACIT_CAUSE_NONE;
    const char *fault = NULL;

    if (ocsp_parse(&answer, der) != TACIT_OK)
        return gpu_ref_explain(why, TACIT_FORMAT, p->name, "the reply is no OCSP answer");
    if (answer.response_status == OCSP_TRY_LATER)
        return gpu_ref_explain(why, TACIT_BUSY, p->name, "the responder asks to try later");
    if (gpu_ocsp_judge(&fault, &cause, &answer, &p->cert, &p->issuer, nonce, &rules) ==
        GPU_OCSP_INVALID)
        return gpu_ref_explain(why, row_cause_err(cause), p->name, fault);
    entry = ocsp_find(&answer, &p->cert, &p->issuer);
    span->until_unix_s = entry == NULL ? 0 : entry->next_update_unix_s;
    return TACIT_OK;
}

static enum tacit_err ocsp_fetch(struct buf *doc, uint64_t *retry_after_s, char *why,
                                 struct bytes subject, uint64_t timeout_ms, void *ctx)
{
    static const char *const headers[] = {"content-type: application/ocsp-request",
                                          "accept: application/ocsp-response", NULL};
    const struct gpu_refs *refs = ctx;
    struct buf request = buf_make(REQUEST_MAX);
    struct fetch_reply reply = {0};
    struct fetch_request req = {.method = "POST",
                                .url = refs->ocsp_url,
                                .headers = headers,
                                .total_timeout_ms = timeout_ms,
                                .body_limit = LIMIT_OCSP_BYTES};
    struct keep_span span;
    uint8_t nonce[OCSP_NONCE_LEN];
    struct pair p;
    enum tacit_err err = pair_read(&p, why, subject);

    if (err == TACIT_OK)
        err = random_fill(nonce, sizeof(nonce));
    if (err == TACIT_OK)
        err = ocsp_request_make(&request, &p.cert, &p.issuer, nonce);
    if (err == TACIT_OK) {
        req.body = buf_bytes(&request);
        err = gpu_ref_fetch(refs, &reply, &req, p.name, retry_after_s, why);
        /* a responder has no answers that do not exist: a wrong URL is a failure to fetch */
        if (err == TACIT_NOT_FOUND)
            err = TACIT_IO;
    }
    if (err == TACIT_OK)
        err = ocsp_judge(&span, why, buf_bytes(&reply.body), &p, BYTES_ARRAY(nonce),
                         refs->now_unix_s());
    if (err == TACIT_OK)
        buf_put(doc, buf_bytes(&reply.body));
    fetch_reply_done(&reply);
    buf_done(&request);
    return err == TACIT_OK ? buf_err(doc) : err;
}

static enum tacit_err ocsp_check(struct keep_span *span, char *why, struct bytes doc,
                                 struct bytes subject, int64_t fetched_unix_s, int64_t now_unix_s,
                                 void *ctx)
{
    struct pair p;
    enum tacit_err err = pair_read(&p, why, subject);

    UNUSED(ctx);
    if (err == TACIT_OK)
        err = ocsp_judge(span, why, doc, &p, (struct bytes){NULL, 0}, now_unix_s);
    if (err == TACIT_OK)
        span->fresh_unix_s = fetched_unix_s + (span->until_unix_s - fetched_unix_s) / 2;
    return err;
}

/* --- keys of the attestation service ------------------------------------------------------------
 */

static enum tacit_err jwks_fetch(struct buf *doc, uint64_t *retry_after_s, char *why,
                                 struct bytes subject, uint64_t timeout_ms, void *ctx)
{
    const struct gpu_refs *refs = ctx;
    struct fetch_reply reply = {0};
    char url[URL_LEN];
    struct fetch_request req = {.method = "GET",
                                .url = url,
                                .total_timeout_ms = timeout_ms,
                                .body_limit = LIMIT_JWKS_BYTES};
    enum tacit_err err;

    UNUSED(subject);
    (void)snprintf(url, sizeof(url), "%.900s/.well-known/jwks.json", refs->nras_url);
    err = gpu_ref_fetch(refs, &reply, &req, "keys of the attestation service", retry_after_s, why);
    if (err == TACIT_OK)
        buf_put(doc, buf_bytes(&reply.body));
    fetch_reply_done(&reply);
    return err == TACIT_OK ? buf_err(doc) : err;
}

/* That the set can be read; each key counts only with its certificate, when it is used. */
static enum tacit_err jwks_check(struct keep_span *span, char *why, struct bytes doc,
                                 struct bytes subject, int64_t fetched_unix_s, int64_t now_unix_s,
                                 void *ctx)
{
    const struct gpu_refs *refs = ctx;
    struct arena arena = arena_make(PARSE_MEMORY);
    struct gpu_jwks set = {0};
    const char *fault = "out of memory";
    enum tacit_err err = gpu_jwks_open(&set, &fault, doc, buf_bytes(&refs->nras_root), &arena);

    UNUSED(subject);
    UNUSED(now_unix_s);
    if (err != TACIT_OK)
        (void)gpu_ref_explain(why, err, "keys of the attestation service", fault);
    gpu_jwks_done(&set);
    span->fresh_unix_s = fetched_unix_s + GPU_REFS_JWKS_FRESH_S;
    span->until_unix_s = fetched_unix_s + GPU_REFS_JWKS_LIFE_S;
    arena_done(&arena);
    return err;
}

void gpu_ref_kinds_make(struct gpu_refs *refs)
{
    refs->rim = (struct keep_kind){"rim", LIMIT_RIM_BYTES, rim_fetch, rim_check, refs};
    refs->ocsp = (struct keep_kind){"ocsp", LIMIT_OCSP_BYTES, ocsp_fetch, ocsp_check, refs};
    refs->jwks = (struct keep_kind){"jwks", LIMIT_JWKS_BYTES, jwks_fetch, jwks_check, refs};
}
