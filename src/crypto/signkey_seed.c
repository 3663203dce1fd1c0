/* Keys and signatures that a seed determines, for simulators ONLY: the arithmetic below is not
 * constant-time, which does not matter for keys that protect nothing. Scalars and primes come from
 * HKDF over seed and label; nonces from RFC 6979. */
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "crypto/hkdf.h"
#include "crypto/signkey_priv.h"

enum { RSA_E = 65537, RSA_PRIME_MAX = 192, NONCE_TRIES = 16 };

static const char seed_salt[] = "tacit simulator key";

size_t signkey_scalar_len(enum signkey_kind kind)
{
    switch (kind) {
    case SIGNKEY_P256:
        return 32;
    case SIGNKEY_P384:
        return 48;
    case SIGNKEY_RSA2048:
    case SIGNKEY_RSA3072:
        return 0;
    }
    return 0;
}

/* Scalar in [1, n-1]; 16 octets more than needed make the reduction's bias vanish. */
static bool scalar_derive(BIGNUM *d, const struct signkey *key, const uint8_t *seed,
                          const char *label, BN_CTX *ctx)
{
    uint8_t wide[48 + 16];
    size_t len = signkey_scalar_len(key->kind) + 16;
    BIGNUM *below = BN_dup(EC_GROUP_get0_order(key->group));
    bool ok = below != NULL &&
              hkdf_sha256(wide, len, bytes_make(seed, SIGNKEY_SEED_LEN), bytes_of(seed_salt),
                          bytes_of(label)) == TACIT_OK &&
              BN_sub_word(below, 1) == 1 && BN_bin2bn(wide, (int)len, d) != NULL &&
              BN_mod(d, d, below, ctx) == 1 && BN_add_word(d, 1) == 1;

    explicit_bzero(wide, sizeof(wide));
    BN_free(below);
    return ok;
}

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static EVP_PKEY *ec_pkey(const struct signkey *key, BN_CTX *ctx)
{
    uint8_t point_octets[1 + SIGNKEY_POINT_MAX];
    size_t len = 1 + 2 * signkey_scalar_len(key->kind);
    EC_POINT *point = EC_POINT_new(key->group);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;

    if (point != NULL && build != NULL &&
        EC_POINT_mul(key->group, point, key->scalar, NULL, NULL, ctx) == 1 &&
        EC_POINT_point2oct(key->group, point, POINT_CONVERSION_UNCOMPRESSED, point_octets, len,
                           ctx) == len &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                        key->kind == SIGNKEY_P256 ? "P-256" : "P-384", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point_octets, len) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, key->scalar) == 1)
        pkey = pkey_from("EC", build);
    OSSL_PARAM_BLD_free(build);
    EC_POINT_free(point);
    return pkey;
}

enum tacit_err seed_make_ec(struct signkey *key, const uint8_t seed[static SIGNKEY_SEED_LEN],
                            const char *label)
{
    BN_CTX *ctx = BN_CTX_new();

    key->group = EC_GROUP_new_by_curve_name(key->kind == SIGNKEY_P256 ? NID_X9_62_prime256v1
                                                                      : NID_secp384r1);
    key->scalar = BN_new();
    if (ctx != NULL && key->group != NULL && key->scalar != NULL &&
        scalar_derive(key->scalar, key, seed, label, ctx))
        key->pkey = ec_pkey(key, ctx);
    BN_CTX_free(ctx);
    return key->pkey == NULL ? TACIT_NOMEM : TACIT_OK;
}

/* First prime at or above a derived odd number with its two top bits set, so that the product of
 * two has full length, and with gcd(p - 1, e) = 1. */
static bool prime_derive(BIGNUM *p, size_t prime_len, const uint8_t *seed, const char *label,
                         const char *which, BN_CTX *ctx)
{
    uint8_t start[RSA_PRIME_MAX] = {0};
    struct buf info = buf_make(256);
    bool ok;

    buf_putf(&info, "%s/%s", label, which);
    ok = buf_err(&info) == TACIT_OK &&
         hkdf_sha256(start, prime_len, bytes_make(seed, SIGNKEY_SEED_LEN), bytes_of(seed_salt),
                     buf_bytes(&info)) == TACIT_OK;
    buf_done(&info);
    start[0] |= 0xc0;
    start[prime_len - 1] |= 1;
    ok = ok && BN_bin2bn(start, (int)prime_len, p) != NULL;
    explicit_bzero(start, sizeof(start));
    for (; ok; ok = BN_add_word(p, 2) == 1) {
        int is_prime;

        if (BN_mod_word(p, RSA_E) == 1)
            continue;
        is_prime = BN_check_prime(p, ctx, NULL);
        if (is_prime != 0)
            return is_prime == 1;
    }
    return false;
}

/* Everything that OpenSSL wants of an RSA key, from its primes. */
static bool rsa_push(OSSL_PARAM_BLD *build, BIGNUM *p, BIGNUM *q, BN_CTX *ctx)
{
    BIGNUM *e = BN_CTX_get(ctx);
    BIGNUM *n = BN_CTX_get(ctx);
    BIGNUM *d = BN_CTX_get(ctx);
    BIGNUM *phi = BN_CTX_get(ctx);
    BIGNUM *p1 = BN_CTX_get(ctx);
    BIGNUM *q1 = BN_CTX_get(ctx);
    BIGNUM *dp = BN_CTX_get(ctx);
    BIGNUM *dq = BN_CTX_get(ctx);
    BIGNUM *qi = BN_CTX_get(ctx);

    return qi != NULL && BN_set_word(e, RSA_E) == 1 && BN_mul(n, p, q, ctx) == 1 &&
           BN_sub(p1, p, BN_value_one()) == 1 && BN_sub(q1, q, BN_value_one()) == 1 &&
           BN_mul(phi, p1, q1, ctx) == 1 && BN_mod_inverse(d, e, phi, ctx) != NULL &&
           BN_mod(dp, d, p1, ctx) == 1 && BN_mod(dq, d, q1, ctx) == 1 &&
           BN_mod_inverse(qi, q, p, ctx) != NULL &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d) == 1 &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_FACTOR1, p) == 1 &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_FACTOR2, q) == 1 &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_EXPONENT1, dp) == 1 &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_EXPONENT2, dq) == 1 &&
           OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qi) == 1;
}

enum tacit_err seed_make_rsa(struct signkey *key, const uint8_t seed[static SIGNKEY_SEED_LEN],
                             const char *label)
{
    size_t prime_len = key->kind == SIGNKEY_RSA2048 ? 128 : RSA_PRIME_MAX;
    BN_CTX *ctx = BN_CTX_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *p = BN_new();
    BIGNUM *q = BN_new();

    if (ctx != NULL && build != NULL && p != NULL && q != NULL &&
        prime_derive(p, prime_len, seed, label, "p", ctx) &&
        prime_derive(q, prime_len, seed, label, "q", ctx)) {
        BN_CTX_start(ctx);
        if (rsa_push(build, p, q, ctx))
            key->pkey = pkey_from("RSA", build);
        OSSL_PARAM_BLD_free(build);
        build = NULL;
        BN_CTX_end(ctx);
    }
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(p);
    BN_clear_free(q);
    BN_CTX_free(ctx);
    return key->pkey == NULL ? TACIT_NOMEM : TACIT_OK;
}

/* The HMAC-DRBG of RFC 6979: K and V, as long as the curve's hash. */
struct drbg {
    size_t len;
    uint8_t k[SHA384_LEN];
    uint8_t v[SHA384_LEN];
};

static void drbg_hmac(const struct drbg *g, uint8_t *out, struct bytes msg)
{
    if (g->len == SHA256_LEN)
        hmac_sha256(out, bytes_make(g->k, g->len), msg);
    else
        hmac_sha384(out, bytes_make(g->k, g->len), msg);
}

/* K := HMAC(K, V ‖ mark ‖ data), V := HMAC(K, V). */
static void drbg_step(struct drbg *g, uint8_t mark, struct bytes data)
{
    uint8_t msg[SHA384_LEN + 1 + 2 * SHA384_LEN];
    uint8_t next[SHA384_LEN];

    memcpy(msg, g->v, g->len);
    msg[g->len] = mark;
    if (data.len > 0)
        memcpy(msg + g->len + 1, data.ptr, data.len);
    drbg_hmac(g, next, bytes_make(msg, g->len + 1 + data.len));
    memcpy(g->k, next, g->len);
    drbg_hmac(g, next, bytes_make(g->v, g->len));
    memcpy(g->v, next, g->len);
    explicit_bzero(msg, sizeof(msg));
}

static void drbg_init(struct drbg *g, size_t len, struct bytes data)
{
    g->len = len;
    memset(g->k, 0, sizeof(g->k));
    memset(g->v, 1, sizeof(g->v));
    drbg_step(g, 0, data);
    drbg_step(g, 1, data);
}

static void drbg_next(struct drbg *g, uint8_t *out)
{
    drbg_hmac(g, out, bytes_make(g->v, g->len));
    memcpy(g->v, out, g->len);
}

/* s = (z + r d) / k mod n and r = (k G).x mod n; false if either is zero or the library fails. */
static bool sign_with(const struct signkey *key, BIGNUM *r, BIGNUM *s, const BIGNUM *k,
                      const BIGNUM *z, BN_CTX *ctx)
{
    const BIGNUM *n = EC_GROUP_get0_order(key->group);
    EC_POINT *point = EC_POINT_new(key->group);
    BIGNUM *k_inverse = BN_new();
    bool ok = point != NULL && k_inverse != NULL &&
              EC_POINT_mul(key->group, point, k, NULL, NULL, ctx) == 1 &&
              EC_POINT_get_affine_coordinates(key->group, point, r, NULL, ctx) == 1 &&
              BN_nnmod(r, r, n, ctx) == 1 && BN_mod_inverse(k_inverse, k, n, ctx) != NULL &&
              BN_mod_mul(s, r, key->scalar, n, ctx) == 1 && BN_mod_add(s, s, z, n, ctx) == 1 &&
              BN_mod_mul(s, s, k_inverse, n, ctx) == 1 && !BN_is_zero(r) && !BN_is_zero(s);

    BN_clear_free(k_inverse);
    EC_POINT_free(point);
    return ok;
}

/* z: the digest as a number, cut to the order's length (both orders are as long as their hash). */
static bool digest_number(BIGNUM *z, const struct signkey *key, struct bytes digest, BN_CTX *ctx)
{
    struct bytes used = bytes_slice(digest, 0, signkey_scalar_len(key->kind));

    return BN_bin2bn(used.ptr, (int)used.len, z) != NULL &&
           BN_nnmod(z, z, EC_GROUP_get0_order(key->group), ctx) == 1;
}

static bool nonce_sign(const struct signkey *key, uint8_t *sig, struct bytes digest, BN_CTX *ctx)
{
    int len = (int)signkey_scalar_len(key->kind);
    BIGNUM *z = BN_CTX_get(ctx);
    BIGNUM *k = BN_CTX_get(ctx);
    BIGNUM *r = BN_CTX_get(ctx);
    BIGNUM *s = BN_CTX_get(ctx);
    uint8_t octets[2 * SHA384_LEN];
    struct drbg g;

    if (s == NULL || !digest_number(z, key, digest, ctx) ||
        BN_bn2binpad(key->scalar, octets, len) != len || BN_bn2binpad(z, octets + len, len) != len)
        return false;
    drbg_init(&g, (size_t)len, bytes_make(octets, 2 * (size_t)len));
    for (int i = 0; i < NONCE_TRIES; i++) {
        drbg_next(&g, octets);
        if (BN_bin2bn(octets, len, k) == NULL)
            return false;
        if (!BN_is_zero(k) && BN_cmp(k, EC_GROUP_get0_order(key->group)) < 0 &&
            sign_with(key, r, s, k, z, ctx))
            return BN_bn2binpad(r, sig, len) == len && BN_bn2binpad(s, sig + len, len) == len;
        drbg_step(&g, 0, (struct bytes){NULL, 0});
    }
    return false;
}

enum tacit_err seed_sign(const struct signkey *key, uint8_t *sig, struct bytes digest)
{
    BN_CTX *ctx = BN_CTX_new();
    bool ok;

    if (ctx == NULL)
        return TACIT_NOMEM;
    BN_CTX_start(ctx);
    ok = nonce_sign(key, sig, digest, ctx);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    return ok ? TACIT_OK : TACIT_NOMEM;
}
