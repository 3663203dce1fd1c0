/* Names, certificates, PEM. Everything is written straight into the caller's buffer; the
 * signed part is then read back from there and signed. */
#include "crypto/cert_make.h"

#include <openssl/evp.h>

#include "crypto/cert_make_priv.h"
#include "crypto/random.h"
#include "crypto/sha2.h"

enum {
    PEM_LINE_OCTETS = 48, /* 64 characters */
    SPKI_MAX = 1024,
    SERIAL_LEN = 16,
    SELF_SIGNED_EARLY_S = 3600,
    COMMON_NAME_MAX = 64, /* RFC 5280's upper bound */
};
static const int64_t self_signed_life_s = 10 * 365 * 86400LL;

void cert_name(struct buf *der, const struct cert_rdn *rdns, size_t count)
{
    size_t name = der_open(der, DER_SEQUENCE);

    for (size_t i = 0; i < count; i++) {
        size_t set = der_open(der, DER_SET);
        size_t pair = der_open(der, DER_SEQUENCE);

        der_put_oid(der, rdns[i].oid);
        der_put(der, rdns[i].tag, bytes_of(rdns[i].value));
        der_close(der, pair);
        der_close(der, set);
    }
    der_close(der, name);
}

struct bytes spki_key_bits(struct bytes spki_der)
{
    struct der d = der_over(spki_der);
    struct der spki = der_enter(&d, DER_SEQUENCE);
    struct bytes bits;

    der_read(&spki, DER_SEQUENCE);
    bits = der_bits(&spki);
    return der_finished(&spki) && der_finished(&d) ? bits : (struct bytes){NULL, 0};
}

void cert_key_id(uint8_t out[static CERT_KEY_ID_LEN], struct bytes spki_der)
{
    struct bytes bits = spki_key_bits(spki_der);
    uint8_t digest[SHA256_LEN] = {0};

    if (bits.len > 0)
        sha256(digest, bits);
    memcpy(out, digest, CERT_KEY_ID_LEN);
}

enum tacit_err sig_alg_put(struct buf *der, enum sig_alg alg)
{
    static const char *const oids[] = {
        [SIG_ECDSA_SHA256] = "1.2.840.10045.4.3.2",
        [SIG_ECDSA_SHA384] = "1.2.840.10045.4.3.3",
        [SIG_RSA_SHA256] = "1.2.840.113549.1.1.11",
        [SIG_RSA_SHA384] = "1.2.840.113549.1.1.12",
    };
    size_t mark;

    if (alg == SIG_RSA_PSS_SHA384) {
        pss_alg_put(der);
        return TACIT_OK;
    }
    if (alg == SIG_UNKNOWN)
        return TACIT_UNSUPPORTED;
    mark = der_open(der, DER_SEQUENCE);
    der_put_oid(der, oids[alg]);
    if (alg == SIG_RSA_SHA256 || alg == SIG_RSA_SHA384)
        der_put_null(der);
    der_close(der, mark);
    return TACIT_OK;
}

/* AlgorithmIdentifier of RSASSA-PSS with SHA-384, MGF1 of the same, salt 48 (RFC 4055). */
void pss_alg_put(struct buf *der)
{
    static const char sha384_oid[] = "2.16.840.1.101.3.4.2.2";
    size_t alg = der_open(der, DER_SEQUENCE);
    size_t params;
    size_t nested[3];

    der_put_oid(der, "1.2.840.113549.1.1.10");
    params = der_open(der, DER_SEQUENCE);
    nested[0] = der_open(der, DER_CONTEXT_CONSTRUCTED);
    nested[1] = der_open(der, DER_SEQUENCE);
    der_put_oid(der, sha384_oid);
    der_put_null(der);
    der_close(der, nested[1]);
    der_close(der, nested[0]);
    nested[0] = der_open(der, DER_CONTEXT_CONSTRUCTED | 1);
    nested[1] = der_open(der, DER_SEQUENCE);
    der_put_oid(der, "1.2.840.113549.1.1.8");
    nested[2] = der_open(der, DER_SEQUENCE);
    der_put_oid(der, sha384_oid);
    der_put_null(der);
    der_close(der, nested[2]);
    der_close(der, nested[1]);
    der_close(der, nested[0]);
    nested[0] = der_open(der, DER_CONTEXT_CONSTRUCTED | 2);
    der_put_u64(der, DER_INTEGER, SHA384_LEN);
    der_close(der, nested[0]);
    der_close(der, params);
    der_close(der, alg);
}

enum tacit_err signed_put(struct buf *der, size_t tbs_from, enum sig_alg alg,
                          const struct signkey *key)
{
    struct buf sig = buf_make(1024);
    enum tacit_err err = TACIT_NOMEM;

    if (der->failed)
        return TACIT_NOMEM;
    err = signkey_sign(key, alg, &sig, bytes_make(der->ptr + tbs_from, der->len - tbs_from));
    if (err == TACIT_OK)
        err = sig_alg_put(der, alg);
    if (err == TACIT_OK) {
        der_put_bits(der, buf_bytes(&sig));
        err = buf_err(der);
    }
    buf_done(&sig);
    return err;
}

static void version_put(struct buf *der)
{
    size_t mark = der_open(der, DER_CONTEXT_CONSTRUCTED);

    der_put_u64(der, DER_INTEGER, 2);
    der_close(der, mark);
}

static void validity_put(struct buf *der, const struct cert_spec *spec)
{
    size_t mark = der_open(der, DER_SEQUENCE);

    der_put_time(der, spec->not_before_unix_s);
    der_put_time(der, spec->not_after_unix_s);
    der_close(der, mark);
}

void extensions_put(struct buf *der, uint8_t tag, struct bytes extensions)
{
    size_t outer;

    if (extensions.len == 0)
        return;
    outer = der_open(der, tag);
    der_put(der, DER_SEQUENCE, extensions);
    der_close(der, outer);
}

enum tacit_err cert_make(struct buf *der, const struct cert_spec *spec,
                         const struct signkey *issuer_key)
{
    enum sig_alg alg = spec->alg == SIG_UNKNOWN ? signkey_alg(issuer_key) : spec->alg;
    size_t cert = der_open(der, DER_SEQUENCE);
    size_t from = der->len;
    size_t tbs = der_open(der, DER_SEQUENCE);
    enum tacit_err err;

    version_put(der);
    der_put_unsigned(der, spec->serial);
    err = sig_alg_put(der, alg);
    if (err != TACIT_OK)
        return err;
    buf_put(der, spec->issuer_name);
    validity_put(der, spec);
    buf_put(der, spec->subject_name);
    buf_put(der, spec->spki);
    extensions_put(der, DER_CONTEXT_CONSTRUCTED | 3, spec->extensions);
    der_close(der, tbs);
    err = signed_put(der, from, alg, issuer_key);
    der_close(der, cert);
    return err == TACIT_OK ? buf_err(der) : err;
}

void pem_put(struct buf *pem, const char *label, struct bytes der)
{
    buf_putf(pem, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < der.len; at += PEM_LINE_OCTETS) {
        struct bytes line = bytes_slice(der, at, PEM_LINE_OCTETS);
        uint8_t text[PEM_LINE_OCTETS / 3 * 4 + 1];
        int len = EVP_EncodeBlock(text, line.ptr, (int)line.len);

        buf_put(pem, bytes_make(text, (size_t)len));
        buf_putc(pem, '\n');
    }
    buf_putf(pem, "-----END %s-----\n", label);
}

static enum tacit_err self_signed_make(struct buf *der, const struct signkey *key,
                                       struct cert_spec *spec, const char *const *names,
                                       size_t name_count)
{
    char common[COMMON_NAME_MAX + 1] = "";
    struct cert_rdn rdn = {"2.5.4.3", DER_UTF8_STRING, common};
    struct buf name = buf_make(SPKI_MAX);
    struct buf spki = buf_make(SPKI_MAX);
    struct buf exts = buf_make(65536);
    uint8_t key_id[CERT_KEY_ID_LEN];
    enum tacit_err err;

    memcpy(common, names[0], strnlen(names[0], COMMON_NAME_MAX));
    cert_name(&name, &rdn, 1);
    err = signkey_spki(key, &spki);
    cert_key_id(key_id, buf_bytes(&spki));
    ext_put_constraints(&exts, false, X509_NO_PATHLEN);
    ext_put_usage(&exts, X509_USE_SIGNATURE);
    ext_put_purpose(&exts, "1.3.6.1.5.5.7.3.1");
    ext_put_ski(&exts, key_id);
    ext_put_alt_names(&exts, names, name_count);
    if (err == TACIT_OK)
        err = name.failed || exts.failed ? TACIT_NOMEM : TACIT_OK;
    spec->issuer_name = spec->subject_name = buf_bytes(&name);
    spec->spki = buf_bytes(&spki);
    spec->extensions = buf_bytes(&exts);
    if (err == TACIT_OK)
        err = cert_make(der, spec, key);
    buf_done(&name);
    buf_done(&spki);
    buf_done(&exts);
    return err;
}

enum tacit_err cert_self_signed(struct buf *cert_pem, struct buf *key_pem, const char *const *names,
                                size_t name_count, int64_t now_unix_s)
{
    uint8_t serial[SERIAL_LEN];
    struct cert_spec spec = {.serial = BYTES_ARRAY(serial),
                             .not_before_unix_s = now_unix_s - SELF_SIGNED_EARLY_S,
                             .not_after_unix_s = now_unix_s + self_signed_life_s};
    struct buf der = buf_make(65536);
    struct signkey *key = NULL;
    enum tacit_err err;

    if (name_count == 0 || names[0][0] == 0)
        return TACIT_USAGE;
    err = random_fill(serial, sizeof(serial));
    serial[0] &= 0x7f;
    if (err == TACIT_OK)
        err = signkey_new(&key, SIGNKEY_P256);
    if (err == TACIT_OK)
        err = self_signed_make(&der, key, &spec, names, name_count);
    if (err == TACIT_OK) {
        pem_put(cert_pem, "CERTIFICATE", buf_bytes(&der));
        err = buf_err(cert_pem);
    }
    if (err == TACIT_OK)
        err = signkey_pem(key, key_pem);
    signkey_free(key);
    buf_done(&der);
    return err;
}
