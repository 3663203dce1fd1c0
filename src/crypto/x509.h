/* Strict views over X.509 certificates and CRLs (RFC 5280): parsed once, everything borrowed from
 * the DER. Parsing verifies nothing; verification is x509_issues, x509_valid_at and the caller's
 * own pinning of the root by whole DER. The clock is an argument. */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "base/arena.h"
#include "crypto/der.h"
#include "crypto/ec.h"

/* Bits of the keyUsage extension, numbered as in RFC 5280. */
enum x509_usage {
    X509_USE_SIGNATURE = 1 << 0,
    X509_USE_NON_REPUDIATION = 1 << 1,
    X509_USE_CERT_SIGN = 1 << 5,
    X509_USE_CRL_SIGN = 1 << 6,
};

enum { X509_NO_PATHLEN = -1 };

struct x509_cert {
    struct bytes der;        /* the whole certificate */
    struct bytes tbs;        /* the signed part, with its header */
    struct bytes serial;     /* magnitude, big-endian, no leading zeros */
    struct bytes issuer;     /* DER Name, with its header: compare whole */
    struct bytes subject;    /* DER Name */
    struct bytes subject_cn; /* text of the only commonName; empty if none */
    struct bytes issuer_cn;
    int64_t not_before_unix_s;
    int64_t not_after_unix_s;
    struct bytes spki; /* DER SubjectPublicKeyInfo */
    enum sig_alg sig_alg;
    struct bytes sig;        /* without the BIT STRING's first octet */
    struct bytes extensions; /* content of the SEQUENCE OF Extension; see x509_ext */
    struct bytes ski;        /* key identifiers; empty if absent */
    struct bytes aki;
    bool has_constraints; /* basicConstraints present */
    bool is_ca;
    int32_t pathlen; /* X509_NO_PATHLEN if absent */
    bool has_usage;  /* keyUsage present */
    uint32_t usage;  /* enum x509_usage */
    /* a critical extension other than basicConstraints, keyUsage: the caller must know it or refuse
     */
    bool has_unknown_critical;
};

/* Read one certificate: version 3, equal inner and outer algorithms, no duplicate extension, no
 * bytes behind it. Does not verify anything.
 *
 * in        untrusted DER, any length
 * out       views into `in`; zeroed on failure
 *
 * Returns   TACIT_OK; TACIT_FORMAT. An algorithm we do not know gives SIG_UNKNOWN, no error.
 * Memory    allocates nothing. Threads pure. Spec RFC 5280 4.1 */
MUST_CHECK enum tacit_err x509_parse(struct x509_cert *out, struct bytes in);

/* Read a PEM text of certificates, in its order. White space around and inside the blocks and NUL
 * octets at the end are ignored; any other text is refused.
 *
 * out       room for `cap` certificates
 * count     how many there were; 0 on failure. An empty text is TACIT_FORMAT.
 * pem       untrusted text; refused (TACIT_LIMIT) above LIMIT_PEM_BYTES or `cap` certificates
 * arena     where the DER goes; must outlive `out`
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT; TACIT_NOMEM. Threads pure. */
MUST_CHECK enum tacit_err x509_parse_pem(struct x509_cert *out, size_t cap, size_t *count,
                                         struct bytes pem, struct arena *arena);

/* An extension by the DER content of its OID. `value` is what the OCTET STRING holds. False (and
 * empty) if it is absent. */
bool x509_ext(const struct x509_cert *cert, struct bytes oid, struct bytes *value,
              bool *is_critical);

/* notBefore <= time <= notAfter, both ends inclusive. */
bool x509_valid_at(const struct x509_cert *cert, int64_t unix_s);

/* The certificate's key. `like` as in pubkey_from_point. The caller owns `*out`. */
MUST_CHECK enum tacit_err x509_key(struct pubkey **out, const struct x509_cert *cert,
                                   const struct pubkey *like);

/* Whether `ca` may have issued `cert` by name and right, without looking at the signature: DNs
 * equal (whole DER), ca.is_ca, keyCertSign, no unknown critical extension in `ca`, and
 * `below` (the number of CA certificates between `ca` and the leaf) within its path length.
 *
 * Returns   TACIT_OK; TACIT_MISMATCH for the names; TACIT_UNTRUSTED for a missing right. */
MUST_CHECK enum tacit_err x509_may_issue(const struct x509_cert *ca, const struct x509_cert *cert,
                                         unsigned below);

/* Verify the certificate's signature by the issuer's key. TACIT_OK; TACIT_SIGNATURE;
 * TACIT_UNSUPPORTED; TACIT_NOMEM. */
MUST_CHECK enum tacit_err x509_verify(const struct x509_cert *cert,
                                      const struct pubkey *issuer_key);

/* x509_may_issue and x509_verify in one. */
MUST_CHECK enum tacit_err x509_issues(const struct x509_cert *ca, const struct pubkey *ca_key,
                                      const struct x509_cert *cert, unsigned below);

struct x509_crl {
    struct bytes der;
    struct bytes tbs;
    struct bytes issuer; /* DER Name, with its header */
    struct bytes issuer_cn;
    int64_t this_update_unix_s;
    int64_t next_update_unix_s;
    struct bytes number; /* cRLNumber: magnitude; has_number tells zero from absent */
    bool has_number;
    struct bytes aki; /* empty if absent */
    enum sig_alg sig_alg;
    struct bytes sig;
    struct bytes revoked; /* content of the SEQUENCE OF revoked entries; see x509_crl_lists */
    size_t revoked_count;
};

/* Read one CRL: version 2, nextUpdate present, every entry well formed, no unknown critical
 * extension anywhere, nothing behind it. Does not verify anything. Indirect and delta CRLs are
 * refused (their extensions are critical).
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT above LIMIT_CRL_BYTES.
 * Memory    allocates nothing; `out` borrows from `in`. Threads pure. Spec RFC 5280 5.1 */
MUST_CHECK enum tacit_err x509_crl_parse(struct x509_crl *out, struct bytes in);

/* thisUpdate <= time <= nextUpdate. */
bool x509_crl_valid_at(const struct x509_crl *crl, int64_t unix_s);

/* Verify that `ca` issued the CRL: DNs equal, AKI (if the CRL has one) equal to the CA's SKI,
 * cRLSign, signature by `ca_key`. TACIT_OK; TACIT_MISMATCH; TACIT_UNTRUSTED; TACIT_SIGNATURE;
 * TACIT_UNSUPPORTED; TACIT_NOMEM. */
MUST_CHECK enum tacit_err x509_crl_issued_by(const struct x509_crl *crl, const struct x509_cert *ca,
                                             const struct pubkey *ca_key);

/* Whether the serial (as in x509_cert) is listed, whatever the reason. Reads the list once:
 * 20 ns an entry. For long lists that are asked often, use x509_revoked. */
bool x509_crl_lists(const struct x509_crl *crl, struct bytes serial);

/* The listed serials in order, for lookup by halving. */
struct x509_revoked {
    const struct bytes *serials; /* sorted; borrowed from the CRL's DER */
    size_t count;
};

/* Build the index in `arena`. TACIT_OK; TACIT_NOMEM. */
MUST_CHECK enum tacit_err x509_revoked_make(struct x509_revoked *out, const struct x509_crl *crl,
                                            struct arena *arena);
bool x509_revoked_has(const struct x509_revoked *index, struct bytes serial);

#endif
