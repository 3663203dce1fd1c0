/* Who may ask: API keys as an immutable sorted snapshot of the store, swapped whole when the store
 * changes. A lookup takes one lock for the time of a reference count and touches no SQL. */
#ifndef GATEWAY_KEYS_H
#define GATEWAY_KEYS_H

#include "store/store.h"

struct keys;

/* NULL when the store cannot be read or memory is out. The store must outlive it. */
struct keys *keys_new(struct store *store);
void keys_free(struct keys *k);
/* Reads the store again if it changed. Blocks: not on a loop's thread. */
MUST_CHECK enum tacit_err keys_refresh(struct keys *k);

enum key_verdict { KEY_FINE, KEY_MISSING, KEY_MALFORMED, KEY_INVALID };

/* Judges the value of an Authorization header (ptr NULL: there was none). KEY_FINE fills `out`. An
 * unknown, expired or revoked key is KEY_INVALID: callers cannot tell which. Threads: any. */
enum key_verdict keys_check(struct keys *k, struct store_key *out, struct bytes authorization,
                            int64_t now_unix_s);

#endif
