/* What GPU evidence is judged by, fetched for the devices at hand: reference manifests (RIM),
 * revocation answers (OCSP) and, if asked for, the word of NVIDIA's attestation service (NRAS).
 * Everything is verified before it is kept, in memory and on disk; deciding is left to
 * tacit_gpu_verify. */
#ifndef NET_GPU_REFS_H
#define NET_GPU_REFS_H

#include <tacit/gpu.h>

#include "base/arena.h"
#include "base/limits.h"
#include "net/keep.h"

#define GPU_REFS_RIM_URL "https://rim.attestation.nvidia.com"
#define GPU_REFS_OCSP_URL "https://ocsp.ndis.nvidia.com/"
#define GPU_REFS_NRAS_URL "https://nras.attestation.nvidia.com"

enum {
    GPU_REFS_WHY_LEN = KEEP_WHY_LEN,
    GPU_REFS_DEADLINE_MS = 60000,
    GPU_REFS_RIM_FRESH_S = 24 * 3600,     /* then refreshed, while the kept one is in use */
    GPU_REFS_RIM_LIFE_S = 30 * 24 * 3600, /* and never used after that */
    GPU_REFS_JWKS_FRESH_S = 12 * 3600,
    GPU_REFS_JWKS_LIFE_S = 24 * 3600,
};

/* Strings and bytes are copied. */
struct gpu_refs_opts {
    const char *rim_url;                           /* base URL; NULL: manifests are not fetched */
    const char *ocsp_url;                          /* NULL: no responder is asked */
    const char *nras_url;                          /* base URL; NULL: the service is not asked */
    const char *nras_issuer;                       /* named in the tokens; NULL: NVIDIA's */
    const char *proxy;                             /* NULL: none */
    struct bytes device_root, rim_root, nras_root; /* PEM or DER; len 0: NVIDIA's */
    const char *cache_dir;                         /* NULL: memory only */
    bool is_offline;                               /* nothing but what is kept and still good */
    uint32_t rim_expired_days;                     /* as in the policy that will judge */
    uint64_t deadline_ms;                          /* of one collection; 0: GPU_REFS_DEADLINE_MS */
    int64_t (*now_unix_s)(void);                   /* NULL: the wall clock */
};

struct gpu_refs;

/* TACIT_NOMEM; TACIT_IO or TACIT_LIMIT for the folder; TACIT_USAGE for a root that is no
 * certificate. */
MUST_CHECK enum tacit_err gpu_refs_new(struct gpu_refs **out, const struct gpu_refs_opts *opts);
/* Accepts NULL. No call may be under way; may wait for a refresh, see keep_free. */
void gpu_refs_free(struct gpu_refs *refs);

/* What was collected for one verification. */
struct gpu_refs_set {
    struct arena arena; /* every document */
    struct tacit_gpu_rim rims[LIMIT_RIMS];
    size_t rim_count;
    struct tacit_gpu_ocsp ocsp[LIMIT_OCSP_ANSWERS];
    size_t ocsp_count;
    struct tacit_gpu_nras nras;
    bool has_nras;
    char why[GPU_REFS_WHY_LEN]; /* of the first thing that could not be had; "" if none */
};

/* What there is to collect for. */
struct gpu_refs_need {
    struct bytes evidence;            /* as for tacit_gpu_verify, untrusted */
    struct bytes switches;            /* len 0: none */
    const struct tacit_gpu_rim *rims; /* at hand already; OCSP is asked about their signers, too */
    size_t rim_count;
};

/* Collect. Services are asked only about devices whose certificates lead to the device root, and
 * about manifests that verify, so that evidence of strangers makes no requests. Blocks while
 * fetching, one document after the other; concurrent calls share fetches.
 *
 * out       what could be had, also on failure; gpu_refs_set_done in every case
 *
 * Returns   TACIT_OK if nothing is missing; else the first error, told in out->why:
 *           TACIT_NOT_FOUND: the service knows no such manifest (or offline: none is kept);
 *           TACIT_IO, TACIT_TIMEOUT, TACIT_BUSY: it could not be fetched; TACIT_FORMAT,
 *           TACIT_MISMATCH, TACIT_UNTRUSTED, TACIT_EXPIRED: what came does not hold.
 * Memory    the set is large: heap.
 * Threads   any number. Spec gpu.md 2.4, 3.5, 4 */
MUST_CHECK enum tacit_err gpu_refs_collect(struct gpu_refs *refs, struct gpu_refs_set *out,
                                           const struct gpu_refs_need *need);
/* Puts the set into verification options, behind the `rims` that these already have (which must be
 * those of the need, and be copied by the set when there are both). */
void gpu_refs_apply(const struct gpu_refs_set *set, struct tacit_gpu_opts *opts);
void gpu_refs_set_done(struct gpu_refs_set *set);

/* Refs as the callback of tacit_report_verify: ctx is a struct gpu_refs_loan, one for each
 * verification and thread, whose memory holds what was given out until gpu_refs_loan_done.
 * Manifests that `opts` has are kept, and OCSP is asked about them. */
enum { GPU_REFS_LOANS_MAX = 20 };
struct gpu_refs_loan {
    struct gpu_refs *refs; /* NULL: nothing is collected */
    struct gpu_refs_set *sets[GPU_REFS_LOANS_MAX];
    size_t count;
};
enum tacit_err gpu_refs_loan_get(struct tacit_gpu_opts *opts, char *why, struct bytes evidence,
                                 void *ctx);
void gpu_refs_loan_done(struct gpu_refs_loan *loan);

#endif
