/* A last look at evidence: that it is over the report data that was asked for. */
#include "tee/evidence_priv.h"

#include <tacit/snp.h>

#include "base/reader.h"

enum {
    TEE_TYPE_TDX = 0x81,
    HEADER_REST_V4 = 40, /* of the 48 octets of a header, behind version, key type and TEE type */
    REPORT_DATA_AT = 520,
    BODY_TYPE_TD_FIRST = 2,
    BODY_TYPE_TD_LAST = 4,
};

/* CBOR tag 399, as Arm CCA tokens begin. */
static const uint8_t cca_tag[] = {0xd9, 0x01, 0x8f};

/* REPORTDATA of a TDX quote, version 4 or 5; empty for anything else. */
static struct bytes tdx_report_data(struct bytes quote)
{
    struct reader r = reader_over(quote);
    uint16_t version = read_u16le(&r);

    read_u16le(&r);
    if (read_u32le(&r) != TEE_TYPE_TDX)
        reader_fail(&r);
    read_bytes(&r, HEADER_REST_V4);
    if (version == 5) {
        uint16_t type = read_u16le(&r);

        if (type < BODY_TYPE_TD_FIRST || type > BODY_TYPE_TD_LAST)
            reader_fail(&r);
        read_u32le(&r);
    } else if (version != 4) {
        reader_fail(&r);
    }
    read_bytes(&r, REPORT_DATA_AT);
    return read_bytes(&r, TEE_REPORT_DATA_LEN);
}

enum tacit_err evidence_binds(struct bytes evidence,
                              const uint8_t report_data[static TEE_REPORT_DATA_LEN])
{
    struct tacit_snp_report snp;
    struct bytes found;

    if (bytes_starts_with(evidence, BYTES_ARRAY(cca_tag)))
        return TACIT_OK;
    if (evidence.len == TACIT_SNP_REPORT_LEN && tacit_snp_parse(&snp, evidence) == TACIT_OK)
        found = snp.report_data;
    else
        found = tdx_report_data(evidence);
    if (found.len != TEE_REPORT_DATA_LEN)
        return TACIT_FORMAT;
    return bytes_eq(found, bytes_make(report_data, TEE_REPORT_DATA_LEN)) ? TACIT_OK
                                                                         : TACIT_MISMATCH;
}
