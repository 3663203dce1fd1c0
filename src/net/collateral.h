/* Collateral by platform, for those who verify: fetched when needed, verified before it is kept, in
 * memory and on disk, refreshed at half of its life, never given out past its end. */
#ifndef NET_COLLATERAL_H
#define NET_COLLATERAL_H

#include <tacit/report.h>

#include "base/buf.h"
#include "net/pcs.h"

struct collateral_source;

struct collateral_source_opts {
    struct pcs pcs;              /* strings are copied */
    const char *cache_dir;       /* files <tee>-<fmspc>-<ca>-<channel>.json; NULL: memory only */
    struct bytes root_der;       /* copied; len 0: Intel's */
    bool is_offline;             /* never fetch: what is on disk and valid, or nothing */
    int64_t (*now_unix_s)(void); /* NULL: the wall clock */
};

/* Makes a source. The folder is created. TACIT_NOMEM; TACIT_IO for the folder. */
MUST_CHECK enum tacit_err collateral_source_new(struct collateral_source **out,
                                                const struct collateral_source_opts *opts);
/* Accepts NULL. No call may be under way. */
void collateral_source_free(struct collateral_source *source);

/* Append the platform's collateral, valid now. One fetch at a time per platform: others wait for
 * it, unless what is kept is still valid. A fetch that fails leaves what is kept in use until its
 * end; a server's Retry-After is obeyed, and failures are not repeated within a minute.
 *
 * why       on failure a sentence naming document and platform (256 octets)
 *
 * Returns   TACIT_OK; the fetch's error, see pcs_fetch; TACIT_UNTRUSTED, TACIT_EXPIRED and
 *           TACIT_MISMATCH when what came does not verify; TACIT_NOT_FOUND when offline.
 * Threads   any number; blocks while fetching. */
MUST_CHECK enum tacit_err collateral_source_get(struct collateral_source *source, struct buf *json,
                                                const struct tacit_collateral_need *need,
                                                char why[static PCS_WHY_LEN]);

/* A source as the callback of tacit_report_verify: ctx is a struct collateral_loan, whose memory
 * holds what was given out until collateral_loan_done. One loan per verification and thread. */
enum { COLLATERAL_LOANS_MAX = 8 };
struct collateral_loan {
    struct collateral_source *source;
    struct buf json[COLLATERAL_LOANS_MAX];
    size_t count;
};
enum tacit_err collateral_loan_get(struct bytes *json, char *why,
                                   const struct tacit_collateral_need *need, void *ctx);
void collateral_loan_done(struct collateral_loan *loan);

#endif
