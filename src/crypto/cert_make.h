/* Making X.509 certificates, CRLs and OCSP answers: for TLS identities and for the simulators'
 * PKIs. Nothing is added that the caller did not ask for, so that faulty certificates can be made
 * as well as good ones. */
#ifndef CRYPTO_CERT_MAKE_H
#define CRYPTO_CERT_MAKE_H

#include "crypto/der_write.h"
#include "crypto/signkey.h"
#include "crypto/x509.h"

/* One attribute of a name, in the order in which the name shall have it. */
struct cert_rdn {
    const char *oid; /* dotted; CN is 2.5.4.3, C .6, L .7, ST .8, O .10, OU .11, SN .5 */
    uint8_t tag;     /* DER_PRINTABLE_STRING or DER_UTF8_STRING */
    const char *value;
};

/* Appends a DER Name of `count` single-valued RDNs. */
void cert_name(struct buf *der, const struct cert_rdn *rdns, size_t count);

enum { CERT_KEY_ID_LEN = 20 };
/* Key identifier of a SubjectPublicKeyInfo: SHA-256 of its key bits, first 20 octets (RFC 7093).
 * Zeroed if the SPKI is unreadable. */
void cert_key_id(uint8_t out[static CERT_KEY_ID_LEN], struct bytes spki_der);

/* Each appends one Extension to `exts`, the content of a certificate's extension list. */
void ext_put(struct buf *exts, const char *oid, bool is_critical, struct bytes value_der);
/* Critical. pathlen X509_NO_PATHLEN: none. */
void ext_put_constraints(struct buf *exts, bool is_ca, int32_t pathlen);
/* Critical. usage: enum x509_usage. */
void ext_put_usage(struct buf *exts, uint32_t usage);
/* extendedKeyUsage, not critical, of one purpose: "1.3.6.1.5.5.7.3.1" is TLS server, .9 OCSP. */
void ext_put_purpose(struct buf *exts, const char *oid);
void ext_put_ski(struct buf *exts, const uint8_t key_id[static CERT_KEY_ID_LEN]);
void ext_put_aki(struct buf *exts, const uint8_t key_id[static CERT_KEY_ID_LEN]);
/* CRL distribution point of one URL. */
void ext_put_crl_url(struct buf *exts, const char *url);
/* subjectAltName: each name an address if it reads as one, else a DNS name. */
void ext_put_alt_names(struct buf *exts, const char *const *names, size_t count);

struct cert_spec {
    struct bytes serial;       /* magnitude, big-endian */
    struct bytes issuer_name;  /* DER Name */
    struct bytes subject_name; /* DER Name */
    int64_t not_before_unix_s;
    int64_t not_after_unix_s;
    struct bytes spki;       /* DER SubjectPublicKeyInfo of the subject */
    struct bytes extensions; /* as the ext_put functions made them; empty: none at all */
    enum sig_alg alg;        /* SIG_UNKNOWN: the natural one of the issuer's key */
};

/* Appends a version 3 certificate signed by `issuer_key`.
 *
 * Returns   TACIT_OK; TACIT_UNSUPPORTED if key and algorithm do not go together; TACIT_NOMEM.
 * Threads   pure but for the library's randomness when the key is not from a seed.
 * Spec      RFC 5280 4.1 */
MUST_CHECK enum tacit_err cert_make(struct buf *der, const struct cert_spec *spec,
                                    const struct signkey *issuer_key);

struct crl_entry {
    struct bytes serial; /* magnitude, big-endian */
    int64_t revoked_unix_s;
};

struct crl_spec {
    struct bytes issuer_name;
    int64_t this_update_unix_s;
    int64_t next_update_unix_s;
    uint64_t number;
    bool has_number;       /* cRLNumber extension */
    const uint8_t *key_id; /* of the issuer, 20 octets: AKI extension; NULL: none */
    const struct crl_entry *revoked;
    size_t revoked_count;
    enum sig_alg alg; /* SIG_UNKNOWN: the natural one */
};

/* Appends a version 2 CRL. Returns as cert_make. Spec RFC 5280 5.1 */
MUST_CHECK enum tacit_err crl_make(struct buf *der, const struct crl_spec *spec,
                                   const struct signkey *issuer_key);

enum ocsp_status { OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED, OCSP_STATUS_UNKNOWN };

struct ocsp_single {
    struct bytes issuer_name; /* DER Name of the certificate's issuer */
    struct bytes issuer_spki; /* DER */
    struct bytes serial;      /* magnitude */
    enum sig_alg id_hash;     /* SIG_ECDSA_SHA256 or _SHA384 choose that hash for the certificate
                               * id; SIG_UNKNOWN: SHA-1, as most clients ask */
    enum ocsp_status status;
    int64_t revoked_unix_s; /* when revoked */
    int64_t this_update_unix_s;
    int64_t next_update_unix_s; /* 0: absent */
};

struct ocsp_spec {
    struct bytes responder_name; /* DER Name; empty: responder by key hash */
    struct bytes responder_spki; /* for the key hash */
    int64_t produced_unix_s;
    const struct ocsp_single *singles;
    size_t single_count;
    struct bytes nonce;        /* content of the nonce extension's OCTET STRING; empty: none */
    const struct bytes *certs; /* DER certificates to include (the delegated responder's) */
    size_t cert_count;
    enum sig_alg alg; /* SIG_UNKNOWN: the natural one */
};

/* Appends a successful OCSPResponse with one BasicOCSPResponse. Returns as cert_make.
 *
 * Spec      RFC 6960 4.2 */
MUST_CHECK enum tacit_err ocsp_make(struct buf *der, const struct ocsp_spec *spec,
                                    const struct signkey *responder_key);

/* Appends a PEM block: label such as "CERTIFICATE" or "X509 CRL". */
void pem_put(struct buf *pem, const char *label, struct bytes der);

/* A self-signed TLS server certificate on a fresh P-256 key.
 *
 * cert_pem  gets the certificate, PEM
 * key_pem   gets the private key, PKCS #8 PEM; give a secret buffer
 * names     host names or addresses; the first is also the common name; at least one
 * now       valid from one hour before for ten years
 *
 * Returns   TACIT_OK; TACIT_USAGE without a name; TACIT_NOMEM; TACIT_INTERNAL. */
MUST_CHECK enum tacit_err cert_self_signed(struct buf *cert_pem, struct buf *key_pem,
                                           const char *const *names, size_t name_count,
                                           int64_t now_unix_s);

#endif
