/* Private keys through EVP: making, reading, writing, signing. Keys from seeds are
 * signkey_seed.c's. Every secret that leaves OpenSSL goes into memory that is erased. */
#include "crypto/signkey.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "crypto/der_write.h"
#include "crypto/sha2.h"
#include "crypto/signkey_priv.h"

enum { ECDSA_DER_MAX = 128, RSA_SIG_MAX = 512 };

static EVP_PKEY *pkey_generate(enum signkey_kind kind)
{
    switch (kind) {
    case SIGNKEY_P256:
        return EVP_EC_gen("P-256");
    case SIGNKEY_P384:
        return EVP_EC_gen("P-384");
    case SIGNKEY_RSA2048:
        return EVP_RSA_gen(2048);
    case SIGNKEY_RSA3072:
        return EVP_RSA_gen(3072);
    }
    return NULL;
}

static struct signkey *signkey_alloc(enum signkey_kind kind)
{
    struct signkey *key = calloc(1, sizeof(*key));

    if (key != NULL)
        key->kind = kind;
    return key;
}

enum tacit_err signkey_new(struct signkey **out, enum signkey_kind kind)
{
    struct signkey *key = signkey_alloc(kind);

    *out = NULL;
    if (key == NULL)
        return TACIT_NOMEM;
    key->pkey = pkey_generate(kind);
    if (key->pkey == NULL) {
        signkey_free(key);
        return TACIT_INTERNAL;
    }
    *out = key;
    return TACIT_OK;
}

enum tacit_err signkey_from_seed(struct signkey **out, enum signkey_kind kind,
                                 const uint8_t seed[static SIGNKEY_SEED_LEN], const char *label)
{
    struct signkey *key = signkey_alloc(kind);
    enum tacit_err err = TACIT_NOMEM;

    *out = NULL;
    if (key != NULL)
        err = signkey_scalar_len(kind) > 0 ? seed_make_ec(key, seed, label)
                                           : seed_make_rsa(key, seed, label);
    if (err != TACIT_OK) {
        signkey_free(key);
        return err;
    }
    *out = key;
    return TACIT_OK;
}

/* Which of our kinds a key is; false for any other. */
static bool kind_of(enum signkey_kind *kind, const EVP_PKEY *pkey)
{
    char group[32] = "";

    if (EVP_PKEY_is_a(pkey, "RSA")) {
        *kind = EVP_PKEY_get_bits(pkey) == 2048 ? SIGNKEY_RSA2048 : SIGNKEY_RSA3072;
        return EVP_PKEY_get_bits(pkey) == 2048 || EVP_PKEY_get_bits(pkey) == 3072;
    }
    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                       NULL) != 1)
        return false;
    *kind = strcmp(group, "secp384r1") == 0 ? SIGNKEY_P384 : SIGNKEY_P256;
    return strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0;
}

/* Without this OpenSSL would ask the terminal for the password of an encrypted key. */
static int no_password(char *to, int size, int is_writing, void *ctx)
{
    UNUSED(to);
    UNUSED(size);
    UNUSED(is_writing);
    UNUSED(ctx);
    return -1;
}

enum tacit_err signkey_from_pem(struct signkey **out, struct bytes pem)
{
    BIO *in = pem.len > 0 && pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
    EVP_PKEY *pkey = in == NULL ? NULL : PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
    enum signkey_kind kind = SIGNKEY_P256;
    struct signkey *key = NULL;

    BIO_free(in);
    *out = NULL;
    if (pkey == NULL || !kind_of(&kind, pkey)) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return TACIT_FORMAT;
    }
    key = signkey_alloc(kind);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return TACIT_NOMEM;
    }
    key->pkey = pkey;
    *out = key;
    return TACIT_OK;
}

void signkey_free(struct signkey *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    BN_clear_free(key->scalar);
    EC_GROUP_free(key->group);
    free(key);
}

enum signkey_kind signkey_kind(const struct signkey *key)
{
    return key->kind;
}

enum tacit_err signkey_pem(const struct signkey *key, struct buf *pem)
{
    BIO *out = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long len = 0;

    if (out != NULL &&
        PEM_write_bio_PKCS8PrivateKey(out, key->pkey, NULL, NULL, 0, NULL, NULL) == 1)
        len = BIO_get_mem_data(out, &text);
    if (len > 0)
        buf_put(pem, bytes_make(text, (size_t)len));
    BIO_free(out);
    return len > 0 ? buf_err(pem) : TACIT_NOMEM;
}

enum tacit_err signkey_spki(const struct signkey *key, struct buf *der)
{
    uint8_t *spki = NULL;
    int len = i2d_PUBKEY(key->pkey, &spki);

    if (len > 0)
        buf_put(der, bytes_make(spki, (size_t)len));
    OPENSSL_free(spki);
    return len > 0 ? buf_err(der) : TACIT_NOMEM;
}

size_t signkey_point(const struct signkey *key, uint8_t out[static SIGNKEY_POINT_MAX])
{
    size_t len = 2 * signkey_scalar_len(key->kind);
    uint8_t point[1 + SIGNKEY_POINT_MAX];
    size_t got = 0;

    memset(out, 0, SIGNKEY_POINT_MAX);
    if (len == 0 ||
        EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
                                        &got) != 1 ||
        got != len + 1)
        return 0;
    memcpy(out, point + 1, len);
    return len;
}

/* OpenSSL's DER {r, s} as r ‖ s. */
static bool raw_from_der(uint8_t *sig, size_t scalar_len, struct bytes der)
{
    const uint8_t *p = der.ptr;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
    bool ok =
        pair != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, (int)scalar_len) == (int)scalar_len &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + scalar_len, (int)scalar_len) == (int)scalar_len;

    ECDSA_SIG_free(pair);
    return ok;
}

static enum tacit_err random_sign(const struct signkey *key, uint8_t *sig, struct bytes digest)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    uint8_t der[ECDSA_DER_MAX];
    size_t der_len = sizeof(der);
    bool ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_sign(ctx, der, &der_len, digest.ptr, digest.len) == 1 &&
              raw_from_der(sig, signkey_scalar_len(key->kind), bytes_make(der, der_len));

    EVP_PKEY_CTX_free(ctx);
    return ok ? TACIT_OK : TACIT_NOMEM;
}

static enum tacit_err ecdsa_sign(const struct signkey *key, uint8_t *sig, struct bytes digest)
{
    return key->scalar != NULL ? seed_sign(key, sig, digest) : random_sign(key, sig, digest);
}

enum tacit_err signkey_sign_raw(const struct signkey *key, uint8_t sig[static SIGNKEY_RAW_MAX],
                                size_t *sig_len, struct bytes digest)
{
    size_t scalar_len = signkey_scalar_len(key->kind);
    enum tacit_err err = TACIT_UNSUPPORTED;

    memset(sig, 0, SIGNKEY_RAW_MAX);
    *sig_len = 0;
    if (scalar_len > 0)
        err = digest.len == scalar_len ? ecdsa_sign(key, sig, digest) : TACIT_USAGE;
    if (err == TACIT_OK)
        *sig_len = 2 * scalar_len;
    else
        memset(sig, 0, SIGNKEY_RAW_MAX);
    return err;
}

enum sig_alg signkey_alg(const struct signkey *key)
{
    switch (key->kind) {
    case SIGNKEY_P256:
        return SIG_ECDSA_SHA256;
    case SIGNKEY_P384:
        return SIG_ECDSA_SHA384;
    case SIGNKEY_RSA2048:
        return SIG_RSA_SHA256;
    case SIGNKEY_RSA3072:
        return SIG_RSA_SHA384;
    }
    return SIG_UNKNOWN;
}

static enum tacit_err sign_ecdsa_der(const struct signkey *key, bool is_sha256, struct buf *sig,
                                     struct bytes msg)
{
    size_t scalar_len = signkey_scalar_len(key->kind);
    uint8_t digest[SHA384_LEN];
    uint8_t raw[SIGNKEY_RAW_MAX];
    enum tacit_err err;
    size_t mark;

    if (scalar_len == 0)
        return TACIT_UNSUPPORTED;
    if (is_sha256)
        sha256(digest, msg);
    else
        sha384(digest, msg);
    err = ecdsa_sign(key, raw, bytes_make(digest, is_sha256 ? SHA256_LEN : SHA384_LEN));
    if (err != TACIT_OK)
        return err;
    mark = der_open(sig, DER_SEQUENCE);
    der_put_unsigned(sig, bytes_make(raw, scalar_len));
    der_put_unsigned(sig, bytes_make(raw + scalar_len, scalar_len));
    der_close(sig, mark);
    return buf_err(sig);
}

static enum tacit_err sign_rsa(const struct signkey *key, bool is_sha256, bool is_pss,
                               struct buf *sig, struct bytes msg)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    uint8_t out[RSA_SIG_MAX];
    size_t len = sizeof(out);
    bool ok = md != NULL && EVP_DigestSignInit(md, &ctx, is_sha256 ? EVP_sha256() : EVP_sha384(),
                                               NULL, key->pkey) == 1;

    ok = ok && (!is_pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1));
    ok = ok && EVP_DigestSign(md, out, &len, msg.ptr, msg.len) == 1;
    EVP_MD_CTX_free(md);
    if (!ok)
        return TACIT_NOMEM;
    buf_put(sig, bytes_make(out, len));
    return buf_err(sig);
}

enum tacit_err signkey_sign(const struct signkey *key, enum sig_alg alg, struct buf *sig,
                            struct bytes msg)
{
    bool is_rsa = signkey_scalar_len(key->kind) == 0;

    switch (alg) {
    case SIG_UNKNOWN:
        return TACIT_UNSUPPORTED;
    case SIG_ECDSA_SHA256:
    case SIG_ECDSA_SHA384:
        return sign_ecdsa_der(key, alg == SIG_ECDSA_SHA256, sig, msg);
    case SIG_RSA_SHA256:
    case SIG_RSA_SHA384:
    case SIG_RSA_PSS_SHA384:
        return is_rsa ? sign_rsa(key, alg == SIG_RSA_SHA256, alg == SIG_RSA_PSS_SHA384, sig, msg)
                      : TACIT_UNSUPPORTED;
    }
    return TACIT_UNSUPPORTED;
}
