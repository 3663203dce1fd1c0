/* Signatures of the replies served lately, by the reply's id: kept for 1200 seconds, at most 10
 * 000, in memory only (near.md 2.4). Shared by all workers; locks inside. */
#ifndef NODE_SIGN_CACHE_H
#define NODE_SIGN_CACHE_H

#include "openai/chunk.h"
#include "receipt/near_signature.h"
#include "tee/identity.h"

enum { SIGN_CACHE_TTL_MS = 1200 * 1000, SIGN_CACHE_MAX = 10000 };

struct sign_cache;

/* What is kept of one reply: hashes and counts, nothing of its content. */
struct sign_entry {
    char id[OPENAI_ID_MAX + 1];
    char text[NEAR_TEXT_MAX + 1];
    char signature[2][IDENTITY_SIGNATURE_MAX]; /* by enum near_algo */
    struct openai_usage usage;
};

/* max_entries 0: SIGN_CACHE_MAX. NULL when out of memory. */
struct sign_cache *sign_cache_new(size_t max_entries);
void sign_cache_free(struct sign_cache *c);
/* Adds, replacing an entry of the same id and dropping the oldest when full.
 *
 * now_ms    monotonic
 * Returns   TACIT_OK; TACIT_NOMEM. */
MUST_CHECK enum tacit_err sign_cache_put(struct sign_cache *c, const struct sign_entry *entry,
                                         uint64_t now_ms);
/* TACIT_NOT_FOUND for an id that is unknown or too old; *out zeroed. */
MUST_CHECK enum tacit_err sign_cache_get(struct sign_cache *c, struct sign_entry *out,
                                         struct bytes id, uint64_t now_ms);
size_t sign_cache_count(struct sign_cache *c);

#endif
