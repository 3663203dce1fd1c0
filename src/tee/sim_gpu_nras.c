/* The simulated attestation service: a key set whose keys come from an RSA issuer, an overall token
 * and one per GPU, as gpu.md 4.2. It approves whatever machine it belongs to. */
#include "tee/sim_gpu_priv.h"

#include <stdio.h>

#include "attest/gpu_chain.h"
#include "codec/base64.h"

enum { NRAS_MAX = 128 * 1024, COORD = 48, DAY = 24 * 60 * 60, HOUR = 3600 };

#define KID "sim-eat-kid-1"

static enum tacit_err issuer_key(struct sim_gpu *g, struct signkey **key, bool is_rogue)
{
    return signkey_from_seed(key, SIGNKEY_RSA2048, g->seed,
                             is_rogue ? SIM_GPU_ROGUE "nras issuer" : "nras issuer");
}

/* Name and certificate of the issuer, which signs itself: verifiers pin it. */
static enum tacit_err issuer_cert(struct buf *der, struct buf *name, const struct signkey *key)
{
    struct buf spki = buf_make(NRAS_MAX), exts = buf_make(NRAS_MAX);
    enum tacit_err err = signkey_spki(key, &spki);

    sim_gpu_name(name, "SIMULATED Attestation Service GPU Intermediate", NULL);
    ext_put_constraints(&exts, true, X509_NO_PATHLEN);
    ext_put_usage(&exts, X509_USE_CERT_SIGN | X509_USE_CRL_SIGN);
    if (err == TACIT_OK) {
        struct cert_spec spec = {.serial = BYTES_LIT("\x07"),
                                 .issuer_name = buf_bytes(name),
                                 .subject_name = buf_bytes(name),
                                 .not_before_unix_s = 1609459200,
                                 .not_after_unix_s = 4102444800,
                                 .spki = buf_bytes(&spki),
                                 .extensions = buf_bytes(&exts)};

        err = cert_make(der, &spec, key);
    }
    buf_done(&spki);
    buf_done(&exts);
    return err;
}

enum tacit_err sim_gpu_nras_root(struct sim_gpu *g, struct buf *pem)
{
    struct buf der = buf_make(NRAS_MAX), name = buf_make(NRAS_MAX);
    struct signkey *key = NULL;
    enum tacit_err err = issuer_key(g, &key, false);

    if (err == TACIT_OK)
        err = issuer_cert(&der, &name, key);
    if (err == TACIT_OK)
        pem_put(pem, "CERTIFICATE", buf_bytes(&der));
    signkey_free(key);
    buf_done(&der);
    buf_done(&name);
    return err == TACIT_OK ? buf_err(pem) : err;
}

static enum tacit_err token_key(struct sim_gpu *g, struct signkey **key, bool is_rogue)
{
    return signkey_from_seed(key, SIGNKEY_P384, g->seed,
                             is_rogue ? SIM_GPU_ROGUE "nras key" : "nras key");
}

/* A leaf of 48 hours for the signing key. */
static enum tacit_err leaf_cert(struct sim_gpu *g, struct buf *der, struct bytes issuer_name,
                                const struct signkey *issuer, const struct signkey *key)
{
    struct buf spki = buf_make(NRAS_MAX), name = buf_make(NRAS_MAX), exts = buf_make(NRAS_MAX);
    int64_t shift = g->fault == SIM_GPU_NRAS_JWKS_EXPIRED ? -(int64_t)5 * DAY : 0;
    enum tacit_err err = signkey_spki(key, &spki);

    sim_gpu_name(&name, "SIMULATED Attestation Service GPU", NULL);
    ext_put_usage(&exts, X509_USE_SIGNATURE);
    if (g->fault == SIM_GPU_NRAS_OLD)
        shift = -(int64_t)10 * DAY;
    if (err == TACIT_OK) {
        struct cert_spec spec = {.serial = BYTES_LIT("\x11"),
                                 .issuer_name = issuer_name,
                                 .subject_name = buf_bytes(&name),
                                 .not_before_unix_s = g->now_unix_s + shift - DAY,
                                 .not_after_unix_s = g->now_unix_s + shift + DAY,
                                 .spki = buf_bytes(&spki),
                                 .extensions = buf_bytes(&exts)};

        err = cert_make(der, &spec, issuer);
    }
    buf_done(&spki);
    buf_done(&name);
    buf_done(&exts);
    return err;
}

static void jwk_put(struct buf *json, const struct signkey *key, const struct buf *leaf,
                    const struct buf *issuer)
{
    uint8_t xy[SIGNKEY_POINT_MAX];

    signkey_point(key, xy);
    buf_puts(json, "{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"" KID "\",\"x\":\"");
    base64_encode(json, bytes_make(xy, COORD), BASE64_URL);
    buf_puts(json, "\",\"y\":\"");
    base64_encode(json, bytes_make(xy + COORD, COORD), BASE64_URL);
    buf_puts(json, "\",\"x5c\":[\"");
    base64_encode(json, buf_bytes(leaf), BASE64_STD);
    buf_puts(json, "\",\"");
    base64_encode(json, buf_bytes(issuer), BASE64_STD);
    buf_puts(json, "\"]}");
}

enum tacit_err sim_gpu_jwks(struct sim_gpu *g, struct buf *json)
{
    struct buf issuer_der = buf_make(NRAS_MAX), name = buf_make(NRAS_MAX),
               leaf = buf_make(NRAS_MAX);
    struct signkey *issuer = NULL, *key = NULL, *shown = NULL;
    enum tacit_err err = issuer_key(g, &issuer, g->fault == SIM_GPU_NRAS_JWKS_ISSUER);

    if (err == TACIT_OK)
        err = token_key(g, &key, false);
    if (err == TACIT_OK)
        err = token_key(g, &shown, g->fault == SIM_GPU_NRAS_JWKS_KEY);
    if (err == TACIT_OK)
        err = issuer_cert(&issuer_der, &name, issuer);
    if (err == TACIT_OK)
        err = leaf_cert(g, &leaf, buf_bytes(&name), issuer, key);
    if (err == TACIT_OK) {
        buf_puts(json, "{\"keys\":[");
        jwk_put(json, shown, &leaf, &issuer_der);
        if (g->fault == SIM_GPU_NRAS_KID_TWICE) {
            buf_putc(json, ',');
            jwk_put(json, shown, &leaf, &issuer_der);
        }
        buf_puts(json, "]}");
    }
    signkey_free(issuer);
    signkey_free(key);
    signkey_free(shown);
    buf_done(&issuer_der);
    buf_done(&name);
    buf_done(&leaf);
    return err == TACIT_OK ? buf_err(json) : err;
}

/* Appends the compact token of these claims. */
static enum tacit_err token_put(struct sim_gpu *g, struct buf *out, const struct signkey *key,
                                const char *header, const struct buf *claims)
{
    uint8_t digest[SIM_GPU_DIGEST], sig[SIGNKEY_RAW_MAX];
    struct buf text = buf_make(NRAS_MAX);
    enum tacit_err err;
    size_t len;

    UNUSED(g);
    base64_encode(&text, bytes_of(header), BASE64_URL);
    buf_putc(&text, '.');
    base64_encode(&text, buf_bytes(claims), BASE64_URL);
    sha384(digest, buf_bytes(&text));
    err = signkey_sign_raw(key, sig, &len, BYTES_ARRAY(digest));
    buf_put(out, buf_bytes(&text));
    buf_putc(out, '.');
    if (err == TACIT_OK)
        base64_encode(out, BYTES_ARRAY(sig), BASE64_URL);
    buf_done(&text);
    return err == TACIT_OK ? buf_err(out) : err;
}

static void times_put(struct buf *json, const struct sim_gpu *g)
{
    int64_t issued = g->now_unix_s - 60;
    int64_t life = HOUR;

    if (g->fault == SIM_GPU_NRAS_EXPIRED)
        issued -= 2 * HOUR;
    if (g->fault == SIM_GPU_NRAS_FUTURE)
        issued += 2 * HOUR;
    if (g->fault == SIM_GPU_NRAS_OLD)
        issued -= (int64_t)10 * DAY, life = (int64_t)20 * DAY;
    buf_putf(json, "\"iss\":\"%s\",\"nbf\":%lld,\"iat\":%lld,",
             g->fault == SIM_GPU_NRAS_ISSUER ? "https://nras.example.invalid" : SIM_GPU_ISSUER,
             (long long)issued, (long long)issued);
    if (g->fault != SIM_GPU_NRAS_NO_EXP)
        buf_putf(json, "\"exp\":%lld,", (long long)issued + life);
}

static void nonce_put(struct buf *json, const uint8_t nonce[static 32], bool is_wrong)
{
    uint8_t octets[32];

    memcpy(octets, nonce, sizeof(octets));
    octets[31] ^= is_wrong ? 1 : 0;
    buf_puts(json, "\"eat_nonce\":\"");
    buf_hex(json, BYTES_ARRAY(octets));
    buf_puts(json, "\",");
}

static void gpu_booleans_put(struct buf *json, enum sim_gpu_fault fault)
{
    static const char *const names[] = {"arch-check",
                                        "attestation-report-parsed",
                                        "attestation-report-nonce-match",
                                        "attestation-report-signature-verified",
                                        "attestation-report-cert-chain-validated",
                                        "driver-rim-fetched",
                                        "driver-rim-schema-validated",
                                        "driver-rim-signature-verified",
                                        "driver-rim-cert-validated",
                                        "driver-rim-measurements-available",
                                        "vbios-rim-fetched",
                                        "vbios-rim-schema-validated",
                                        "vbios-rim-signature-verified",
                                        "vbios-rim-cert-validated",
                                        "vbios-rim-measurements-available",
                                        "vbios-index-no-conflict"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (i != 3 || fault != SIM_GPU_NRAS_DEVICE_CLAIM)
            buf_putf(json, "\"x-nvidia-gpu-%s\":true,", names[i]);
}

static enum tacit_err device_claims(struct sim_gpu *g, struct buf *json, struct sim_gpu_device *d,
                                    const uint8_t nonce[static 32])
{
    char ueid[TACIT_GPU_TEXT_MAX];
    enum tacit_err err = sim_gpu_device_make(g, d);

    gpu_serial_decimal(ueid, bytes_make(d->leaf.serial, d->leaf.serial_len));
    buf_putc(json, '{');
    times_put(json, g);
    nonce_put(json, nonce, g->fault == SIM_GPU_NRAS_DEVICE_NONCE);
    gpu_booleans_put(json, g->fault);
    if (g->fault == SIM_GPU_NRAS_DEVICE_ERROR)
        buf_puts(json, "\"x-nvidia-error-details\":{\"code\":4010,\"message\":"
                       "\"NONCE_NOT_MATCHING\",\"description\":\"simulated\"},");
    buf_putf(json,
             "\"measres\":\"%s\",\"secboot\":true,\"dbgstat\":\"%s\",\"hwmodel\":\"%s\","
             "\"oemid\":\"5703\",\"ueid\":\"%s%s\",\"x-nvidia-gpu-driver-version\":\"%s\","
             "\"x-nvidia-gpu-vbios-version\":\"%s\",\"x-nvidia-attestation-warning\":null,"
             "\"jti\":\"sim-%u\"}",
             g->fault == SIM_GPU_NRAS_DEVICE_FAIL ? "fail" : "success",
             g->fault == SIM_GPU_NRAS_DEVICE_DEBUG ? "enabled" : "disabled", sim_gpu_chip(d->arch),
             g->fault == SIM_GPU_NRAS_DEVICE_OTHER ? "1" : "", ueid, sim_gpu_driver(),
             sim_gpu_vbios(d->arch), d->index);
    return err;
}

static void submods_put(struct buf *json, const struct buf *tokens, unsigned count)
{
    buf_puts(json, "\"submods\":{");
    for (unsigned i = 0; i < count; i++) {
        uint8_t digest[SHA256_LEN];

        sha256(digest, buf_bytes(&tokens[i]));
        buf_putf(json, "%s\"GPU-%u\":[\"DIGEST\",[\"SHA-256\",\"", i > 0 ? "," : "", i);
        buf_hex(json, BYTES_ARRAY(digest));
        buf_puts(json, "\"]]");
    }
    buf_puts(json, "},");
}

static void overall_claims(struct sim_gpu *g, struct buf *json, const struct buf *tokens,
                           unsigned count, const uint8_t nonce[static 32])
{
    const char *result = g->fault == SIM_GPU_NRAS_REFUSED       ? "false"
                         : g->fault == SIM_GPU_NRAS_RESULT_TEXT ? "\"true\""
                                                                : "true";

    buf_putf(json, "{\"sub\":\"%s\",\"x-nvidia-ver\":\"2.0\",",
             g->fault == SIM_GPU_NRAS_SUBJECT ? "NVIDIA-DEVICE" : "NVIDIA-PLATFORM-ATTESTATION");
    times_put(json, g);
    nonce_put(json, nonce, g->fault == SIM_GPU_NRAS_NONCE);
    submods_put(json, tokens, count);
    if (g->fault == SIM_GPU_NRAS_TWICE)
        buf_puts(json, "\"x-nvidia-overall-att-result\":false,");
    buf_putf(json, "\"x-nvidia-overall-att-result\":%s,\"jti\":\"sim\"}", result);
}

static const char *overall_header(enum sim_gpu_fault fault)
{
    if (fault == SIM_GPU_NRAS_ALG_NONE)
        return "{\"kid\":\"" KID "\",\"alg\":\"none\"}";
    if (fault == SIM_GPU_NRAS_HS256)
        return "{\"kid\":\"" KID "\",\"alg\":\"HS256\"}";
    if (fault == SIM_GPU_NRAS_HEADER_KEY)
        return "{\"kid\":\"" KID "\",\"alg\":\"ES384\",\"jwk\":{}}";
    if (fault == SIM_GPU_NRAS_KID)
        return "{\"kid\":\"sim-eat-kid-2\",\"alg\":\"ES384\"}";
    return "{\"kid\":\"" KID "\",\"alg\":\"ES384\"}";
}

/* One octet of the payload changes; the token stays well-formed. */
static void overall_edit(struct buf *token)
{
    struct buf claims = buf_make(NRAS_MAX);
    uint8_t *first = memchr(token->ptr, '.', token->len);
    uint8_t *second = memrchr(token->ptr, '.', token->len);
    struct buf out = buf_make(NRAS_MAX);
    uint8_t *at;

    if (first != NULL && second > first &&
        base64_decode(&claims, bytes_make(first + 1, (size_t)(second - first - 1)), BASE64_URL) ==
            TACIT_OK) {
        at = memmem(claims.ptr, claims.len, "\"jti\":\"sim\"", 11);
        if (at != NULL)
            at[7] = 'S';
        buf_put(&out, bytes_make(token->ptr, (size_t)(first + 1 - token->ptr)));
        base64_encode(&out, buf_bytes(&claims), BASE64_URL);
        buf_put(&out, bytes_make(second, (size_t)(token->ptr + token->len - second)));
        buf_reset(token);
        buf_put(token, buf_bytes(&out));
    }
    buf_done(&claims);
    buf_done(&out);
}

static enum tacit_err overall_token(struct sim_gpu *g, struct buf *out, const struct buf *tokens,
                                    unsigned count, const uint8_t nonce[static 32])
{
    struct buf claims = buf_make(NRAS_MAX);
    struct signkey *key = NULL;
    enum tacit_err err = token_key(g, &key, g->fault == SIM_GPU_NRAS_OTHER_KEY);

    overall_claims(g, &claims, tokens, count, nonce);
    if (err == TACIT_OK)
        err = token_put(g, out, key, overall_header(g->fault), &claims);
    if (err == TACIT_OK && g->fault == SIM_GPU_NRAS_EDITED)
        overall_edit(out);
    signkey_free(key);
    buf_done(&claims);
    return err;
}

static enum tacit_err device_tokens(struct sim_gpu *g, struct buf *tokens, unsigned count,
                                    const uint8_t nonce[static 32])
{
    struct signkey *key = NULL;
    enum tacit_err err = token_key(g, &key, false);

    for (unsigned i = 0; i < count && err == TACIT_OK; i++) {
        struct buf claims = buf_make(NRAS_MAX);

        err = device_claims(g, &claims, &g->devices[i], nonce);
        if (err == TACIT_OK)
            err = token_put(g, &tokens[i], key, "{\"kid\":\"" KID "\",\"alg\":\"ES384\"}", &claims);
        buf_done(&claims);
    }
    signkey_free(key);
    return err;
}

enum tacit_err sim_gpu_nras(struct sim_gpu *g, struct buf *json, const uint8_t nonce[static 32])
{
    struct buf tokens[SIM_GPU_GPUS], overall = buf_make(NRAS_MAX);
    unsigned count = g->fault == SIM_GPU_NRAS_NO_DEVICE ? 0 : g->gpu_count;
    enum tacit_err err;

    if (g->fault == SIM_GPU_NRAS_NOT_JSON || g->fault == SIM_GPU_NRAS_SHAPE) {
        buf_puts(json, g->fault == SIM_GPU_NRAS_SHAPE ? "[]" : "<html></html>");
        return buf_err(json);
    }
    for (size_t i = 0; i < SIM_GPU_GPUS; i++)
        tokens[i] = buf_make(NRAS_MAX);
    err = device_tokens(g, tokens, count, nonce);
    if (err == TACIT_OK)
        err = overall_token(g, &overall, tokens, count, nonce);
    if (err == TACIT_OK && g->fault == SIM_GPU_NRAS_DIGEST) {
        buf_reset(&tokens[0]);
        err = device_tokens(g, tokens, 1, (const uint8_t[32]){1});
    }
    buf_puts(json, "[[\"JWT\",\"");
    buf_put(json, buf_bytes(&overall));
    buf_puts(json, "\"],{");
    for (unsigned i = 0; i < count; i++) {
        buf_putf(json, "%s\"GPU-%u\":\"", i > 0 ? "," : "", i);
        buf_put(json, buf_bytes(&tokens[i]));
        buf_putc(json, '"');
    }
    buf_puts(json, "}]");
    for (size_t i = 0; i < SIM_GPU_GPUS; i++)
        buf_done(&tokens[i]);
    buf_done(&overall);
    return err == TACIT_OK ? buf_err(json) : err;
}
