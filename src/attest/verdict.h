/* Writing verdicts: rows are added by the checks, in the order of the table, and never changed. */
#ifndef ATTEST_VERDICT_H
#define ATTEST_VERDICT_H

#include <tacit/verdict.h>

#include "base/buf.h"

/* What is common to a group of rows. */
struct row_scope {
    struct tacit_verdict *v;
    const char *subject;   /* "gateway", "node", "quote", "gpu[3]" */
    const char *authority; /* "Intel SGX Root CA", "SIMULATED root", "RTMR3 replay", … */
    bool is_optional;
};

void row_pass(const struct row_scope *s, const char *id);
/* Reasons are printf-formatted from our own words, numbers and hex; other text goes through
 * row_text first. */
void row_fail(const struct row_scope *s, const char *id, enum tacit_row_cause cause,
              const char *fmt, ...) PRINTF_LIKE(4, 5);
void row_not_run(const struct row_scope *s, const char *id, enum tacit_row_cause cause,
                 const char *fmt, ...) PRINTF_LIKE(4, 5);
/* An informative row that never spoils a verdict: passed, optional, with a reason. */
void row_note(const struct row_scope *s, const char *id, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The error that stands for a refused row where one is asked for; NONE gives TACIT_FORMAT.
 * Threads   pure, any thread. */
enum tacit_err row_cause_err(enum tacit_row_cause cause);

/* Copies text out of evidence for use in a reason: printable ASCII, others as '?', cut to fit. */
enum { ROW_TEXT_MAX = 96 };
const char *row_text(char out[static ROW_TEXT_MAX], struct bytes text);

/* {"verdict":"trusted"|"refused","simulated":bool,"rows":[{id,subject,result,cause,required,reason,
 * authority}…]}: members of the object without its braces when `bare`, so that callers can add. */
void verdict_json(struct buf *out, const struct tacit_verdict *v, bool bare);

#endif
