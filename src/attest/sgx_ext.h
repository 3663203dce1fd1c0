/* The SGX extension of a PCK certificate: which platform it certifies, and at which TCB. */
#ifndef ATTEST_SGX_EXT_H
#define ATTEST_SGX_EXT_H

#include <tacit/quote.h>

#include "base/bytes.h"
#include "base/err.h"

enum { TCB_COMPONENTS = 16 };

struct sgx_ext {
    bool
        is_complete; /* .1 to .5, or .1 to .7: what Intel issues, and all that verification takes */
    uint8_t ppid[16];
    uint8_t components[TCB_COMPONENTS]; /* the INTEGERs: what TCB levels are compared with */
    uint16_t pcesvn;
    uint8_t cpusvn[16];
    uint8_t pceid[2];
    uint8_t fmspc[6];
    uint8_t sgx_type;
    bool has_platform_instance_id;
    uint8_t platform_instance_id[16];
    enum tacit_platform_flag dynamic_platform, cached_keys, smt_enabled;
};

/* DER content of the extension's OID 1.2.840.113741.1.13.1. */
extern const uint8_t sgx_ext_oid[9];

/* Read the value of the extension. Strict: members .1 to .4 exactly once each, .5 to .7 at most
 * once, all eighteen TCB members exactly once, other members refused, no bytes left over.
 *
 * in        DER, the content of the extension's OCTET STRING; untrusted until its certificate is
 *           verified
 * out       zeroed on failure
 *
 * Returns   TACIT_OK; TACIT_FORMAT.
 * Memory    allocates nothing. Threads pure. Spec tdx.md 1.5 */
MUST_CHECK enum tacit_err sgx_ext_parse(struct sgx_ext *out, struct bytes in);

#endif
