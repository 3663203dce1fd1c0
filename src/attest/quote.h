/* Quotes and TDREPORTs as bytes: the parser behind tacit_quote_parse, and what generators and the
 * event-log checks need to know about a quote. Nothing here verifies a signature. */
#ifndef ATTEST_QUOTE_H
#define ATTEST_QUOTE_H

#include <tacit/quote.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
    QUOTE_HEADER_LEN = 48,
    QUOTE_TEE_SGX = 0,
    QUOTE_TEE_TDX = 0x81,
    QUOTE_KEY_P256 = 2,
    SGX_REPORT_LEN = 384,
    TD_REPORT_10_LEN = 584,
    TD_REPORT_15_LEN = 648,
    TD_REPORT_15_EX_LEN = 885,
    TDREPORT_LEN = 1024,
    CERT_TYPE_PCK_CHAIN = 5,
    CERT_TYPE_QE_REPORT = 6,
};

extern const uint8_t quote_vendor_intel[16];

/* TD attribute bits and the SGX flag (tdx.md 1.2). */
#define TD_ATTR_UNDER_DEBUG UINT64_C(0xff)
#define TD_ATTR_SEPT_VE_DISABLE (UINT64_C(1) << 28)
#define TD_ATTR_MIGRATABLE (UINT64_C(1) << 29)
#define TD_ATTR_KNOWN                                                                   \
    (UINT64_C(1) | TD_ATTR_SEPT_VE_DISABLE | TD_ATTR_MIGRATABLE | (UINT64_C(1) << 30) | \
     (UINT64_C(1) << 31) | (UINT64_C(1) << 63))
#define SGX_ATTR_DEBUG UINT64_C(2)
#define XFAM_FIXED1 UINT64_C(0x3)
#define XFAM_ALLOWED UINT64_C(0x6dbe7)

/* The TDX module version and its security version out of a TEE_TCB_SVN. */
static inline uint8_t tee_svn_minor(struct bytes svn)
{
    return svn.ptr[0];
}
static inline uint8_t tee_svn_major(struct bytes svn)
{
    return svn.ptr[1];
}

/* Eight octets of a report as a number (little-endian); 0 if it has another length. */
uint64_t quote_u64(struct bytes field);

/* TDREPORT as TDG.MR.REPORT gives it. The MAC can be checked on the same platform only; the two
 * digests inside are checked here. Views borrow from the input. */
struct tdreport {
    uint8_t type, subtype, version;
    struct bytes cpusvn;            /* 16 */
    struct bytes tee_tcb_info_hash; /* 48 */
    struct bytes tee_info_hash;     /* 48 */
    struct bytes report_data;       /* 64 */
    struct bytes mac;               /* 32 */
    uint64_t tcb_valid_mask;
    struct tacit_td_report td; /* tee_tcb_svn2 and mrservicetd are set always */
};

/* Split a TDREPORT and check its two digests.
 *
 * in        exactly 1024 octets
 * out       views into `in`; zeroed on failure
 *
 * Returns   TACIT_OK; TACIT_FORMAT for another length, type or version; TACIT_MISMATCH if a digest
 *           does not fit.
 * Memory    allocates nothing. Threads pure. Spec tdx.md 1.4 */
MUST_CHECK enum tacit_err tdreport_parse(struct tdreport *out, struct bytes in);

#endif
