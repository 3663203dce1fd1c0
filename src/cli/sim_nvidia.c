/* NVIDIA's services, simulated: reference manifests, OCSP, and the attestation service with its
 * keys, under the paths of gpu.md 2.4, 3.5 and 4. The attestation service approves the simulator's
 * own devices if their evidence is about the nonce that the request names, and nothing else. */
#include <stdio.h>
#include <string.h>

#include "attest/gpu_evidence.h"
#include "attest/gpu_report.h"
#include "cli/sim_cli.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "codec/jwrite.h"
#include "crypto/sha2.h"

enum { RIM_MAX = 256 * 1024, IDS_MAX = 8 };

static bool answered(struct sim_answer *out, enum tacit_err err, const char *content_type)
{
    out->status = err == TACIT_OK                                   ? 200
                  : err == TACIT_FORMAT                             ? 400
                  : err == TACIT_NOT_FOUND || err == TACIT_MISMATCH ? 404
                                                                    : 500;
    out->content_type = content_type;
    if (err != TACIT_OK)
        buf_reset(&out->body);
    return true;
}

static enum tacit_err rim_answer(struct buf *body, struct sim_gpu *g, struct bytes id)
{
    struct buf xml = buf_make(RIM_MAX), text = buf_make(2 * RIM_MAX);
    uint8_t digest[SHA256_LEN];
    char name[SIM_GPU_ID_LEN];
    enum tacit_err err = TACIT_NOT_FOUND;
    struct jw w = jw_make(body);

    snprintf(name, sizeof(name), "%.*s", id.len < sizeof(name) ? (int)id.len : 0,
             (const char *)id.ptr);
    err = sim_gpu_rim(g, &xml, name);
    if (err == TACIT_OK) {
        sha256(digest, buf_bytes(&xml));
        base64_encode(&text, buf_bytes(&xml), BASE64_STD);
        jw_object(&w);
        jw_key_cstr(&w, "id", name);
        jw_key_str(&w, "rim", buf_bytes(&text));
        jw_key(&w, "sha256");
        jw_hex(&w, BYTES_ARRAY(digest));
        jw_key_cstr(&w, "rim_format", "TCG");
        jw_key_cstr(&w, "request_id", "simulated");
        jw_end(&w);
    }
    buf_done(&xml);
    buf_done(&text);
    return err == TACIT_OK ? buf_err(body) : err;
}

static enum tacit_err ids_answer(struct buf *body, struct sim_gpu *g)
{
    char ids[IDS_MAX][SIM_GPU_ID_LEN];
    size_t count = sim_gpu_rim_ids(g, ids, IDS_MAX);
    struct jw w = jw_make(body);

    jw_object(&w);
    jw_key(&w, "ids");
    jw_array(&w);
    for (size_t i = 0; i < count; i++)
        jw_cstr(&w, ids[i]);
    jw_end(&w);
    jw_key_cstr(&w, "request_id", "simulated");
    jw_end(&w);
    return buf_err(body);
}

/* Whether every report of the request answers the nonce that the request names. */
static bool nonces_agree(struct bytes request, const uint8_t nonce[static 32])
{
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    struct arena arena = arena_make(4 * LIMIT_GPU_EVIDENCE_BYTES);
    const char *why;
    size_t count;
    bool ok = gpu_evidence_read(items, &count, &why, request, &arena) == TACIT_OK && count > 0;

    for (size_t i = 0; i < count && ok; i++) {
        struct gpu_report report;

        ok = gpu_report_parse(&report, &why, items[i].report, true) == TACIT_OK &&
             bytes_eq(report.nonce, bytes_make(nonce, 32));
    }
    arena_done(&arena);
    return ok;
}

static enum tacit_err nras_answer(struct buf *body, struct sim_gpu *g, struct bytes request)
{
    struct jval root;
    struct bytes hex;
    uint8_t nonce[32];
    enum tacit_err err;

    if (jscan_object(&root, request) != TACIT_OK ||
        !jscan_str_view(&hex, jscan_member(root, "nonce")) ||
        hex_decode_fixed(nonce, sizeof(nonce), hex) != TACIT_OK)
        return TACIT_FORMAT;
    if (nonces_agree(request, nonce))
        return sim_gpu_nras(g, body, nonce);
    /* as the real one: status 200, and a signed refusal */
    err = sim_gpu_set_fault(g, "nras-refused");
    if (err == TACIT_OK)
        err = sim_gpu_nras(g, body, nonce);
    if (sim_gpu_set_fault(g, NULL) != TACIT_OK)
        err = TACIT_INTERNAL;
    return err;
}

bool sim_nvidia_service(struct sim_answer *out, const struct sim_ask *ask, void *ctx)
{
    static const char rim[] = "/v1/rim/";
    struct sim_gpu *g = ctx;
    bool is_post = bytes_eq_cstr(ask->method, "POST");

    sim_gpu_set_now(g, ask->now_unix_s);
    if (is_post && bytes_eq_cstr(ask->path, "/"))
        return answered(out, sim_gpu_ocsp_request(g, &out->body, ask->body),
                        "application/ocsp-response");
    if (is_post &&
        (bytes_eq_cstr(ask->path, "/v3/attest/gpu") || bytes_eq_cstr(ask->path, "/v4/attest/gpu")))
        return answered(out, nras_answer(&out->body, g, ask->body), "application/json");
    if (is_post)
        return false;
    if (bytes_eq_cstr(ask->path, "/.well-known/jwks.json"))
        return answered(out, sim_gpu_jwks(g, &out->body), "application/json");
    if (bytes_eq_cstr(ask->path, "/v1/rim/ids"))
        return answered(out, ids_answer(&out->body, g), "application/json");
    if (bytes_starts_with(ask->path, bytes_of(rim)))
        return answered(
            out, rim_answer(&out->body, g, bytes_slice(ask->path, sizeof(rim) - 1, ask->path.len)),
            "application/json");
    return false;
}
