/* OCSP answers (RFC 6960), read strictly. OpenSSL's own helper reads the wall clock; here the time
 * is an argument. Reading believes nothing: an entry counts only after ocsp_verify. */
#ifndef CRYPTO_OCSP_H
#define CRYPTO_OCSP_H

#include "crypto/x509.h"

enum {
    OCSP_ENTRIES_MAX = 8,
    OCSP_CERTS_MAX = 4,
    OCSP_RESPONSE_OK = 0,  /* responseStatus "successful" */
    OCSP_REASON_NONE = -1, /* revoked without a reason */
    OCSP_REASON_HOLD = 6,  /* certificateHold */
};

enum ocsp_state { OCSP_STATE_UNKNOWN = 0, OCSP_STATE_GOOD, OCSP_STATE_REVOKED };

/* What an answer says about one certificate. */
struct ocsp_entry {
    struct bytes hash_oid; /* DER content: the hash of the two following */
    struct bytes issuer_name_hash;
    struct bytes issuer_key_hash;
    struct bytes serial; /* magnitude */
    enum ocsp_state state;
    int reason; /* of revocation; OCSP_REASON_NONE if not given */
    int64_t this_update_unix_s;
    int64_t next_update_unix_s; /* meaningful if has_next_update */
    bool has_next_update;
};

struct ocsp_answer {
    uint8_t response_status; /* OCSP_RESPONSE_OK, or everything below is empty */
    struct bytes tbs;
    struct bytes responder_name;     /* DER Name, or empty */
    struct bytes responder_key_hash; /* SHA-1 of the responder's key, or empty */
    struct bytes nonce;              /* empty if the answer carries none */
    enum sig_alg sig_alg;
    struct bytes sig;
    struct ocsp_entry entries[OCSP_ENTRIES_MAX];
    size_t entry_count;
    struct x509_cert certs[OCSP_CERTS_MAX];
    size_t cert_count;
};

/* Split an answer. Verifies nothing.
 *
 * in        untrusted DER
 * out       borrowed from `in`; zeroed on failure
 *
 * Returns   TACIT_OK (look at response_status); TACIT_FORMAT; TACIT_LIMIT for more entries or
 *           certificates than we read. Memory: allocates nothing. Threads pure. Spec RFC 6960 4.2
 */
MUST_CHECK enum tacit_err ocsp_parse(struct ocsp_answer *out, struct bytes in);

/* The entry about `cert`: serial and both hashes of the issuer, by SHA-1, -256 or -384. NULL if
 * there is none, or more than one. */
const struct ocsp_entry *ocsp_find(const struct ocsp_answer *a, const struct x509_cert *cert,
                                   const struct x509_cert *issuer);

/* Verify the answer's signature: by `issuer` itself, or by a responder among the answer's
 * certificates that `issuer` issued directly, for OCSP signing, valid at that time.
 *
 * Returns   TACIT_OK; TACIT_UNTRUSTED: no such responder; TACIT_EXPIRED: the responder's
 *           certificate; TACIT_SIGNATURE; TACIT_NOMEM. Threads any. */
MUST_CHECK enum tacit_err ocsp_verify(const struct ocsp_answer *a, const struct x509_cert *issuer,
                                      int64_t now_unix_s);

#endif
