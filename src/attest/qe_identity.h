/* QE identity: what the quoting enclave must look like, and at which security versions. */
#ifndef ATTEST_QE_IDENTITY_H
#define ATTEST_QE_IDENTITY_H

#include "attest/tcb_info.h"

struct qe_identity {
    bool is_tdx; /* id TD_QE, else QE */
    int64_t issue_unix_s;
    int64_t next_update_unix_s;
    uint32_t eval_number;
    uint8_t miscselect[4], miscselect_mask[4];
    uint8_t attributes[16], attributes_mask[16];
    uint8_t mrsigner[32];
    uint16_t isvprodid;
    struct isv_levels levels;
};

/* Read the document: the value of "enclaveIdentity", exactly as signed. Rules as tcb_info_parse.
 *
 * Returns   TACIT_OK; TACIT_FORMAT. Memory levels are in the arena. Threads pure.
 * Spec      tdx.md 2.5 */
MUST_CHECK enum tacit_err qe_identity_parse(struct qe_identity *out, struct bytes json,
                                            struct arena *arena);

/* Compare a QE report with the identity: everything but the security version (tdx.md 2.6).
 *
 * Returns   NULL if it fits, else a static sentence saying what differs. */
const char *qe_identity_differs(const struct qe_identity *id, const struct tacit_sgx_report *qe);

/* The first level at or below `isvsvn`, or NULL. */
const struct isv_level *isv_level_find(const struct isv_levels *levels, uint16_t isvsvn);

#endif
