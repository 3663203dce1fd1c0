/* NVIDIA's attestation service: its word about this very evidence, which cannot be kept, and its
 * keys, which can. */
#include <stdio.h>

#include "attest/gpu_jwt.h"
#include "base/clock.h"
#include "codec/jscan.h"
#include "net/gpu_refs_priv.h"

enum { URL_LEN = 1024, WORK_MEMORY = 4 * 1024 * 1024, NRAS_TIMEOUT_MS = 30000 };

static const char name[] = "answer of the attestation service";

static enum tacit_err answer_fetch(struct gpu_refs *refs, struct bytes *out, struct arena *arena,
                                   struct bytes evidence, uint64_t deadline_mono_ms, char *why)
{
    static const char *const headers[] = {"content-type: application/json",
                                          "accept: application/json", NULL};
    struct fetch_reply reply = {0};
    char url[URL_LEN];
    uint64_t now = clock_mono_ms();
    uint64_t left = now >= deadline_mono_ms ? 0 : deadline_mono_ms - now;
    uint64_t retry_after_s = 0;
    struct fetch_request req = {.method = "POST",
                                .url = url,
                                .headers = headers,
                                .body = evidence,
                                .total_timeout_ms = left < NRAS_TIMEOUT_MS ? left : NRAS_TIMEOUT_MS,
                                .body_limit = LIMIT_NRAS_BYTES};
    enum tacit_err err;

    if (left == 0)
        return gpu_ref_explain(why, TACIT_TIMEOUT, name, "the deadline passed before it came");
    (void)snprintf(url, sizeof(url), "%.900s/v3/attest/gpu", refs->nras_url);
    err = gpu_ref_fetch(refs, &reply, &req, name, &retry_after_s, why);
    if (err == TACIT_OK) {
        *out = arena_dup(arena, buf_bytes(&reply.body));
        err = out->ptr == NULL ? TACIT_NOMEM : TACIT_OK;
    }
    fetch_reply_done(&reply);
    /* evidence has no name that a service could not know */
    return err == TACIT_NOT_FOUND ? TACIT_IO : err;
}

static bool set_has(struct jval keys, struct bytes kid)
{
    struct jiter it = jscan_iter(keys);
    struct jval key;

    while (jscan_next(&it, NULL, &key))
        if (jscan_str_eq(jscan_member(key, "kid"), kid))
            return true;
    return false;
}

/* Whether some token names a key that the set lacks. What cannot be read is left to the verifier.
 */
static bool key_is_unknown(struct bytes response, struct bytes jwks)
{
    struct arena arena = arena_make(WORK_MEMORY);
    struct jval root, set, text;
    struct jiter it;
    struct gpu_jwt jwt;
    const char *why;
    bool is_unknown = false;

    if (jscan_validate(&root, NULL, response) == TACIT_OK && jscan_object(&set, jwks) == TACIT_OK) {
        struct jval keys = jscan_member(set, "keys");

        text = jscan_item(jscan_item(root, 0), 1);
        it = jscan_iter(jscan_item(root, 1));
        do {
            if (gpu_jwt_parse(&jwt, &why, jscan_str_dup(&arena, text), &arena) == TACIT_OK)
                is_unknown |= !set_has(keys, jwt.kid);
        } while (!is_unknown && jscan_next(&it, NULL, &text));
    }
    arena_done(&arena);
    return is_unknown;
}

static enum tacit_err keys_get(struct gpu_refs *refs, struct bytes *out, struct arena *arena,
                               bool is_newer_wanted, uint64_t deadline_mono_ms, char *why)
{
    struct keep_ask ask = {.kind = &refs->jwks,
                           .key = "keys",
                           .deadline_mono_ms = deadline_mono_ms,
                           .is_newer_wanted = is_newer_wanted};
    struct buf doc = buf_make(LIMIT_JWKS_BYTES);
    enum tacit_err err = keep_get(refs->keep, &doc, &ask, why);

    if (err == TACIT_OK) {
        *out = arena_dup(arena, buf_bytes(&doc));
        err = out->ptr == NULL ? TACIT_NOMEM : TACIT_OK;
    }
    buf_done(&doc);
    return err;
}

enum tacit_err gpu_ref_nras(struct gpu_refs *refs, struct gpu_refs_set *out, struct bytes evidence,
                            uint64_t deadline_mono_ms, char *why)
{
    struct tacit_gpu_nras *nras = &out->nras;
    enum tacit_err err;

    if (refs->is_offline)
        return gpu_ref_explain(why, TACIT_NOT_FOUND, name, "it cannot be had offline");
    err = answer_fetch(refs, &nras->response, &out->arena, evidence, deadline_mono_ms, why);
    if (err == TACIT_OK)
        err = keys_get(refs, &nras->jwks, &out->arena, false, deadline_mono_ms, why);
    if (err == TACIT_OK && key_is_unknown(nras->response, nras->jwks))
        err = keys_get(refs, &nras->jwks, &out->arena, true, deadline_mono_ms, why);
    nras->intermediate = buf_bytes(&refs->nras_root);
    nras->issuer = refs->nras_issuer;
    out->has_nras = err == TACIT_OK;
    return err;
}
