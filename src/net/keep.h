/* Documents that are fetched once and used often: kept in memory and on disk, verified before they
 * are kept and again when read from disk, one fetch at a time for each. What is past its fresh time
 * is given out at once while one refresh runs behind it, but never past its hard end. */
#ifndef NET_KEEP_H
#define NET_KEEP_H

#include "base/buf.h"
#include "base/err.h"

enum {
    KEEP_WHY_LEN = 256,
    KEEP_KEY_MAX = 128,
    KEEP_ENTRIES_MAX = 256, /* documents in memory; the one that ends first makes room */
    KEEP_PAUSE_S = 60,      /* between two fetches of one document, whatever came of the first */
    KEEP_RETRY_AFTER_MAX_S = 24 * 3600,
    KEEP_TIMEOUT_MS = 30000, /* of one fetch, unless the deadline is nearer */
};

/* How long a document is good. Past fresh it is worth a refresh; past until it is useless. */
struct keep_span {
    int64_t fresh_unix_s;
    int64_t until_unix_s;
};

/* One sort of document. Both functions run on a caller's thread or on the keep's own, without
 * locks, and write one printable sentence to `why` (KEEP_WHY_LEN) on failure.
 *
 * fetch     gets the document; retry_after_s when the server asked to wait. TACIT_NOT_FOUND only
 *           where the server says that there is no such document
 * check     judges it: its own signatures, times, and that it is about `subject`. fetched_unix_s is
 *           when it came; what is read from disk is judged by the same function */
struct keep_kind {
    const char *name; /* [a-z]: the beginning of file names */
    size_t limit;     /* octets of one document */
    enum tacit_err (*fetch)(struct buf *doc, uint64_t *retry_after_s, char *why,
                            struct bytes subject, uint64_t timeout_ms, void *ctx);
    enum tacit_err (*check)(struct keep_span *span, char *why, struct bytes doc,
                            struct bytes subject, int64_t fetched_unix_s, int64_t now_unix_s,
                            void *ctx);
    void *ctx; /* of both; lives longer than the keep */
};

struct keep;

struct keep_opts {
    const char *dir;             /* copied; made if missing; NULL: memory only */
    bool is_offline;             /* never fetch: what is kept and good, or nothing */
    int64_t (*now_unix_s)(void); /* NULL: the wall clock */
};

/* TACIT_NOMEM; TACIT_IO or TACIT_LIMIT (its name is too long) for the folder. */
MUST_CHECK enum tacit_err keep_new(struct keep **out, const struct keep_opts *opts);
/* Accepts NULL. No call may be under way; waits for a refresh that is (at most KEEP_TIMEOUT_MS). */
void keep_free(struct keep *k);

struct keep_ask {
    const struct keep_kind *kind; /* static, or living longer than the keep */
    const char *key;              /* names the document within its kind: [A-Za-z0-9._-] */
    struct bytes subject;         /* what fetch and check need to know about it; copied */
    uint64_t deadline_mono_ms;    /* when waiting or fetching is no longer of use; 0: never */
    bool is_newer_wanted;         /* fetch now, unless that was tried less than KEEP_PAUSE_S ago */
};

/* Append the document.
 *
 * why       on failure the sentence of fetch or check, also when it is remembered from a try less
 *           than KEEP_PAUSE_S (or the server's Retry-After) ago; "" on success
 *
 * Returns   TACIT_OK; the error of fetch or check; TACIT_NOT_FOUND: there is no such document
 *           (the server says so), or, offline, none is kept; TACIT_TIMEOUT past the deadline;
 *           TACIT_USAGE for a bad key; TACIT_LIMIT when all places are being fetched to.
 * Threads   any number; blocks while there is nothing good to give. */
MUST_CHECK enum tacit_err keep_get(struct keep *k, struct buf *doc, const struct keep_ask *ask,
                                   char why[static KEEP_WHY_LEN]);

#endif
