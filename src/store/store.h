/* What the gateway must not forget: who may ask (API keys), what was used (the ledger), what nodes
 * proved (attestations), and what they signed (signatures). Calls are named for what they are for;
 * SQL stays in sqlite.c. No prompt, completion or key text is ever stored: of a key only its
 * SHA-256 and a short display prefix.
 *
 * All calls block and may be used from any thread; one connection, locked inside. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"

struct store;

enum {
    STORE_ID_LEN = 36,       /* UUID text */
    STORE_KEY_TEXT_LEN = 35, /* "sk-" and 32 lower-case hex digits (near.md 1.8) */
    STORE_KEY_PREFIX_LEN = 10,
    STORE_NAME_MAX = 128,
    STORE_MODEL_MAX = 256,
    STORE_CHAT_ID_MAX = 128,
};

/* Opens or creates the database, applies missing migrations, makes the default organization and
 * workspace. why gets a sentence on failure. TACIT_UNSUPPORTED: made by a newer version. */
MUST_CHECK enum tacit_err store_open(struct store **out, const char *path, char why[static 256]);
void store_close(struct store *s);
/* Changes whenever another connection or this one changed the database: cheap to poll. */
MUST_CHECK enum tacit_err store_generation(struct store *s, uint64_t *out);

struct store_key {
    char id[STORE_ID_LEN + 1];
    char workspace_id[STORE_ID_LEN + 1];
    char organization_id[STORE_ID_LEN + 1];
    char name[STORE_NAME_MAX + 1];
    char prefix[STORE_KEY_PREFIX_LEN + 1];
    uint8_t sha256[32];
    int64_t created_unix_s;
    int64_t expires_unix_s; /* 0: never */
    int64_t revoked_unix_s; /* 0: not revoked */
};

/* Makes a key in the default workspace. `text` is the only copy of the key; the caller shows and
 * erases it. */
MUST_CHECK enum tacit_err store_key_create(struct store *s, struct store_key *out,
                                           char text[static STORE_KEY_TEXT_LEN + 1],
                                           const char *name, int64_t now_unix_s,
                                           int64_t expires_unix_s);
/* Calls each() for every key, oldest first. */
MUST_CHECK enum tacit_err
store_key_each(struct store *s, void (*each)(const struct store_key *key, void *ctx), void *ctx);
/* By id or display prefix. TACIT_NOT_FOUND; TACIT_EXISTS when a prefix names several keys. Revoking
 * twice keeps the first time. */
MUST_CHECK enum tacit_err store_key_revoke(struct store *s, const char *id_or_prefix,
                                           int64_t now_unix_s);

struct store_usage {
    char inference_id[STORE_ID_LEN + 1]; /* UUID v5 of the completion id */
    char organization_id[STORE_ID_LEN + 1];
    char workspace_id[STORE_ID_LEN + 1];
    char api_key_id[STORE_ID_LEN + 1];
    char model[STORE_MODEL_MAX + 1];
    char node[STORE_NAME_MAX + 1];
    uint64_t input_tokens;
    uint64_t output_tokens;
    uint64_t cached_tokens;
    const char *stop_reason; /* near.md 6.5, static text */
    bool is_stream;
    int64_t started_unix_ms;
    uint64_t first_byte_ms; /* after the start; 0 if there was none */
    uint64_t total_ms;
};

struct store_signature {
    char chat_id[STORE_CHAT_ID_MAX + 1];
    char algo[8];        /* "ecdsa" or "ed25519" */
    char text[600];      /* "model:req:resp" */
    char signature[136]; /* as the node encoded it */
    char signing_address[68];
    char kind[16]; /* "provider_tee"; "disconnected": no signature, the client left */
};

/* What is kept of one reply: its charge and, if it was whole, what the node signed. */
struct store_reply {
    struct store_usage usage;
    struct store_signature signatures[2];
    size_t signature_count;
};

/* All replies in one transaction, durable on return. A repeated (organization, inference id) keeps
 * the first record, a repeated (chat id, algo) the first signature; neither is an error. */
MUST_CHECK enum tacit_err store_replies_put(struct store *s, const struct store_reply *replies,
                                            size_t count);
struct store_totals {
    uint64_t requests, input_tokens, output_tokens, cached_tokens;
};
/* Sums of one key, or of everything when key_id is NULL. */
MUST_CHECK enum tacit_err store_usage_totals(struct store *s, struct store_totals *out,
                                             const char *key_id);

/* TACIT_NOT_FOUND when unknown. */
MUST_CHECK enum tacit_err store_signature_get(struct store *s, struct store_signature *out,
                                              const char *chat_id, const char *algo);

/* Evidence and verdict of a node, as bytes; kept for audit. */
MUST_CHECK enum tacit_err store_attestation_put(struct store *s, const char *node,
                                                int64_t now_unix_s, bool is_trusted,
                                                struct bytes report_json,
                                                struct bytes verdict_json);
/* Newest stored verdict of a node. TACIT_NOT_FOUND. */
MUST_CHECK enum tacit_err store_attestation_last(struct store *s, const char *node,
                                                 bool *is_trusted, struct buf *verdict_json);
/* Deletes attestations and signatures older than the times given. */
MUST_CHECK enum tacit_err store_prune(struct store *s, int64_t attestations_before_unix_s,
                                      int64_t signatures_before_unix_s);

#endif
