/* A last look at evidence before it leaves the machine. */
#ifndef TEE_EVIDENCE_PRIV_H
#define TEE_EVIDENCE_PRIV_H

#include "tee/tee_priv.h"

/* Whether a TDX quote or SNP report is over these 64 octets: a provider that mixed up requests must
 * not be believed. Verifies no signature. Other formats (Arm CCA) pass unlooked-at.
 *
 * Returns   TACIT_OK; TACIT_MISMATCH; TACIT_FORMAT for what claims to be a quote and is none. */
MUST_CHECK enum tacit_err evidence_binds(struct bytes evidence,
                                         const uint8_t report_data[static TEE_REPORT_DATA_LEN]);

#endif
