/* secp256k1 by libsecp256k1: the only file that includes it. Signing contexts are blinded with
 * fresh randomness at birth and never changed afterwards, so they are safe to share. */
#include "crypto/k1.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/keccak.h"
#include "crypto/random.h"

struct k1_key {
    secp256k1_context *ctx;
    uint8_t secret[K1_SECRET_LEN];
    uint8_t pub[K1_PUB_LEN];
};

enum { UNCOMPRESSED_LEN = 65, V_BASE = 27 };

static enum tacit_err pub_out(uint8_t pub[static K1_PUB_LEN], const secp256k1_pubkey *point)
{
    uint8_t out[UNCOMPRESSED_LEN];
    size_t len = sizeof(out);

    if (secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &len, point,
                                      SECP256K1_EC_UNCOMPRESSED) != 1 ||
        len != sizeof(out))
        return TACIT_INTERNAL;
    memcpy(pub, out + 1, K1_PUB_LEN);
    return TACIT_OK;
}

/* Blinding protects against side channels; without randomness signing is still correct, but we
 * refuse rather than sign unprotected. */
static enum tacit_err context_blind(secp256k1_context *ctx)
{
    uint8_t seed[32];
    enum tacit_err err = random_fill(seed, sizeof(seed));

    if (err == TACIT_OK && secp256k1_context_randomize(ctx, seed) != 1)
        err = TACIT_INTERNAL;
    explicit_bzero(seed, sizeof(seed));
    return err;
}

enum tacit_err k1_key_new(struct k1_key **out, const uint8_t secret[static K1_SECRET_LEN])
{
    struct k1_key *key = calloc(1, sizeof(*key));
    enum tacit_err err = TACIT_NOMEM;
    secp256k1_pubkey point;

    *out = NULL;
    if (key == NULL)
        return TACIT_NOMEM;
    key->ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    if (key->ctx == NULL)
        goto out;
    err = context_blind(key->ctx);
    if (err != TACIT_OK)
        goto out;
    err = TACIT_FORMAT;
    if (secp256k1_ec_pubkey_create(key->ctx, &point, secret) != 1)
        goto out;
    memcpy(key->secret, secret, K1_SECRET_LEN);
    err = pub_out(key->pub, &point);
    if (err != TACIT_OK)
        goto out;
    *out = key;
    return TACIT_OK;
out:
    k1_key_free(key);
    return err;
}

void k1_key_free(struct k1_key *key)
{
    if (key == NULL)
        return;
    if (key->ctx != NULL)
        secp256k1_context_destroy(key->ctx);
    explicit_bzero(key, sizeof(*key));
    free(key);
}

const uint8_t *k1_key_pub(const struct k1_key *key)
{
    return key->pub;
}

void k1_address(uint8_t out[static K1_ADDRESS_LEN], const uint8_t pub[static K1_PUB_LEN])
{
    uint8_t digest[KECCAK256_LEN];

    keccak256(digest, bytes_make(pub, K1_PUB_LEN));
    memcpy(out, digest + KECCAK256_LEN - K1_ADDRESS_LEN, K1_ADDRESS_LEN);
}

static void hex_text(char *out, struct bytes in)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = '0';
    *out++ = 'x';
    for (size_t i = 0; i < in.len; i++) {
        *out++ = digits[in.ptr[i] >> 4];
        *out++ = digits[in.ptr[i] & 15];
    }
    *out = 0;
}

void k1_address_text(char out[static K1_ADDRESS_TEXT_LEN + 1],
                     const uint8_t address[static K1_ADDRESS_LEN])
{
    hex_text(out, bytes_make(address, K1_ADDRESS_LEN));
}

void k1_sig_text(char out[static K1_SIG_TEXT_LEN + 1], const uint8_t sig[static K1_SIG_LEN])
{
    hex_text(out, bytes_make(sig, K1_SIG_LEN));
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum tacit_err k1_sig_parse(uint8_t sig[static K1_SIG_LEN], struct bytes text)
{
    memset(sig, 0, K1_SIG_LEN);
    if (bytes_starts_with(text, BYTES_LIT("0x")))
        text = bytes_slice(text, 2, text.len);
    if (text.len != 2 * (size_t)K1_SIG_LEN)
        return TACIT_FORMAT;
    for (size_t i = 0; i < K1_SIG_LEN; i++) {
        int high = hex_value(text.ptr[2 * i]);
        int low = hex_value(text.ptr[2 * i + 1]);

        if (high < 0 || low < 0) {
            memset(sig, 0, K1_SIG_LEN);
            return TACIT_FORMAT;
        }
        sig[i] = (uint8_t)(high << 4 | low);
    }
    return TACIT_OK;
}

void k1_text_digest(uint8_t out[static 32], struct bytes text)
{
    struct keccak256 k;
    char head[64];
    int len = snprintf(head, sizeof(head),
                       "\x19"
                       "Ethereum Signed Message:\n%zu",
                       text.len);

    keccak256_init(&k);
    keccak256_add(&k, bytes_make(head, (size_t)len));
    keccak256_add(&k, text);
    keccak256_final(&k, out);
}

enum tacit_err k1_sign_digest(const struct k1_key *key, uint8_t sig[static K1_SIG_LEN],
                              const uint8_t digest[static 32])
{
    secp256k1_ecdsa_recoverable_signature made;
    int recovery_id = 0;

    memset(sig, 0, K1_SIG_LEN);
    if (secp256k1_ecdsa_sign_recoverable(key->ctx, &made, digest, key->secret, NULL, NULL) != 1)
        return TACIT_INTERNAL;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(key->ctx, sig, &recovery_id, &made);
    sig[K1_SIG_LEN - 1] = (uint8_t)(V_BASE + recovery_id);
    return TACIT_OK;
}

enum tacit_err k1_sign_text(const struct k1_key *key, uint8_t sig[static K1_SIG_LEN],
                            struct bytes text)
{
    uint8_t digest[32];

    k1_text_digest(digest, text);
    return k1_sign_digest(key, sig, digest);
}

static bool is_low_s(const secp256k1_context *ctx, const uint8_t sig[static K1_SIG_LEN])
{
    secp256k1_ecdsa_signature plain;

    return secp256k1_ecdsa_signature_parse_compact(ctx, &plain, sig) == 1 &&
           secp256k1_ecdsa_signature_normalize(ctx, NULL, &plain) == 0;
}

enum tacit_err k1_recover(uint8_t pub[static K1_PUB_LEN], const uint8_t sig[static K1_SIG_LEN],
                          const uint8_t digest[static 32])
{
    const secp256k1_context *ctx = secp256k1_context_static;
    uint8_t v = sig[K1_SIG_LEN - 1];
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey point;

    memset(pub, 0, K1_PUB_LEN);
    if (v >= V_BASE)
        v = (uint8_t)(v - V_BASE);
    if (v > 1 || !is_low_s(ctx, sig))
        return TACIT_SIGNATURE;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(ctx, &parsed, sig, v) != 1 ||
        secp256k1_ecdsa_recover(ctx, &point, &parsed, digest) != 1)
        return TACIT_SIGNATURE;
    return pub_out(pub, &point);
}

enum tacit_err k1_verify_text(const uint8_t address[static K1_ADDRESS_LEN],
                              const uint8_t sig[static K1_SIG_LEN], struct bytes text)
{
    uint8_t digest[32];
    uint8_t pub[K1_PUB_LEN];
    uint8_t found[K1_ADDRESS_LEN];
    enum tacit_err err;

    k1_text_digest(digest, text);
    err = k1_recover(pub, sig, digest);
    if (err != TACIT_OK)
        return err;
    k1_address(found, pub);
    return memcmp(found, address, K1_ADDRESS_LEN) == 0 ? TACIT_OK : TACIT_SIGNATURE;
}

enum tacit_err k1_verify_digest(const uint8_t pub[static K1_PUB_LEN],
                                const uint8_t sig[static K1_SIG_LEN],
                                const uint8_t digest[static 32])
{
    uint8_t found[K1_PUB_LEN];
    enum tacit_err err = k1_recover(found, sig, digest);

    if (err != TACIT_OK)
        return err;
    return memcmp(found, pub, K1_PUB_LEN) == 0 ? TACIT_OK : TACIT_SIGNATURE;
}
