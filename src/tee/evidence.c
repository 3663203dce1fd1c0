/* A last look at evidence: that it is over the report data that was asked for. */
#include "tee/evidence_priv.h"

#include <tacit/quote.h>
#include <tacit/snp.h>

/* CBOR tag 399, as Arm CCA tokens begin. */
static const uint8_t cca_tag[] = {0xd9, 0x01, 0x8f};

enum tacit_err evidence_binds(struct bytes evidence,
                              const uint8_t report_data[static TEE_REPORT_DATA_LEN])
{
    struct bytes wanted = bytes_make(report_data, TEE_REPORT_DATA_LEN);
    struct tacit_snp_report snp;
    struct tacit_quote quote;

    if (bytes_starts_with(evidence, BYTES_ARRAY(cca_tag)))
        return TACIT_OK;
    if (evidence.len == TACIT_SNP_REPORT_LEN && tacit_snp_parse(&snp, evidence) == TACIT_OK)
        return bytes_eq(snp.report_data, wanted) ? TACIT_OK : TACIT_MISMATCH;
    if (tacit_quote_parse(&quote, evidence, NULL) != TACIT_OK || quote.body == TACIT_BODY_SGX)
        return TACIT_FORMAT;
    return bytes_eq(quote.td.report_data, wanted) ? TACIT_OK : TACIT_MISMATCH;
}
