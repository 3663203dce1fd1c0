/* Collateral judged by itself, without a quote: for caches that verify before they keep, and for
 * people who want to know whether theirs is fresh. Quote verification does all of this again. */
#ifndef ATTEST_COLLATERAL_CHECK_H
#define ATTEST_COLLATERAL_CHECK_H

#include <tacit/report.h>

#include "attest/verdict.h"

/* What verified collateral says. Zeroed unless every row passed. */
struct collateral_facts {
    struct tacit_collateral_need need; /* the platform that it is for */
    int64_t from_unix_s;               /* all parts are valid from here … */
    int64_t until_unix_s;              /* … to here, both inclusive */
    int64_t tcb_until_unix_s, qe_until_unix_s, root_crl_until_unix_s, pck_crl_until_unix_s;
    uint32_t tcb_eval_number, qe_eval_number;
    size_t tcb_levels, revoked_pck;
    bool is_simulated;
};

/* Verify every document: root CRL, PCK CA and its CRL (by pck_crl_issuer_chain), TCB info, QE
 * identity, each to the root, in time, and together for one platform and TEE. Rows have the subject
 * "collateral" and ids collateral.*.
 *
 * json      untrusted, compact form of tdx.md 3.2
 * root_der  len 0: Intel's
 * need      NULL, or the platform that it must be for
 *
 * Returns   TACIT_OK when rows were written, whatever they say; TACIT_NOMEM; TACIT_USAGE for an
 *           unreadable root.
 * Memory    up to 2 MiB, released before returning. Threads any. Spec tdx.md 2.4, 2.5 */
MUST_CHECK enum tacit_err collateral_check(struct tacit_verdict *v, struct collateral_facts *out,
                                           struct bytes json, struct bytes root_der,
                                           const struct tacit_collateral_need *need,
                                           int64_t now_unix_s);

#endif
