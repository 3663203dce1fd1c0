/* The keyset of a gateway or node. Invariant: secrets live in this object only, and every public
 * encoding is computed once, when the keys are made. */
#include "tee/identity.h"

#include <stdio.h>
#include <stdlib.h>

#include "attest/report_data.h"
#include "base/clock.h"
#include "crypto/cert_make.h"
#include "crypto/random.h"
#include "crypto/spki.h"

enum { PEM_MAX = 16 * 1024, K1_TRIES = 8 };

struct identity {
    struct k1_key *k1;
    struct ed25519_key ed;
    uint8_t k1_address[K1_ADDRESS_LEN];
    char address[2][IDENTITY_ADDRESS_MAX];
    char public_key[2][IDENTITY_PUBLIC_MAX];
    uint8_t spki[32];
    struct buf cert_pem;
    struct buf key_pem;
};

/* Randomness may only replace a KMS that is not there, never one that failed. */
static enum tacit_err secret_make(uint8_t out[static 32], struct tee *tee, const char *prefix,
                                  const char *name)
{
    char path[512];
    enum tacit_err err;

    if (snprintf(path, sizeof(path), "%s/%s", prefix, name) >= (int)sizeof(path))
        return TACIT_LIMIT;
    err = tee_key(tee, out, path, "signing");
    return err == TACIT_UNSUPPORTED ? random_fill(out, 32) : err;
}

/* A random scalar is out of range once in 2^128; a KMS's scalar never changes, so it is not retried
 * for long. */
static enum tacit_err k1_make(struct identity *id, struct tee *tee, const char *prefix)
{
    uint8_t secret[K1_SECRET_LEN];
    enum tacit_err err = TACIT_FORMAT;

    for (int i = 0; i < K1_TRIES && err == TACIT_FORMAT; i++) {
        err = secret_make(secret, tee, prefix, "ecdsa-signing-key");
        if (err == TACIT_OK)
            err = k1_key_new(&id->k1, secret);
    }
    explicit_bzero(secret, sizeof(secret));
    return err;
}

static enum tacit_err ed_make(struct identity *id, struct tee *tee, const char *prefix)
{
    uint8_t seed[ED25519_SEED_LEN];
    enum tacit_err err = secret_make(seed, tee, prefix, "ed25519-signing-key");

    if (err == TACIT_OK)
        ed25519_key_init(&id->ed, seed);
    explicit_bzero(seed, sizeof(seed));
    return err;
}

static void hex_text(char *out, size_t cap, struct bytes in)
{
    struct buf b = buf_over((uint8_t *)out, cap - 1);

    buf_hex(&b, in);
    out[b.len] = 0;
}

static void publics_set(struct identity *id)
{
    const uint8_t *pub = k1_key_pub(id->k1);

    k1_address(id->k1_address, pub);
    near_address_ecdsa(id->address[NEAR_ECDSA], pub);
    hex_text(id->public_key[NEAR_ECDSA], IDENTITY_PUBLIC_MAX, bytes_make(pub, K1_PUB_LEN));
    near_address_ed25519(id->address[NEAR_ED25519], id->ed.pub);
    hex_text(id->public_key[NEAR_ED25519], IDENTITY_PUBLIC_MAX, BYTES_ARRAY(id->ed.pub));
}

static enum tacit_err tls_make(struct identity *id, const char *host)
{
    const char *const names[] = {host, "localhost", "127.0.0.1"};
    size_t count = strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ? 1 : 3;
    enum tacit_err err;

    if (count == 1)
        err = cert_self_signed(&id->cert_pem, &id->key_pem, names + 1, 2, clock_unix_s());
    else
        err = cert_self_signed(&id->cert_pem, &id->key_pem, names, count, clock_unix_s());
    return err == TACIT_OK ? spki_of_cert_pem(id->spki, buf_bytes(&id->cert_pem)) : err;
}

enum tacit_err identity_new(struct identity **out, struct tee *tee, const char *path_prefix,
                            const char *host, char why[static 256])
{
    struct identity *id = calloc(1, sizeof(*id));
    enum tacit_err err;

    *out = NULL;
    if (id == NULL)
        return TACIT_NOMEM;
    id->cert_pem = buf_make(PEM_MAX);
    id->key_pem = buf_make_secret(PEM_MAX);
    err = k1_make(id, tee, path_prefix);
    if (err == TACIT_OK)
        err = ed_make(id, tee, path_prefix);
    if (err == TACIT_OK)
        err = tls_make(id, host);
    if (err != TACIT_OK) {
        snprintf(why, 256, "cannot make the signing and TLS keys: %s", tacit_err_text(err));
        identity_free(id);
        return err;
    }
    publics_set(id);
    *out = id;
    return TACIT_OK;
}

void identity_free(struct identity *id)
{
    if (id == NULL)
        return;
    k1_key_free(id->k1);
    ed25519_key_done(&id->ed);
    buf_done(&id->cert_pem);
    buf_done(&id->key_pem);
    free(id);
}

const char *identity_address(const struct identity *id, enum near_algo algo)
{
    return id->address[algo];
}

const char *identity_public_key(const struct identity *id, enum near_algo algo)
{
    return id->public_key[algo];
}

void identity_spki(const struct identity *id, uint8_t out[static 32])
{
    memcpy(out, id->spki, sizeof(id->spki));
}

struct bytes identity_cert_pem(const struct identity *id)
{
    return buf_bytes(&id->cert_pem);
}

struct bytes identity_key_pem(const struct identity *id)
{
    return buf_bytes(&id->key_pem);
}

enum tacit_err identity_sign(const struct identity *id, char out[static IDENTITY_SIGNATURE_MAX],
                             enum near_algo algo, struct bytes text)
{
    if (algo == NEAR_ECDSA)
        return near_sign_ecdsa(out, id->k1, text);
    near_sign_ed25519(out, &id->ed, text);
    return TACIT_OK;
}

void identity_report_data(const struct identity *id, uint8_t out[static 64], enum near_algo algo,
                          bool with_tls, const uint8_t nonce[static 32])
{
    struct bytes address =
        algo == NEAR_ED25519 ? BYTES_ARRAY(id->ed.pub) : BYTES_ARRAY(id->k1_address);
    enum tacit_err err = report_data_make(out, address, with_tls ? id->spki : NULL, nonce);

    /* Fails only for an address of another length, which ours never are. */
    if (err != TACIT_OK)
        memset(out, 0, 64);
}
