/* OCSP answers (RFC 6960): one BasicOCSPResponse with any number of single answers. SHA-1 appears
 * only as the lookup key that clients use to name a certificate. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "crypto/cert_make_priv.h"
#include "crypto/sha2.h"

enum { DIGEST_MAX = SHA384_LEN, EXTS_MAX = 256 };

static size_t id_digest(uint8_t out[static DIGEST_MAX], enum sig_alg hash, struct bytes in)
{
    if (hash == SIG_ECDSA_SHA256)
        return sha256(out, in), (size_t)SHA256_LEN;
    if (hash == SIG_ECDSA_SHA384)
        return sha384(out, in), (size_t)SHA384_LEN;
    SHA1(in.ptr, in.len, out);
    return SHA_DIGEST_LENGTH;
}

static const char *id_hash_oid(enum sig_alg hash)
{
    if (hash == SIG_ECDSA_SHA256)
        return "2.16.840.1.101.3.4.2.1";
    return hash == SIG_ECDSA_SHA384 ? "2.16.840.1.101.3.4.2.2" : "1.3.14.3.2.26";
}

static void cert_id_put(struct buf *der, const struct ocsp_single *single)
{
    uint8_t digest[DIGEST_MAX];
    size_t id = der_open(der, DER_SEQUENCE);
    size_t alg = der_open(der, DER_SEQUENCE);
    size_t len;

    der_put_oid(der, id_hash_oid(single->id_hash));
    der_put_null(der);
    der_close(der, alg);
    len = id_digest(digest, single->id_hash, single->issuer_name);
    der_put(der, DER_OCTET_STRING, bytes_make(digest, len));
    len = id_digest(digest, single->id_hash, spki_key_bits(single->issuer_spki));
    der_put(der, DER_OCTET_STRING, bytes_make(digest, len));
    der_put_unsigned(der, single->serial);
    der_close(der, id);
}

static void status_put(struct buf *der, const struct ocsp_single *single)
{
    size_t mark;

    switch (single->status) {
    case OCSP_STATUS_GOOD:
        der_put(der, DER_CONTEXT, (struct bytes){NULL, 0});
        return;
    case OCSP_STATUS_REVOKED:
        mark = der_open(der, DER_CONTEXT_CONSTRUCTED | 1);
        der_put_generalized_time(der, single->revoked_unix_s);
        der_close(der, mark);
        return;
    case OCSP_STATUS_UNKNOWN:
        der_put(der, DER_CONTEXT | 2, (struct bytes){NULL, 0});
        return;
    }
}

static void single_put(struct buf *der, const struct ocsp_single *single)
{
    size_t answer = der_open(der, DER_SEQUENCE);

    cert_id_put(der, single);
    status_put(der, single);
    der_put_generalized_time(der, single->this_update_unix_s);
    if (single->next_update_unix_s != 0) {
        size_t mark = der_open(der, DER_CONTEXT_CONSTRUCTED);

        der_put_generalized_time(der, single->next_update_unix_s);
        der_close(der, mark);
    }
    der_close(der, answer);
}

static void responder_put(struct buf *der, const struct ocsp_spec *spec)
{
    uint8_t digest[DIGEST_MAX];
    size_t mark;

    if (spec->responder_name.len > 0) {
        der_put(der, DER_CONTEXT_CONSTRUCTED | 1, spec->responder_name);
        return;
    }
    mark = der_open(der, DER_CONTEXT_CONSTRUCTED | 2);
    id_digest(digest, SIG_UNKNOWN, spki_key_bits(spec->responder_spki));
    der_put(der, DER_OCTET_STRING, bytes_make(digest, SHA_DIGEST_LENGTH));
    der_close(der, mark);
}

static void nonce_put(struct buf *der, struct bytes nonce)
{
    uint8_t value_mem[EXTS_MAX];
    uint8_t exts_mem[EXTS_MAX];
    struct buf value = buf_over(value_mem, sizeof(value_mem));
    struct buf exts = buf_over(exts_mem, sizeof(exts_mem));

    if (nonce.len == 0)
        return;
    der_put(&value, DER_OCTET_STRING, nonce);
    ext_put(&exts, "1.3.6.1.5.5.7.48.1.2", false, buf_bytes(&value));
    if (exts.failed)
        der->failed = true;
    extensions_put(der, DER_CONTEXT_CONSTRUCTED | 1, buf_bytes(&exts));
}

static void response_data_put(struct buf *der, const struct ocsp_spec *spec)
{
    size_t data = der_open(der, DER_SEQUENCE);
    size_t singles;

    responder_put(der, spec);
    der_put_generalized_time(der, spec->produced_unix_s);
    singles = der_open(der, DER_SEQUENCE);
    for (size_t i = 0; i < spec->single_count; i++)
        single_put(der, &spec->singles[i]);
    der_close(der, singles);
    nonce_put(der, spec->nonce);
    der_close(der, data);
}

static enum tacit_err basic_put(struct buf *der, const struct ocsp_spec *spec,
                                const struct signkey *key)
{
    enum sig_alg alg = spec->alg == SIG_UNKNOWN ? signkey_alg(key) : spec->alg;
    size_t basic = der_open(der, DER_SEQUENCE);
    size_t from = der->len;
    enum tacit_err err;

    response_data_put(der, spec);
    err = signed_put(der, from, alg, key);
    if (err == TACIT_OK && spec->cert_count > 0) {
        size_t outer = der_open(der, DER_CONTEXT_CONSTRUCTED);
        size_t list = der_open(der, DER_SEQUENCE);

        for (size_t i = 0; i < spec->cert_count; i++)
            buf_put(der, spec->certs[i]);
        der_close(der, list);
        der_close(der, outer);
    }
    der_close(der, basic);
    return err;
}

enum tacit_err ocsp_make(struct buf *der, const struct ocsp_spec *spec,
                         const struct signkey *responder_key)
{
    size_t response = der_open(der, DER_SEQUENCE);
    size_t outer;
    size_t bytes;
    size_t octets;
    enum tacit_err err;

    der_put_u64(der, DER_ENUMERATED, 0);
    outer = der_open(der, DER_CONTEXT_CONSTRUCTED);
    bytes = der_open(der, DER_SEQUENCE);
    der_put_oid(der, "1.3.6.1.5.5.7.48.1.1");
    octets = der_open(der, DER_OCTET_STRING);
    err = basic_put(der, spec, responder_key);
    der_close(der, octets);
    der_close(der, bytes);
    der_close(der, outer);
    der_close(der, response);
    return err == TACIT_OK ? buf_err(der) : err;
}
