/* Memory of one request: allocated in pieces, bounded by a cap, released at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used;  /* octets handed out, rounding included */
    size_t limit; /* octets */
};

struct arena arena_make(size_t limit);
/* Zeroed memory aligned for any object, or NULL when the cap or memory is exhausted. */
void *arena_alloc(struct arena *a, size_t size);
/* Copy of `in` with a NUL behind it (not counted); {NULL, 0} on failure, so check ptr. */
struct bytes arena_dup(struct arena *a, struct bytes in);
/* NUL-terminated copy, or NULL. */
char *arena_str(struct arena *a, struct bytes in);
/* Releases everything; accepts a zeroed struct. */
void arena_done(struct arena *a);

#endif
