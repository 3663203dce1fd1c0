/* dstack event logs: read, replayed, and compared with a quote's RTMRs. Nothing in a log is known
 * to be true until the replay matches: then the runtime events of RTMR3 are proven, their names and
 * payloads included; boot events (RTMR0-2) prove their digests only, never their names. */
#ifndef ATTEST_EVENT_LOG_H
#define ATTEST_EVENT_LOG_H

#include "base/arena.h"
#include "base/err.h"

enum {
    RTMR_COUNT = 4,
    RTMR_LEN = 48,
    EVENT_TYPE_RUNTIME = 0x08000001,
};

/* Why a log is refused, in the terms of tdx.md 5.1. */
enum event_log_fault {
    EVENT_LOG_FINE = 0,
    EVENT_LOG_JSON,   /* not strict JSON, duplicate members included */
    EVENT_LOG_PARSE,  /* an entry lacks a member, or its imr, type, digest or hex is impossible */
    EVENT_LOG_NAME,   /* a runtime event's name holds ':' or is empty */
    EVENT_LOG_TYPE,   /* RTMR3 holds another type than runtime, or a runtime event is elsewhere */
    EVENT_LOG_DIGEST, /* the digest given is not the digest of name and payload */
    EVENT_LOG_DUPLICATE, /* an identity event occurs twice before system-ready */
    EVENT_LOG_TOO_MANY,  /* more than LIMIT_EVENT_LOG_EVENTS */
};

struct event_log_event {
    struct bytes name;    /* UTF-8, unescaped */
    struct bytes payload; /* decoded */
    uint8_t digest[48];   /* computed by us */
    bool is_system;       /* up to and with system-ready: measured before any application ran */
};

struct event_log {
    uint8_t rtmr[RTMR_COUNT][RTMR_LEN]; /* as replayed */
    size_t event_count;                 /* of all registers */
    struct event_log_event *runtime;    /* RTMR3 in order; in the arena */
    size_t runtime_count;
    enum event_log_fault fault;
    size_t fault_index;   /* which entry, counted from 0 */
    unsigned proven_mask; /* BIT(i): RTMRi replayed to the quote's; set by event_log_prove */
};

/* Read and replay a log. Recomputes every runtime digest from name and payload.
 *
 * out       zeroed on failure but for fault and fault_index
 * json      untrusted; a JSON array of dstack entries
 * arena     takes names and payloads
 *
 * Returns   TACIT_OK; TACIT_FORMAT (fault says why); TACIT_LIMIT; TACIT_NOMEM.
 * Memory    `out` points into the arena, and not into `json`.
 * Threads   pure; the arena belongs to the caller.
 * Spec      tdx.md 5.1, near.md 4.3 */
MUST_CHECK enum tacit_err event_log_read(struct event_log *out, struct bytes json,
                                         struct arena *arena);

/* Compares the replay with the RTMRs of a verified quote (48 octets each; others never agree) and
 * remembers which agree (proven_mask). Returns true if all four do. */
bool event_log_prove(struct event_log *log, const struct bytes rtmr[static RTMR_COUNT]);

/* The system event of that name (before or at system-ready), or NULL: also NULL while RTMR3 is not
 * proven. */
const struct event_log_event *event_log_system(const struct event_log *log, const char *name);
/* The n-th (from 0) application event of that name, after system-ready; same rule. */
const struct event_log_event *event_log_app(const struct event_log *log, const char *name,
                                            size_t n);

/* Digest of a runtime event, version 1: SHA-384(LE32(type) ":" name ":" payload). Used by those who
 * extend RTMR3, too. */
void event_log_digest(uint8_t out[static 48], struct bytes name, struct bytes payload);
/* RTMR := SHA-384(RTMR || digest). */
void event_log_extend(uint8_t rtmr[static RTMR_LEN], const uint8_t digest[static 48]);

/* "json" "parse" "event_name" "event_type" "event_digest" "event_duplicate" "too_many"; static. */
const char *event_log_fault_name(enum event_log_fault fault);

#endif
