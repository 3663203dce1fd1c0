/* NEAR's signature over one exchange: the text "model:request:response" with SHA-256 hashes of the
 * exact bytes, signed with secp256k1 (EIP-191) or Ed25519; its JSON; and the check of a client.
 * Pure: any thread, no I/O, no clock. Does not tell whether the signing address belongs to a TEE:
 * that is the attestation report's part. */
#ifndef RECEIPT_NEAR_SIGNATURE_H
#define RECEIPT_NEAR_SIGNATURE_H

#include "base/buf.h"
#include "crypto/ed25519.h"
#include "crypto/k1.h"
#include "crypto/sha2.h"

enum near_algo { NEAR_ECDSA, NEAR_ED25519 };

enum {
    NEAR_TEXT_MAX = 512,
    NEAR_SIG_TEXT_MAX = 2 + 130,    /* without NUL */
    NEAR_ADDRESS_TEXT_MAX = 2 * 32, /* without NUL */
};

/* "ecdsa" or "ed25519"; case matters not when reading (near.md 3.1). */
const char *near_algo_name(enum near_algo algo);
MUST_CHECK bool near_algo_read(enum near_algo *out, struct bytes name);

/* Write "model:<64 hex>:<64 hex>", or without "model:" if model is empty, NUL-terminated.
 *
 * Returns   TACIT_OK; TACIT_FORMAT if the model is too long, holds ':' or is not printable ASCII.
 * Spec      near.md 2.3 */
MUST_CHECK enum tacit_err near_text_make(char out[static NEAR_TEXT_MAX + 1], struct bytes model,
                                         const uint8_t request_sha256[static SHA256_LEN],
                                         const uint8_t response_sha256[static SHA256_LEN]);

struct near_text {
    struct bytes model; /* empty in a two-part text; borrowed */
    uint8_t request_sha256[SHA256_LEN];
    uint8_t response_sha256[SHA256_LEN];
};
/* Split a text of two or three parts. TACIT_FORMAT for anything else; hashes are 64 hex digits. */
MUST_CHECK enum tacit_err near_text_parse(struct near_text *out, struct bytes text);

/* Sign a text; the signature in NEAR's encoding (near.md 2.4), NUL-terminated. */
MUST_CHECK enum tacit_err near_sign_ecdsa(char out[static NEAR_SIG_TEXT_MAX + 1],
                                          const struct k1_key *key, struct bytes text);
void near_sign_ed25519(char out[static NEAR_SIG_TEXT_MAX + 1], const struct ed25519_key *key,
                       struct bytes text);
/* Signing address in NEAR's encoding, NUL-terminated. */
void near_address_ecdsa(char out[static NEAR_ADDRESS_TEXT_MAX + 1],
                        const uint8_t pub[static K1_PUB_LEN]);
void near_address_ed25519(char out[static NEAR_ADDRESS_TEXT_MAX + 1],
                          const uint8_t pub[static ED25519_PUB_LEN]);

/* Reply of GET /v1/signature/{id}; views borrow. `kind` is empty when absent. */
struct near_signature {
    enum near_algo algo;
    struct bytes text, signature, address;
    struct bytes kind; /* "provider_tee", "gateway" or empty */
};
/* Append the JSON; kind is left out when empty. */
void near_signature_put(struct buf *out, const struct near_signature *sig);
/* Read it. The members must be strings without escapes; unknown members are ignored.
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_UNSUPPORTED for another algorithm; TACIT_NOT_FOUND for
 *           the gateway's error_code reply (near.md 1.6). Borrows from `json`. */
MUST_CHECK enum tacit_err near_signature_read(struct near_signature *out, struct bytes json);

/* What a client checks of one exchange, one result per claim, so that a verdict can name the one
 * that failed. */
enum near_check_row {
    NEAR_CHECK_TEXT,      /* the text has the form of near.md 2.3 */
    NEAR_CHECK_MODEL,     /* it names the model that was asked for */
    NEAR_CHECK_REQUEST,   /* its request hash is that of the bytes sent */
    NEAR_CHECK_RESPONSE,  /* its response hash is that of the bytes received */
    NEAR_CHECK_ADDRESS,   /* signed under the address that was expected (attested) */
    NEAR_CHECK_SIGNATURE, /* the signature over the text is that address's */
    NEAR_CHECK_ROWS,
};
enum near_check_result { NEAR_NOT_RUN = 0, NEAR_PASSED, NEAR_FAILED };

/* What is expected. Views are borrowed for the call. */
struct near_expected {
    struct bytes request;  /* exact bytes sent */
    struct bytes response; /* exact body bytes received */
    struct bytes model;    /* canonical id; empty: a two-part text is accepted, row MODEL not run */
    struct bytes address;  /* from the attestation report; empty: row ADDRESS not run */
};

/* Run every check that can be run; nothing short-circuits but what needs a parsed text.
 *
 * Returns   true only if every row passed (rows not run count as not passed). Pure. */
MUST_CHECK bool near_signature_check(enum near_check_result rows[static NEAR_CHECK_ROWS],
                                     const struct near_signature *sig,
                                     const struct near_expected *expected);
/* Stable row id such as "chat.response_hash", and one sentence why it failed. Static. */
const char *near_check_row_id(enum near_check_row row);
const char *near_check_row_reason(enum near_check_row row);

#endif
