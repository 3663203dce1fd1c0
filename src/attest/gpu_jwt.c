/* Tokens and key sets. Invariant: the algorithm is fixed by us, the key is found by us, and nothing
 * in a token's header but its key id has any say. */
#include "attest/gpu_jwt.h"

#include "codec/base64.h"
#include "crypto/sha2.h"

enum { P384_COORD_LEN = 48, X5C_LEN = 2, ES384_LEN = 96 };

/* NVIDIA Attestation Service GPU Intermediate 004 (spec: gpu.md 4.4). */
static const uint8_t nras_spki_sha256[32] = {
    0xfd, 0x32, 0x83, 0x7f, 0x95, 0x4e, 0x2c, 0x45, 0xdb, 0x07, 0x31, 0x05, 0x16, 0x6d, 0xfe, 0x69,
    0x85, 0xae, 0x04, 0x80, 0xbb, 0x11, 0x3f, 0xba, 0x63, 0xb0, 0x91, 0xa7, 0x5a, 0xff, 0xe8, 0x96,
};

static enum tacit_err decode(struct bytes *out, struct bytes text, enum base64_kind kind,
                             struct arena *arena)
{
    size_t room = base64_decoded_max(text.len);
    uint8_t *mem = arena_alloc(arena, room > 0 ? room : 1);
    struct buf b;

    *out = (struct bytes){NULL, 0};
    if (mem == NULL)
        return TACIT_NOMEM;
    b = buf_over(mem, room);
    if (base64_decode(&b, text, kind) != TACIT_OK)
        return TACIT_FORMAT;
    *out = buf_bytes(&b);
    return TACIT_OK;
}

static enum tacit_err decode_fixed(uint8_t *out, size_t len, struct bytes text)
{
    uint8_t room[ES384_LEN + 4];
    struct buf b = buf_over(room, sizeof(room));

    if (base64_decode(&b, text, BASE64_URL) != TACIT_OK || b.len != len)
        return TACIT_FORMAT;
    memcpy(out, room, len);
    return TACIT_OK;
}

/* Up to the next '.', which is taken; false if there is none. */
static bool part_take(struct bytes *part, struct bytes *rest)
{
    const uint8_t *dot = rest->len == 0 ? NULL : memchr(rest->ptr, '.', rest->len);

    if (dot == NULL)
        return false;
    *part = bytes_slice(*rest, 0, (size_t)(dot - rest->ptr));
    *rest = bytes_slice(*rest, part->len + 1, rest->len);
    return true;
}

static const char *header_check(struct gpu_jwt *out, struct jval header)
{
    struct jscan_field f[] = {{.name = "alg"}, {.name = "kid"}, {.name = "typ"}};

    if (jscan_fields(header, f, ARRAY_LEN(f)) != 0)
        return "a token's header holds more than alg, kid and typ";
    if (!jscan_str_eq_cstr(f[0].val, "ES384"))
        return "a token is not signed with ES384";
    if (!jscan_str_view(&out->kid, f[1].val) || out->kid.len == 0)
        return "a token names no key";
    if (f[2].val.type != JVAL_NONE && !jscan_str_eq_cstr(f[2].val, "JWT"))
        return "a token is of another type than JWT";
    return NULL;
}

enum tacit_err gpu_jwt_parse(struct gpu_jwt *out, const char **why, struct bytes text,
                             struct arena *arena)
{
    struct bytes rest = text;
    struct bytes header, payload, header_text, payload_text;
    struct jval root;

    *out = (struct gpu_jwt){.text = text};
    *why = "a token is not three base64url parts";
    if (!part_take(&header, &rest) || !part_take(&payload, &rest) ||
        decode_fixed(out->signature, ES384_LEN, rest) != TACIT_OK)
        return TACIT_FORMAT;
    out->signed_part = bytes_slice(text, 0, header.len + 1 + payload.len);
    if (decode(&header_text, header, BASE64_URL, arena) != TACIT_OK ||
        decode(&payload_text, payload, BASE64_URL, arena) != TACIT_OK)
        return TACIT_FORMAT;
    *why = "a token's header or payload is no strict JSON object";
    if (jscan_object(&root, header_text) != TACIT_OK ||
        jscan_object(&out->claims, payload_text) != TACIT_OK)
        return TACIT_FORMAT;
    *why = header_check(out, root);
    return *why == NULL ? TACIT_OK : TACIT_FORMAT;
}

static enum tacit_err issuer_set(struct gpu_jwks *set, struct bytes issuer, struct arena *arena)
{
    struct x509_cert cert;
    size_t count;

    memcpy(set->issuer_spki_sha256, nras_spki_sha256, sizeof(nras_spki_sha256));
    if (issuer.len == 0)
        return TACIT_OK;
    if (issuer.ptr[0] == DER_SEQUENCE) {
        if (x509_parse(&cert, issuer) != TACIT_OK)
            return TACIT_USAGE;
    } else if (x509_parse_pem(&cert, 1, &count, issuer, arena) != TACIT_OK) {
        return TACIT_USAGE;
    }
    sha256(set->issuer_spki_sha256, cert.spki);
    set->is_simulated =
        memcmp(set->issuer_spki_sha256, nras_spki_sha256, sizeof(nras_spki_sha256)) != 0;
    return TACIT_OK;
}

enum tacit_err gpu_jwks_open(struct gpu_jwks *out, const char **why, struct bytes json,
                             struct bytes issuer, struct arena *arena)
{
    struct jval root;

    *out = (struct gpu_jwks){0};
    *why = "the issuer given for the service's keys is no certificate";
    if (issuer_set(out, issuer, arena) != TACIT_OK)
        return TACIT_USAGE;
    *why = "the key set is larger than any genuine one";
    if (json.len > LIMIT_JWKS_BYTES)
        return TACIT_LIMIT;
    *why = "the key set is no strict JSON object with keys";
    if (jscan_object(&root, json) != TACIT_OK)
        return TACIT_FORMAT;
    out->keys = jscan_member(root, "keys");
    if (out->keys.type != JVAL_ARRAY)
        return TACIT_FORMAT;
    if (jscan_count(out->keys) > LIMIT_JWKS_KEYS)
        return TACIT_LIMIT;
    *why = NULL;
    return TACIT_OK;
}

void gpu_jwks_done(struct gpu_jwks *set)
{
    pubkey_free(set->key);
    *set = (struct gpu_jwks){0};
}

static bool key_find(struct jval *out, struct jval keys, struct bytes kid)
{
    struct jiter it = jscan_iter(keys);
    struct jval key;
    size_t found = 0;

    while (jscan_next(&it, NULL, &key)) {
        if (!jscan_str_eq(jscan_member(key, "kid"), kid))
            continue;
        *out = key;
        found++;
    }
    return found == 1;
}

static bool point_read(uint8_t xy[static P384_POINT_LEN], struct jval key)
{
    struct bytes x, y;

    return jscan_str_eq_cstr(jscan_member(key, "kty"), "EC") &&
           jscan_str_eq_cstr(jscan_member(key, "crv"), "P-384") &&
           jscan_str_view(&x, jscan_member(key, "x")) &&
           jscan_str_view(&y, jscan_member(key, "y")) &&
           decode_fixed(xy, P384_COORD_LEN, x) == TACIT_OK &&
           decode_fixed(xy + P384_COORD_LEN, P384_COORD_LEN, y) == TACIT_OK;
}

static bool x5c_read(struct x509_cert out[static X5C_LEN], struct jval key, struct arena *arena)
{
    struct jval list = jscan_member(key, "x5c");

    if (list.type != JVAL_ARRAY || jscan_count(list) != X5C_LEN)
        return false;
    for (size_t i = 0; i < X5C_LEN; i++) {
        struct bytes text = jscan_str_dup(arena, jscan_item(list, i));
        struct bytes der;

        if (text.ptr == NULL || decode(&der, text, BASE64_STD, arena) != TACIT_OK ||
            x509_parse(&out[i], der) != TACIT_OK)
            return false;
    }
    return true;
}

/* The point stands, uncompressed, at the end of a P-384 SubjectPublicKeyInfo. */
static bool spki_is_point(struct bytes spki, const uint8_t xy[static P384_POINT_LEN])
{
    return spki.len > P384_POINT_LEN &&
           memcmp(spki.ptr + spki.len - P384_POINT_LEN, xy, P384_POINT_LEN) == 0;
}

static enum tacit_err certs_verify(struct gpu_jwks *set, const char **why,
                                   const struct x509_cert certs[static X5C_LEN])
{
    struct pubkey *issuer_key = NULL;
    uint8_t digest[32];
    enum tacit_err err;

    sha256(digest, certs[1].spki);
    *why = "the signing key's certificate does not come from the pinned issuer";
    if (memcmp(digest, set->issuer_spki_sha256, sizeof(digest)) != 0)
        return TACIT_UNTRUSTED;
    /* the pinned certificate may come without keyUsage: then it is not restricted (RFC 5280) */
    if (!bytes_eq(certs[1].subject, certs[0].issuer) || !certs[1].is_ca ||
        certs[1].has_unknown_critical ||
        (certs[1].has_usage && (certs[1].usage & X509_USE_CERT_SIGN) == 0))
        return TACIT_UNTRUSTED;
    err = x509_key(&issuer_key, &certs[1], NULL);
    if (err == TACIT_OK)
        err = x509_verify(&certs[0], issuer_key);
    pubkey_free(issuer_key);
    if (err != TACIT_OK)
        return err == TACIT_NOMEM ? err : TACIT_UNTRUSTED;
    *why = "the signing certificate is not made for signing tokens";
    if (certs[0].has_unknown_critical || certs[0].is_ca ||
        (certs[0].has_usage && (certs[0].usage & X509_USE_SIGNATURE) == 0))
        return TACIT_UNTRUSTED;
    set->not_before_unix_s = certs[0].not_before_unix_s;
    set->not_after_unix_s = certs[0].not_after_unix_s;
    if (certs[1].not_before_unix_s > set->not_before_unix_s)
        set->not_before_unix_s = certs[1].not_before_unix_s;
    if (certs[1].not_after_unix_s < set->not_after_unix_s)
        set->not_after_unix_s = certs[1].not_after_unix_s;
    return TACIT_OK;
}

static enum tacit_err key_load(struct gpu_jwks *set, const char **why, struct bytes kid,
                               struct arena *arena)
{
    struct x509_cert certs[X5C_LEN];
    uint8_t xy[P384_POINT_LEN];
    struct jval key = JVAL_ABSENT;
    enum tacit_err err;

    *why = "the key set does not hold exactly one key of that id";
    if (!key_find(&key, set->keys, kid))
        return TACIT_NOT_FOUND;
    *why = "the key is not on P-384, or does not come with two certificates";
    if (!point_read(xy, key) || !x5c_read(certs, key, arena))
        return TACIT_FORMAT;
    *why = "the key is not the one in its certificate";
    if (!spki_is_point(certs[0].spki, xy))
        return TACIT_UNTRUSTED;
    err = certs_verify(set, why, certs);
    if (err != TACIT_OK)
        return err;
    pubkey_free(set->key);
    set->key = NULL;
    set->kid = (struct bytes){NULL, 0};
    *why = "the key is no point of P-384";
    err = pubkey_from_spki(&set->key, certs[0].spki, NULL);
    if (err == TACIT_OK && pubkey_kind(set->key) != PUBKEY_P384)
        err = TACIT_UNTRUSTED;
    if (err == TACIT_OK)
        set->kid = kid;
    return err;
}

enum tacit_err gpu_jwks_verify(struct gpu_jwks *set, const char **why, const struct gpu_jwt *jwt,
                               int64_t issued_unix_s, struct arena *arena)
{
    enum tacit_err err = TACIT_OK;

    *why = NULL;
    if (set->key == NULL || !bytes_eq(set->kid, jwt->kid))
        err = key_load(set, why, jwt->kid, arena);
    if (err != TACIT_OK)
        return err;
    *why = "the signing certificate was not valid when the token was issued";
    if (issued_unix_s < set->not_before_unix_s || issued_unix_s > set->not_after_unix_s)
        return TACIT_EXPIRED;
    *why = "the token's signature does not verify";
    err = pubkey_verify_raw(set->key, BYTES_ARRAY(jwt->signature), jwt->signed_part);
    if (err == TACIT_OK)
        *why = NULL;
    return err;
}
