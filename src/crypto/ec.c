/* Public keys over OpenSSL's EVP. Invariant: a key object is never changed after it is made, so
 * threads may share it; every verification has a context of its own. */
#include "crypto/ec.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "crypto/der.h"

struct pubkey {
    EVP_PKEY *pkey;
    enum pubkey_kind kind;
    atomic_uint refs;
};

static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};

enum { POINT_MAX = 1 + P384_POINT_LEN, RSA_BYTES_MIN = 256, RSA_BYTES_MAX = 512 };

static enum tacit_err pubkey_wrap(struct pubkey **out, EVP_PKEY *pkey, enum pubkey_kind kind)
{
    struct pubkey *key = malloc(sizeof(*key));

    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return TACIT_NOMEM;
    }
    key->pkey = pkey;
    key->kind = kind;
    atomic_init(&key->refs, 1);
    *out = key;
    return TACIT_OK;
}

struct pubkey *pubkey_ref(struct pubkey *key)
{
    atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void pubkey_free(struct pubkey *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum pubkey_kind pubkey_kind(const struct pubkey *key)
{
    return key->kind;
}

/* A key from parameters, as OpenSSL 3 wants it: NULL if it refuses them. */
static EVP_PKEY *pkey_make(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *point_new(enum pubkey_kind kind, uint8_t *point, size_t len)
{
    char p256[] = "P-256";
    char p384[] = "P-384";
    OSSL_PARAM params[3];

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                 kind == PUBKEY_P256 ? p256 : p384, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, len);
    params[2] = OSSL_PARAM_construct_end();
    return pkey_make("EC", params);
}

/* Setting the point on a copy of the curve's parameters saves looking the curve up: 6 us instead of
 * 31. Both ways decode the point and refuse one that is off the curve. */
static EVP_PKEY *point_new_like(const struct pubkey *like, const uint8_t *point, size_t len)
{
    EVP_PKEY *pkey = EVP_PKEY_new();

    if (pkey != NULL && EVP_PKEY_copy_parameters(pkey, like->pkey) == 1 &&
        EVP_PKEY_set1_encoded_public_key(pkey, point, len) == 1)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

enum tacit_err pubkey_from_point(struct pubkey **out, enum pubkey_kind kind, struct bytes xy,
                                 const struct pubkey *like)
{
    size_t want = kind == PUBKEY_P256 ? P256_POINT_LEN : P384_POINT_LEN;
    uint8_t point[POINT_MAX];
    EVP_PKEY *pkey;

    *out = NULL;
    if (kind == PUBKEY_RSA || xy.len != want)
        return TACIT_FORMAT;
    point[0] = 0x04;
    memcpy(point + 1, xy.ptr, want);
    if (like != NULL && like->kind == kind)
        pkey = point_new_like(like, point, want + 1);
    else
        pkey = point_new(kind, point, want + 1);
    return pkey == NULL ? TACIT_FORMAT : pubkey_wrap(out, pkey, kind);
}

/* OpenSSL takes native-endian integers. */
static void number_param(OSSL_PARAM *param, const char *name, uint8_t *native, struct bytes big)
{
    for (size_t i = 0; i < big.len; i++)
        native[i] = big.ptr[big.len - 1 - i];
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "only little-endian machines are supported"
#endif
    *param = OSSL_PARAM_construct_BN(name, native, big.len);
}

static enum tacit_err rsa_from_bits(struct pubkey **out, struct bytes bits)
{
    struct der outer = der_over(bits);
    struct der seq = der_enter(&outer, DER_SEQUENCE);
    struct bytes n = der_unsigned(&seq);
    struct bytes e = der_unsigned(&seq);
    uint8_t n_native[RSA_BYTES_MAX];
    uint8_t e_native[4];
    OSSL_PARAM params[3];
    EVP_PKEY *pkey;

    if (!der_finished(&seq) || !der_finished(&outer) || n.len < RSA_BYTES_MIN ||
        n.len > RSA_BYTES_MAX || e.len < 1 || e.len > sizeof(e_native) || !(e.ptr[e.len - 1] & 1) ||
        (e.len == 1 && e.ptr[0] < 3))
        return TACIT_FORMAT;
    number_param(&params[0], OSSL_PKEY_PARAM_RSA_N, n_native, n);
    number_param(&params[1], OSSL_PKEY_PARAM_RSA_E, e_native, e);
    params[2] = OSSL_PARAM_construct_end();
    pkey = pkey_make("RSA", params);
    return pkey == NULL ? TACIT_FORMAT : pubkey_wrap(out, pkey, PUBKEY_RSA);
}

enum tacit_err pubkey_from_spki(struct pubkey **out, struct bytes spki_der,
                                const struct pubkey *like)
{
    struct der outer = der_over(spki_der);
    struct der seq = der_enter(&outer, DER_SEQUENCE);
    struct der alg = der_enter(&seq, DER_SEQUENCE);
    struct bytes bits = der_bits(&seq);
    struct bytes oid = der_oid(&alg);
    struct bytes curve;

    *out = NULL;
    if (!der_finished(&seq) || !der_finished(&outer) || !der_ok(&alg))
        return TACIT_FORMAT;
    if (bytes_eq(oid, BYTES_ARRAY(oid_rsa))) {
        if (der_read(&alg, DER_NULL).len != 0 || !der_finished(&alg))
            return TACIT_FORMAT;
        return rsa_from_bits(out, bits);
    }
    if (!bytes_eq(oid, BYTES_ARRAY(oid_ec)))
        return TACIT_UNSUPPORTED;
    curve = der_oid(&alg);
    if (!der_finished(&alg) || bits.len < 1 || bits.ptr[0] != 0x04)
        return TACIT_FORMAT;
    bits = bytes_slice(bits, 1, bits.len);
    if (bytes_eq(curve, BYTES_ARRAY(oid_p256)))
        return pubkey_from_point(out, PUBKEY_P256, bits, like);
    if (bytes_eq(curve, BYTES_ARRAY(oid_p384)))
        return pubkey_from_point(out, PUBKEY_P384, bits, like);
    return TACIT_UNSUPPORTED;
}

static bool pss_set(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha384()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha384()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48) == 1;
}

static bool pkcs1_set(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
}

static bool alg_set(EVP_PKEY_CTX *ctx, enum sig_alg alg)
{
    switch (alg) {
    case SIG_ECDSA_SHA256:
    case SIG_ECDSA_SHA384:
        return true;
    case SIG_RSA_SHA256:
        return pkcs1_set(ctx, EVP_sha256());
    case SIG_RSA_SHA384:
        return pkcs1_set(ctx, EVP_sha384());
    case SIG_RSA_PSS_SHA384:
        return pss_set(ctx);
    case SIG_UNKNOWN:
        return false;
    }
    return false;
}

/* Anything but a clear 1 from OpenSSL is a signature that does not verify. */
static enum tacit_err digest_verify(const struct pubkey *key, enum sig_alg alg, struct bytes sig,
                                    struct bytes digest)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    enum tacit_err err = TACIT_NOMEM;

    if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 && alg_set(ctx, alg))
        err = EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest.ptr, digest.len) == 1 ? TACIT_OK
                                                                                  : TACIT_SIGNATURE;
    EVP_PKEY_CTX_free(ctx);
    return err;
}

/* INTEGER of big-endian octets, shortest form. Returns the octets written (at most len + 3). */
static size_t integer_put(uint8_t *out, const uint8_t *value, size_t len)
{
    size_t skip = 0;
    size_t pad;

    while (skip + 1 < len && value[skip] == 0)
        skip++;
    pad = value[skip] >= 0x80;
    out[0] = DER_INTEGER;
    out[1] = (uint8_t)(len - skip + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, value + skip, len - skip);
    return 2 + pad + len - skip;
}

/* Both sequences stay below 128 octets, so one length octet does. */
static size_t ecdsa_encode(uint8_t out[static 2 + 2 * (P384_SIG_LEN / 2 + 3)], struct bytes raw)
{
    size_t half = raw.len / 2;
    size_t len = integer_put(out + 2, raw.ptr, half);

    len += integer_put(out + 2 + len, raw.ptr + half, half);
    out[0] = DER_SEQUENCE;
    out[1] = (uint8_t)len;
    return 2 + len;
}

enum tacit_err pubkey_verify_raw_digest(const struct pubkey *key, struct bytes sig,
                                        struct bytes digest)
{
    uint8_t der[2 + 2 * (P384_SIG_LEN / 2 + 3)];
    size_t half = key->kind == PUBKEY_P256 ? 32 : 48;

    if (key->kind == PUBKEY_RSA)
        return TACIT_UNSUPPORTED;
    if (sig.len != 2 * half || digest.len != half)
        return TACIT_SIGNATURE;
    return digest_verify(key, SIG_ECDSA_SHA256, bytes_make(der, ecdsa_encode(der, sig)), digest);
}

static const EVP_MD *alg_md(enum sig_alg alg)
{
    return alg == SIG_ECDSA_SHA256 || alg == SIG_RSA_SHA256 ? EVP_sha256() : EVP_sha384();
}

enum tacit_err pubkey_verify_raw(const struct pubkey *key, struct bytes sig, struct bytes msg)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_Digest(msg.ptr, msg.len, digest, &len,
                   alg_md(key->kind == PUBKEY_P256 ? SIG_ECDSA_SHA256 : SIG_ECDSA_SHA384),
                   NULL) != 1)
        return TACIT_NOMEM;
    return pubkey_verify_raw_digest(key, sig, bytes_make(digest, len));
}

enum tacit_err pubkey_verify(const struct pubkey *key, enum sig_alg alg, struct bytes sig,
                             struct bytes msg)
{
    bool is_ecdsa = alg == SIG_ECDSA_SHA256 || alg == SIG_ECDSA_SHA384;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (alg == SIG_UNKNOWN || is_ecdsa == (key->kind == PUBKEY_RSA))
        return TACIT_UNSUPPORTED;
    if (EVP_Digest(msg.ptr, msg.len, digest, &len, alg_md(alg), NULL) != 1)
        return TACIT_NOMEM;
    return digest_verify(key, alg, sig, bytes_make(digest, len));
}
