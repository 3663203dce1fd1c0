/* Judging NRAS answers, in the order of gpu.md 4.5. A claim that is missing counts as false. */
#include "attest/gpu_nras.h"

#include <stdio.h>

#include "codec/hex.h"
#include "crypto/ct.h"
#include "crypto/sha2.h"

enum {
    NRAS_SKEW_S = 60,
    NRAS_MAX_AGE_S = 24 * 60 * 60, /* genuine tokens live for one hour */
    NRAS_NONCE_LEN = 32,
};

#define NRAS_ISSUER "https://nras.attestation.nvidia.com"
#define NRAS_SUBJECT "NVIDIA-PLATFORM-ATTESTATION"
#define CLAIM_ERROR "x-nvidia-error-details"
#define CLAIM_OVERALL "x-nvidia-overall-att-result"

/* Claims of a GPU token that must be there and true, besides those common to all tokens. */
static const char *const gpu_claims[] = {
    "x-nvidia-gpu-arch-check",
    "x-nvidia-gpu-attestation-report-parsed",
    "x-nvidia-gpu-attestation-report-nonce-match",
    "x-nvidia-gpu-attestation-report-signature-verified",
    "x-nvidia-gpu-driver-rim-fetched",
    "x-nvidia-gpu-driver-rim-schema-validated",
    "x-nvidia-gpu-driver-rim-signature-verified",
    "x-nvidia-gpu-driver-rim-measurements-available",
    "x-nvidia-gpu-vbios-rim-fetched",
    "x-nvidia-gpu-vbios-rim-schema-validated",
    "x-nvidia-gpu-vbios-rim-signature-verified",
    "x-nvidia-gpu-vbios-rim-measurements-available",
    "x-nvidia-gpu-vbios-index-no-conflict",
};
/* Chains are one boolean each in claims 2.0, an object each in 3.0. */
static const struct {
    const char *v2, *v3;
} gpu_chains[] = {
    {"x-nvidia-gpu-attestation-report-cert-chain-validated",
     "x-nvidia-gpu-attestation-report-cert-chain"},
    {"x-nvidia-gpu-driver-rim-cert-validated", "x-nvidia-gpu-driver-rim-cert-chain"},
    {"x-nvidia-gpu-vbios-rim-cert-validated", "x-nvidia-gpu-vbios-rim-cert-chain"},
};
static const char *const gpu_claims_v3[] = {
    "x-nvidia-gpu-attestation-report-cert-chain-fwid-match",
    "x-nvidia-gpu-driver-rim-version-match",
    "x-nvidia-gpu-vbios-rim-version-match",
};

struct answer {
    struct gpu_jwt overall;
    struct jval devices; /* object: name to compact token */
    struct jval submods; /* of the overall token */
};

static const char *answer_read(struct answer *out, struct bytes response, struct arena *arena)
{
    struct jval root, pair;
    struct bytes token;
    const char *why;

    *out = (struct answer){0};
    if (response.len > LIMIT_NRAS_BYTES)
        return "the answer is larger than any genuine one";
    if (jscan_validate(&root, NULL, response) != TACIT_OK)
        return "the answer is no strict JSON";
    if (root.type != JVAL_ARRAY || jscan_count(root) != 2)
        return "the answer is not an array of two";
    pair = jscan_item(root, 0);
    out->devices = jscan_item(root, 1);
    if (pair.type != JVAL_ARRAY || jscan_count(pair) != 2 || out->devices.type != JVAL_OBJECT ||
        !jscan_str_eq_cstr(jscan_item(pair, 0), "JWT") ||
        !jscan_str_view(&token, jscan_item(pair, 1)))
        return "the answer is not [[\"JWT\", token], {device: token}]";
    if (gpu_jwt_parse(&out->overall, &why, token, arena) != TACIT_OK)
        return why;
    out->submods = jscan_member(out->overall.claims, "submods");
    return out->submods.type == JVAL_OBJECT ? NULL : "the overall token lists no devices";
}

/* ["DIGEST", ["SHA-256", hex]]; NVIDIA's local SDK writes SHA256. */
static const char *digest_check(struct jval submod, struct bytes token)
{
    struct jval inner = jscan_item(submod, 1);
    struct jval alg = jscan_item(inner, 0);
    uint8_t stated[SHA256_LEN], digest[SHA256_LEN];
    struct bytes hex;

    if (jscan_count(submod) != 2 || jscan_count(inner) != 2 ||
        !jscan_str_eq_cstr(jscan_item(submod, 0), "DIGEST") ||
        (!jscan_str_eq_cstr(alg, "SHA-256") && !jscan_str_eq_cstr(alg, "SHA256")))
        return "the overall token states no SHA-256 digest of a device's token";
    if (!jscan_str_view(&hex, jscan_item(inner, 1)) ||
        hex_decode_fixed(stated, sizeof(stated), hex) != TACIT_OK)
        return "a digest in the overall token is malformed";
    sha256(digest, token);
    return memcmp(stated, digest, sizeof(digest)) == 0
               ? NULL
               : "a device's token is not the one that the overall token vouches for";
}

/* The device's token; NULL if there is exactly one under the name and its digest fits. */
static const char *device_token(struct bytes *out, const struct answer *a, const char *name)
{
    struct jval submod = jscan_member(a->submods, name);

    if (submod.type == JVAL_NONE)
        return "the overall token does not name the device";
    if (!jscan_str_view(out, jscan_member(a->devices, name)))
        return "the answer brings no token for the device";
    return digest_check(submod, *out);
}

static const char *times_check(int64_t *issued, struct jval claims, int64_t now)
{
    int64_t nbf, exp;

    if (!jscan_i64(issued, jscan_member(claims, "iat")) ||
        !jscan_i64(&nbf, jscan_member(claims, "nbf")) ||
        !jscan_i64(&exp, jscan_member(claims, "exp")) || *issued < 0 || nbf < 0 || exp < 0)
        return "a token does not say when it holds";
    if (now < nbf - NRAS_SKEW_S || now < *issued - NRAS_SKEW_S)
        return "a token is not yet valid";
    if (exp <= now - NRAS_SKEW_S)
        return "a token has expired";
    if (*issued < now - NRAS_MAX_AGE_S)
        return "a token was issued too long ago";
    return NULL;
}

static bool nonce_fits(struct jval claims, const uint8_t nonce[static NRAS_NONCE_LEN])
{
    uint8_t stated[NRAS_NONCE_LEN];
    struct bytes hex;

    return jscan_str_view(&hex, jscan_member(claims, "eat_nonce")) &&
           hex_decode_fixed(stated, sizeof(stated), hex) == TACIT_OK &&
           ct_equal(BYTES_ARRAY(stated), bytes_make(nonce, NRAS_NONCE_LEN));
}

struct judge {
    const struct gpu_nras_expect *expect;
    struct gpu_jwks *keys;
    const char *issuer;
    struct arena *arena;
};

static enum tacit_row_cause key_cause(enum tacit_err err)
{
    switch (err) {
    case TACIT_EXPIRED:
        return TACIT_CAUSE_OUT_OF_DATE;
    case TACIT_SIGNATURE:
        return TACIT_CAUSE_FORGED;
    case TACIT_NOT_FOUND:
    case TACIT_UNTRUSTED:
        return TACIT_CAUSE_UNTRUSTED;
    default:
        return TACIT_CAUSE_UNPARSABLE;
    }
}

/* What every token must fulfil: times, issuer and signature. */
static const char *token_check(enum tacit_row_cause *cause, const struct judge *j,
                               const struct gpu_jwt *jwt)
{
    int64_t issued = 0;
    const char *late = times_check(&issued, jwt->claims, j->expect->now_unix_s);
    const char *why;
    enum tacit_err err = gpu_jwks_verify(j->keys, &why, jwt, issued, j->arena);

    *cause = key_cause(err);
    if (err != TACIT_OK)
        return why;
    *cause = TACIT_CAUSE_OUT_OF_DATE;
    if (late != NULL)
        return late;
    *cause = TACIT_CAUSE_UNTRUSTED;
    if (!jscan_str_eq_cstr(jscan_member(jwt->claims, "iss"), j->issuer))
        return "a token is from another issuer";
    return NULL;
}

static bool claim_true(struct jval claims, const char *name)
{
    bool v = false;

    return jscan_bool(&v, jscan_member(claims, name)) && v;
}

static bool chain_good(struct jval chain)
{
    return jscan_str_eq_cstr(jscan_member(chain, "x-nvidia-cert-status"), "valid") &&
           jscan_str_eq_cstr(jscan_member(chain, "x-nvidia-cert-ocsp-status"), "good");
}

/* No boolean claim of NVIDIA's may be false, and no chain object may be other than good, whatever
 * its name: later versions add claims. Fills `bad` with the claim's name. */
static bool no_claim_denies(char bad[static ROW_TEXT_MAX], struct jval claims)
{
    struct jiter it = jscan_iter(claims);
    struct jval name, val;
    struct bytes text;
    bool v;

    while (jscan_next(&it, &name, &val)) {
        if (!jscan_str_view(&text, name) || !bytes_starts_with(text, BYTES_LIT("x-nvidia-")))
            continue;
        if ((jscan_bool(&v, val) && !v) ||
            (bytes_ends_with(text, BYTES_LIT("-cert-chain")) && !chain_good(val))) {
            row_text(bad, text);
            return false;
        }
    }
    return true;
}

static const char *gpu_claim_missing(struct jval claims)
{
    bool is_v3 = jscan_member(claims, gpu_chains[0].v3).type == JVAL_OBJECT;

    for (size_t i = 0; i < ARRAY_LEN(gpu_claims); i++)
        if (!claim_true(claims, gpu_claims[i]))
            return gpu_claims[i];
    for (size_t i = 0; i < ARRAY_LEN(gpu_chains); i++)
        if (is_v3 ? !chain_good(jscan_member(claims, gpu_chains[i].v3))
                  : !claim_true(claims, gpu_chains[i].v2))
            return is_v3 ? gpu_chains[i].v3 : gpu_chains[i].v2;
    for (size_t i = 0; is_v3 && i < ARRAY_LEN(gpu_claims_v3); i++)
        if (!claim_true(claims, gpu_claims_v3[i]))
            return gpu_claims_v3[i];
    return NULL;
}

/* First claim that keeps a device from being approved, or NULL. */
static const char *claim_refusal(char bad[static ROW_TEXT_MAX], struct jval claims, bool is_switch)
{
    if (!jscan_str_eq_cstr(jscan_member(claims, "measres"), "success"))
        return "measres";
    if (!claim_true(claims, "secboot"))
        return "secboot";
    if (!jscan_str_eq_cstr(jscan_member(claims, "dbgstat"), "disabled"))
        return "dbgstat";
    if (!no_claim_denies(bad, claims))
        return bad;
    return is_switch ? NULL : gpu_claim_missing(claims);
}

/* Whether hwmodel names a chip that we know: "GH100" in claims 2.0, "GH100 A01 GSP BROM" in 3.0. */
static bool hwmodel_known(struct jval claims, bool is_switch)
{
    struct bytes model;

    if (!jscan_str_view(&model, jscan_member(claims, "hwmodel")))
        return false;
    if (is_switch)
        return bytes_starts_with(model, BYTES_LIT("LS10")) ||
               bytes_starts_with(model, BYTES_LIT("LS_10"));
    return bytes_starts_with(model, BYTES_LIT("GH100")) ||
           bytes_starts_with(model, BYTES_LIT("GB100"));
}

static bool ueid_sent(const struct gpu_nras_expect *e, struct bytes ueid)
{
    for (size_t i = 0; i < e->device_count; i++)
        if (bytes_eq_cstr(ueid, e->ueids[i]))
            return true;
    return false;
}

/* NVIDIA's own words about a refusal. */
static void error_row(const struct row_scope *s, struct jval details)
{
    char message[ROW_TEXT_MAX] = "", description[ROW_TEXT_MAX] = "";
    struct bytes text;
    uint64_t code = 0;

    if (jscan_str_view(&text, jscan_member(details, "message")))
        row_text(message, text);
    if (jscan_str_view(&text, jscan_member(details, "description")))
        row_text(description, text);
    if (!jscan_u64(&code, jscan_member(details, "code"), UINT32_MAX))
        code = 0;
    row_fail(s, "gpu.nras.device", TACIT_CAUSE_MISMATCH, "NVIDIA refuses: %u %s: %s",
             (unsigned)code, message, description);
}

static bool device_fail(const struct row_scope *s, enum tacit_row_cause cause, const char *why)
{
    row_fail(s, "gpu.nras.device", cause, "%s", why);
    return false;
}

static bool device_claims_row(const struct row_scope *s, const struct judge *j, struct jval claims,
                              struct bytes *ueid)
{
    bool is_switch = j->expect->is_switches;
    char bad[ROW_TEXT_MAX];
    const char *claim;

    if (jscan_member(claims, CLAIM_ERROR).type != JVAL_NONE) {
        error_row(s, jscan_member(claims, CLAIM_ERROR));
        return false;
    }
    if (!nonce_fits(claims, j->expect->nonce))
        return device_fail(s, TACIT_CAUSE_MISMATCH, "the device's token is for another nonce");
    claim = claim_refusal(bad, claims, is_switch);
    if (claim != NULL) {
        row_fail(s, "gpu.nras.device", TACIT_CAUSE_MISMATCH,
                 "NVIDIA's claim %s is not what an approval needs", claim);
        return false;
    }
    if (!hwmodel_known(claims, is_switch))
        return device_fail(s, TACIT_CAUSE_MISMATCH, "the device's model is not one we know");
    if (!jscan_str_view(ueid, jscan_member(claims, "ueid")) || ueid->len == 0)
        return device_fail(s, TACIT_CAUSE_MISMATCH, "the device's token names no device");
    if (j->expect->ueids != NULL && !ueid_sent(j->expect, *ueid))
        return device_fail(s, TACIT_CAUSE_MISMATCH,
                           "the device's token is about another device than the evidence");
    return true;
}

static bool device_row(const struct row_scope *s, const struct judge *j, const struct answer *a,
                       const char *name, struct bytes *ueid)
{
    enum tacit_row_cause cause;
    struct gpu_jwt jwt;
    struct bytes token;
    const char *why = device_token(&token, a, name);

    if (why != NULL)
        return device_fail(s, TACIT_CAUSE_FORGED, why);
    if (gpu_jwt_parse(&jwt, &why, token, j->arena) != TACIT_OK)
        return device_fail(s, TACIT_CAUSE_UNPARSABLE, why);
    why = token_check(&cause, j, &jwt);
    if (why != NULL)
        return device_fail(s, cause, why);
    if (!device_claims_row(s, j, jwt.claims, ueid))
        return false;
    row_pass(s, "gpu.nras.device");
    return true;
}

static bool devices_rows(const struct row_scope *s, const struct judge *j, const struct answer *a)
{
    struct bytes ueids[LIMIT_GPU_DEVICES];
    const char *kind = j->expect->is_switches ? "SWITCH" : "GPU";
    bool ok = true;

    for (size_t i = 0; i < j->expect->device_count; i++) {
        char name[24], subject[TACIT_ROW_SUBJECT_MAX];
        struct row_scope own = *s;

        snprintf(name, sizeof(name), "%s-%u", kind, (unsigned)i);
        snprintf(subject, sizeof(subject), "%s[%u]", j->expect->is_switches ? "switch" : "gpu",
                 (unsigned)i);
        own.subject = subject;
        ueids[i] = (struct bytes){NULL, 0};
        ok &= device_row(&own, j, a, name, &ueids[i]);
        for (size_t k = 0; k < i && ueids[i].len > 0; k++)
            if (bytes_eq(ueids[k], ueids[i]))
                ok = device_fail(&own, TACIT_CAUSE_MISMATCH, "two tokens are about one device");
    }
    return ok;
}

static const char *result_check(const struct judge *j, const struct answer *a)
{
    struct jval claims = a->overall.claims;
    size_t wanted = j->expect->device_count;

    if (!jscan_str_eq_cstr(jscan_member(claims, "sub"), NRAS_SUBJECT))
        return "the overall token is not about a platform";
    if (!nonce_fits(claims, j->expect->nonce))
        return "the overall token is for another nonce";
    if (!claim_true(claims, CLAIM_OVERALL))
        return "NVIDIA's overall result is not an approval";
    if (wanted == 0 || jscan_count(a->submods) != wanted || jscan_count(a->devices) != wanted)
        return "the answer is not about as many devices as evidence was sent";
    return NULL;
}

static bool sentence_row(const struct row_scope *s, const char *id, enum tacit_row_cause cause,
                         const char *why)
{
    if (why == NULL)
        row_pass(s, id);
    else
        row_fail(s, id, cause, "%s", why);
    return why == NULL;
}

static bool answer_rows(const struct row_scope *s, const struct judge *j, const struct answer *a)
{
    enum tacit_row_cause cause;
    const char *why = token_check(&cause, j, &a->overall);
    bool ok = sentence_row(s, "gpu.nras.token", cause, why);

    ok &= sentence_row(s, "gpu.nras.result", TACIT_CAUSE_MISMATCH, result_check(j, a));
    return devices_rows(s, j, a) && ok;
}

bool gpu_nras_rows(const struct row_scope *s, const struct tacit_gpu_nras *nras,
                   const struct gpu_nras_expect *expect, struct arena *arena)
{
    struct gpu_jwks keys = {0};
    struct answer a;
    struct judge j = {.expect = expect, .keys = &keys, .arena = arena};
    const char *why = answer_read(&a, nras->response, arena);
    bool ok = sentence_row(s, "gpu.nras.format", TACIT_CAUSE_UNPARSABLE, why);

    j.issuer = nras->issuer != NULL ? nras->issuer : NRAS_ISSUER;
    if (gpu_jwks_open(&keys, &why, nras->jwks, nras->intermediate, arena) != TACIT_OK) {
        row_fail(s, "gpu.nras.keys", TACIT_CAUSE_UNPARSABLE, "%s", why);
        ok = false;
    } else {
        row_pass(s, "gpu.nras.keys");
    }
    s->v->is_simulated |= keys.is_simulated;
    if (ok) {
        ok = expect->device_count <= LIMIT_GPU_DEVICES && answer_rows(s, &j, &a);
    } else {
        row_not_run(s, "gpu.nras.token", TACIT_CAUSE_UNPARSABLE, "there is nothing to verify");
        row_not_run(s, "gpu.nras.result", TACIT_CAUSE_UNPARSABLE, "there is nothing to judge");
    }
    gpu_jwks_done(&keys);
    return ok;
}

const char *gpu_nras_digests_check(struct bytes response, struct arena *arena)
{
    struct answer a;
    const char *why = answer_read(&a, response, arena);
    struct jiter it = jscan_iter(a.devices);
    struct jval name, val;

    if (why == NULL && jscan_count(a.devices) != jscan_count(a.submods))
        why = "the overall token does not list the devices of the answer";
    while (why == NULL && jscan_next(&it, &name, &val)) {
        char text[ROW_TEXT_MAX];
        struct bytes view, token;
        struct gpu_jwt jwt;

        if (!jscan_str_view(&view, name) || view.len >= sizeof(text))
            return "a device has no plain name";
        why = device_token(&token, &a, row_text(text, view));
        if (why == NULL && gpu_jwt_parse(&jwt, &why, token, arena) == TACIT_OK)
            why = NULL;
    }
    return why;
}
