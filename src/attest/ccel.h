/* The firmware's measurement log of a TD (ACPI table CCEL, in TCG2 crypto-agile form): read and
 * replayed. A log proves nothing before its replay equals a quote's RTMRs; after that the digests
 * are proven, and of the payloads only those that we re-hashed to their digest. */
#ifndef ATTEST_CCEL_H
#define ATTEST_CCEL_H

#include "base/err.h"
#include "base/reader.h"

enum {
    CCEL_ALGS_MAX = 8,
    CCEL_RTMRS = 4,
    CCEL_MR_MAX = 4, /* MR index 0 is MRTD, 1..4 are RTMR0..3 */
    CCEL_ALG_SHA384 = 0x000c,
};

struct ccel_alg {
    uint16_t id;
    uint16_t digest_len;
};

struct ccel {
    struct bytes events; /* behind the Spec ID event, up to the end marker; borrowed */
    struct ccel_alg algs[CCEL_ALGS_MAX];
    size_t alg_count;
    size_t event_count;
    uint8_t rtmr[CCEL_RTMRS][48]; /* as replayed */
};

struct ccel_event {
    uint32_t mr_index; /* 0..4 */
    uint32_t type;     /* TCG event type */
    struct bytes sha384;
    struct bytes data;
    bool is_data_hashed; /* SHA-384(data) is the digest, and the type says that it must be */
};

/* Read and replay a whole log.
 *
 * out       zeroed on failure
 * in        untrusted log bytes (not the ACPI table header), any length
 *
 * Returns   TACIT_OK; TACIT_FORMAT if a length, algorithm or register is impossible, an event lacks
 *           its SHA-384 digest, or a register has more separators than firmware writes.
 * Memory    allocates nothing; `out` borrows from `in`.
 * Threads   pure, any thread.
 * Spec      tdx.md 5.2 */
MUST_CHECK enum tacit_err ccel_read(struct ccel *out, struct bytes in);

/* Walk a log that ccel_read accepted: start with reader_over(log->events); false at the end. */
bool ccel_next(struct ccel_event *out, struct reader *cursor, const struct ccel *log);

#endif
