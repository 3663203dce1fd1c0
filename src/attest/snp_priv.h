/* What the files of SEV-SNP verification share. */
#ifndef ATTEST_SNP_PRIV_H
#define ATTEST_SNP_PRIV_H

#include "attest/snp.h"
#include "attest/verdict.h"

/* Rows snp.policy.* of a genuine report. */
void snp_policy_rows(const struct row_scope *scope, const struct tacit_snp_result *found,
                     const struct tacit_snp_policy *p);
/* Row snp.report_data, if 64 octets are demanded. */
void snp_report_data_row(const struct row_scope *scope, const struct tacit_snp_report *q,
                         const uint8_t *wanted);

#endif
