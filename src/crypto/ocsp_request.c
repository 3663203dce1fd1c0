/* OCSP requests. Optional parts that are not needed (version, requestor, signature) are left out,
 * as DER wants for defaults. */
#include "crypto/ocsp_request.h"

#include "crypto/der_write.h"
#include "crypto/sha2.h"

#define OID_SHA384 "2.16.840.1.101.3.4.2.2"
#define OID_OCSP_NONCE "1.3.6.1.5.5.7.48.1.2"

/* Content of the BIT STRING in the issuer's SubjectPublicKeyInfo; ptr NULL if there is none. */
static struct bytes key_bits(const struct x509_cert *cert)
{
    struct der whole = der_over(cert->spki);
    struct der spki = der_enter(&whole, DER_SEQUENCE);
    struct bytes bits;

    der_read(&spki, DER_SEQUENCE);
    bits = der_bits(&spki);
    return der_finished(&spki) && bits.len > 0 ? bits : (struct bytes){NULL, 0};
}

static void digest_put(struct buf *der, struct bytes in)
{
    uint8_t digest[SHA384_LEN];

    sha384(digest, in);
    der_put(der, DER_OCTET_STRING, BYTES_ARRAY(digest));
}

static void cert_id_put(struct buf *der, const struct x509_cert *cert,
                        const struct x509_cert *issuer, struct bytes issuer_key)
{
    size_t id = der_open(der, DER_SEQUENCE);
    size_t alg = der_open(der, DER_SEQUENCE);

    der_put_oid(der, OID_SHA384);
    der_put_null(der);
    der_close(der, alg);
    digest_put(der, issuer->subject);
    digest_put(der, issuer_key);
    der_put_unsigned(der, cert->serial);
    der_close(der, id);
}

static void nonce_put(struct buf *der, const uint8_t nonce[static OCSP_NONCE_LEN])
{
    size_t tagged = der_open(der, DER_CONTEXT_CONSTRUCTED | 2);
    size_t list = der_open(der, DER_SEQUENCE);
    size_t ext = der_open(der, DER_SEQUENCE);
    size_t value;

    der_put_oid(der, OID_OCSP_NONCE);
    value = der_open(der, DER_OCTET_STRING);
    der_put(der, DER_OCTET_STRING, bytes_make(nonce, OCSP_NONCE_LEN));
    der_close(der, value);
    der_close(der, ext);
    der_close(der, list);
    der_close(der, tagged);
}

enum tacit_err ocsp_request_make(struct buf *der, const struct x509_cert *cert,
                                 const struct x509_cert *issuer,
                                 const uint8_t nonce[static OCSP_NONCE_LEN])
{
    struct bytes issuer_key = key_bits(issuer);
    size_t request, tbs, list, one;

    if (issuer_key.ptr == NULL)
        return TACIT_FORMAT;
    request = der_open(der, DER_SEQUENCE);
    tbs = der_open(der, DER_SEQUENCE);
    list = der_open(der, DER_SEQUENCE);
    one = der_open(der, DER_SEQUENCE);
    cert_id_put(der, cert, issuer, issuer_key);
    der_close(der, one);
    der_close(der, list);
    nonce_put(der, nonce);
    der_close(der, tbs);
    der_close(der, request);
    return buf_err(der);
}
