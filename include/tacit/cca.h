/* Verification of Arm CCA attestation tokens, offline: platform token, realm token, and that the
 * one vouches for the other's key. There is no universal root: the platform's key is an endorsement
 * that the caller has from the vendor, by implementation and instance. */
#ifndef TACIT_CCA_H
#define TACIT_CCA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tacit/bytes.h>
#include <tacit/err.h>
#include <tacit/verdict.h>

enum { TACIT_CCA_REMS = 4, TACIT_CCA_CHALLENGE_LEN = 64 };

/* The claims of a token. Views borrow from its bytes. */
struct tacit_cca_token {
    struct bytes platform_protected, platform_payload, platform_signature; /* COSE_Sign1 */
    struct bytes realm_protected, realm_payload, realm_signature;
    struct bytes platform_challenge;
    struct bytes instance_id;       /* 33 */
    struct bytes implementation_id; /* 32 */
    uint32_t lifecycle;             /* 0x3000 to 0x30ff: secured */
    struct bytes configuration;
    struct bytes platform_hash_alg; /* text */
    size_t software_components;
    struct bytes realm_challenge;     /* 64 */
    struct bytes personalisation;     /* 64 */
    struct bytes realm_hash_alg;      /* text */
    struct bytes realm_key;           /* as claimed: COSE_Key, or 04 || x || y */
    struct bytes realm_key_hash_alg;  /* text: "sha-256" "sha-384" "sha-512" */
    struct bytes rim;                 /* initial measurement */
    struct bytes rem[TACIT_CCA_REMS]; /* extensible measurements */
};

/* Split a token into its claims. Verifies nothing.
 *
 * out       zeroed on failure
 * in        untrusted CBOR, any length: tag 399 over {44234: platform, 44241: realm}
 *
 * Returns   TACIT_OK; TACIT_FORMAT.
 * Memory    allocates nothing. Threads pure, any thread. Spec tdx.md 6.4 */
enum tacit_err tacit_cca_parse(struct tacit_cca_token *out, struct bytes in);

/* A platform's attestation key (CPAK) as its vendor endorses it. */
struct tacit_cca_endorsement {
    struct bytes implementation_id; /* 32 */
    struct bytes instance_id;       /* 33; len 0: any instance of the implementation */
    struct bytes key_spki_der;      /* P-384 */
};

struct tacit_cca_input {
    struct bytes token; /* untrusted */
    const struct tacit_cca_endorsement *endorsements;
    size_t endorsement_count;
    const uint8_t *challenge;     /* 64 octets: our report data; NULL: not compared */
    bool allow_unsecured;         /* any lifecycle */
    struct bytes rim;             /* demanded; len 0: any */
    struct bytes personalisation; /* demanded; len 0: any */
    const char *subject;          /* for the rows; NULL: "token" */
};

/* Verify a token: platform signature by the endorsed key, realm signature by the realm's key, the
 * binding between them, lifecycle, challenge and measurements. Rows have the ids cca.*.
 *
 * out       the claims; zeroed unless every row up to the binding passed
 *
 * Returns   TACIT_OK when rows were written, whatever they say; TACIT_NOMEM.
 * Threads   any. Spec tdx.md 6.4 */
enum tacit_err tacit_cca_verify(struct tacit_verdict *v, struct tacit_cca_token *out,
                                const struct tacit_cca_input *in);

#endif
