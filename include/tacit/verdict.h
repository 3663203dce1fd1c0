/* A verdict is a table of rows, one per check, the same in the CLI, in JSON, in the gateway's
 * store. It is trusted only if it has rows and every required row passed: what was not evaluated is
 * not trusted. Texts in rows are printable ASCII, made by tacit; never copied unescaped from
 * evidence. */
#ifndef TACIT_VERDICT_H
#define TACIT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include <tacit/err.h>

enum tacit_row_result {
    TACIT_ROW_NOT_RUN = 0,
    TACIT_ROW_PASSED = 1,
    TACIT_ROW_FAILED = 2,
};

/* Why a row did not pass, in the terms of an operator. NONE for rows that passed. */
enum tacit_row_cause {
    TACIT_CAUSE_NONE = 0,
    TACIT_CAUSE_UNPARSABLE = 1,   /* the bytes are not what they should be */
    TACIT_CAUSE_FORGED = 2,       /* a signature or a digest does not fit */
    TACIT_CAUSE_UNTRUSTED = 3,    /* fits, but does not lead to a trusted root */
    TACIT_CAUSE_MISMATCH = 4,     /* belongs to something else: nonce, key, device, platform */
    TACIT_CAUSE_OUT_OF_DATE = 5,  /* expired, not yet valid, or an old TCB */
    TACIT_CAUSE_REVOKED = 6,      /* revoked certificate or TCB */
    TACIT_CAUSE_UNOBTAINABLE = 7, /* what the check needs could not be had */
    TACIT_CAUSE_POLICY = 8,       /* genuine, but the caller's policy refuses it */
};

enum {
    TACIT_ROW_ID_MAX = 48,
    TACIT_ROW_SUBJECT_MAX = 32,
    TACIT_ROW_REASON_MAX = 256,
    TACIT_ROW_AUTHORITY_MAX = 64,
    TACIT_VERDICT_ROWS_MAX = 512, /* 16 devices of 24 rows, a gateway and a node */
};

struct tacit_row {
    char id[TACIT_ROW_ID_MAX];               /* stable, dotted: "tdx.quote.signature" */
    char subject[TACIT_ROW_SUBJECT_MAX];     /* whose evidence: "gateway", "node", "gpu[3]" */
    char reason[TACIT_ROW_REASON_MAX];       /* one sentence; always set unless passed */
    char authority[TACIT_ROW_AUTHORITY_MAX]; /* who says so: "Intel SGX Root CA" */
    enum tacit_row_result result;
    enum tacit_row_cause cause;
    bool is_required; /* an optional row that did not pass does not spoil the verdict */
};

struct tacit_verdict {
    size_t count;
    bool is_overflowed; /* a row did not fit: never trusted */
    bool is_simulated;  /* leans on a simulator's root */
    struct tacit_row rows[TACIT_VERDICT_ROWS_MAX];
};

/* Whether every required row passed, at least one row is required, and none was lost.
 *
 * Threads   pure, any thread. */
bool tacit_verdict_is_trusted(const struct tacit_verdict *v);

/* The row with this id and subject, or NULL. subject NULL matches any. First match wins. */
const struct tacit_row *tacit_verdict_row(const struct tacit_verdict *v, const char *id,
                                          const char *subject);

/* The first required row that did not pass, or NULL if there is none. */
const struct tacit_row *tacit_verdict_first_refusal(const struct tacit_verdict *v);

/* Names used in JSON and tables: "passed" "failed" "not_run"; "none" "unparsable" "forged"
 * "untrusted" "mismatch" "out_of_date" "revoked" "unobtainable" "policy". Never NULL. */
const char *tacit_row_result_name(enum tacit_row_result result);
const char *tacit_row_cause_name(enum tacit_row_cause cause);

#endif
