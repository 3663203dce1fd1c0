/* Collateral of one platform as one compact JSON file (tdx.md 3.2), the shape of dcap-qvl. */
#ifndef ATTEST_COLLATERAL_H
#define ATTEST_COLLATERAL_H

#include "base/arena.h"
#include "base/err.h"

struct collateral {
    struct bytes pck_crl_issuer_chain;  /* PEM; not needed: the quote's own chain says who issues */
    struct bytes root_ca_crl;           /* DER; empty if the hex is bad */
    struct bytes pck_crl;               /* DER; likewise */
    struct bytes tcb_info_issuer_chain; /* PEM */
    struct bytes tcb_info;              /* the exact signed text */
    struct bytes tcb_info_signature;    /* r || s; empty unless it is hex */
    struct bytes qe_identity_issuer_chain;
    struct bytes qe_identity;
    struct bytes qe_identity_signature;
    struct bytes pck_certificate_chain; /* PEM; empty if absent or null */
};

/* Read the file. Judges its shape only: one strict JSON object whose nine members are strings.
 *
 * in        untrusted bytes, refused above LIMIT_COLLATERAL_BYTES
 * out       views into the arena or into `in`; zeroed on failure
 * missing   NULL, or gets the name of a member that is missing or no string; else NULL
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT; TACIT_NOMEM. Threads pure. */
MUST_CHECK enum tacit_err collateral_parse(struct collateral *out, const char **missing,
                                           struct bytes in, struct arena *arena);

#endif
