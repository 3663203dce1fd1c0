/* Fingerprint of a certificate's key: parsing and re-encoding by OpenSSL, which keeps the SPKI's
 * original DER bytes. */
#include "crypto/spki.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static enum tacit_err spki_of_cert(uint8_t out[static 32], X509 *cert)
{
    enum tacit_err err = TACIT_FORMAT;
    unsigned char *der = NULL;
    int der_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    if (der_len <= 0)
        goto out;
    err = EVP_Digest(der, (size_t)der_len, out, NULL, EVP_sha256(), NULL) == 1 ? TACIT_OK
                                                                               : TACIT_NOMEM;
out:
    OPENSSL_free(der);
    return err;
}

enum tacit_err spki_of_cert_pem(uint8_t out[static 32], struct bytes cert_pem)
{
    enum tacit_err err = TACIT_FORMAT;
    BIO *bio = NULL;
    X509 *cert = NULL;

    memset(out, 0, 32);
    if (cert_pem.len == 0 || cert_pem.len > INT_MAX)
        return TACIT_FORMAT;
    bio = BIO_new_mem_buf(cert_pem.ptr, (int)cert_pem.len);
    if (bio == NULL)
        return TACIT_NOMEM;
    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (cert == NULL)
        goto out;
    err = spki_of_cert(out, cert);
out:
    X509_free(cert);
    BIO_free(bio);
    return err;
}
