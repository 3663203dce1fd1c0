/* What the parts of report verification share: report.c (forms), report_side.c (one gateway or
 * node), report_measured.c (event log and what it proves), report_extra.c (GPU, OHTTP), and
 * report_manager.c (compose-manager). */
#ifndef ATTEST_REPORT_PRIV_H
#define ATTEST_REPORT_PRIV_H

#include <tacit/gpu.h>
#include <tacit/quote.h>
#include <tacit/report.h>

#include "attest/event_log.h"
#include "attest/verdict.h"
#include "base/arena.h"
#include "codec/jscan.h"

enum { COLLATERALS_MAX = 8, SUBJECT_LEN = 16 };

/* Collateral asked for once per platform, whatever came of it. */
struct collateral_slot {
    struct tacit_collateral_need need;
    enum tacit_err err;
    struct bytes json;
    char why[TACIT_ROW_REASON_MAX];
};

struct report_run {
    struct tacit_verdict *v;
    const struct tacit_report_opts *opts;
    struct arena arena;
    struct collateral_slot collaterals[COLLATERALS_MAX];
    size_t collateral_count;
    bool is_out_of_memory;
};

/* One attested party while it is verified. */
struct side {
    struct report_run *run;
    const struct tacit_side_policy *policy;
    bool is_gateway;
    bool is_direct; /* the connection that the caller saw ends here */
    struct jval obj;
    char subject[SUBJECT_LEN];
    struct row_scope scope;
    struct bytes address; /* as claimed; bound by report data */
    struct bytes quote;
    struct tacit_quote_result *result; /* zeroed until genuine */
    struct event_log log;
    struct bytes app_compose;
    struct tacit_side_facts *facts; /* collects; shown only if every row passed */
};

/* Content of a string member, unescaped; ptr NULL if absent, no string, or out of memory. */
struct bytes report_str(struct report_run *run, struct jval obj, const char *name);
/* Octets of a hex member (an optional "0x" in front); ptr NULL if absent or not such text. */
struct bytes report_hex(struct report_run *run, struct jval obj, const char *name);

/* Verifies a quote for this subject with the collateral it needs. False unless genuine. */
bool report_quote(struct report_run *run, struct tacit_quote_result *out,
                  const struct row_scope *scope, struct bytes quote,
                  const struct tacit_tdx_policy *policy);

/* Fills side->log: event log read, replayed, compared. Needs a genuine quote. */
void report_log(struct side *s);
/* What the replay proves: compose, image, app, info. */
void report_measured(struct side *s);
/* Reads a log (array or text of one) and adds the rows log.read, log.boot, log.replay. */
bool report_log_rows(struct report_run *run, struct event_log *out, const struct row_scope *scope,
                     struct jval log, const struct tacit_td_report *td);

void report_gpu(struct side *s);
void report_ohttp(struct side *s, struct jval holder);
void report_manager(struct side *s);

/* One whole side; facts may be NULL. */
void report_side(struct report_run *run, const char *subject, struct jval obj, bool is_gateway,
                 bool is_direct, struct jval holder, struct tacit_side_facts *facts);

/* Canonical text of compose-manager's actions: members sorted, or in the order its earlier
 * versions wrote them (near.md 7.4). TACIT_FORMAT, TACIT_NOMEM. */
MUST_CHECK enum tacit_err actions_canonical(struct buf *out, struct jval actions, bool is_sorted);

#endif
