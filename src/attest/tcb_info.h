/* Intel's signed collateral documents: TCB info (levels of a platform, identities of TDX modules)
 * and QE identity. Parsed only after their signature is verified; strict all the same. */
#ifndef ATTEST_TCB_INFO_H
#define ATTEST_TCB_INFO_H

#include <tacit/quote.h>

#include "attest/sgx_ext.h"
#include "base/arena.h"

enum { TCB_SEAM_MRSIGNER_LEN = 48 };

/* What a level says apart from the SVNs it starts at. */
struct tcb_verdict {
    enum tacit_tcb_status status;
    int64_t date_unix_s;
    struct bytes advisories; /* JSON array of plain strings, checked; empty if absent */
};

struct tcb_level {
    uint8_t sgx[TCB_COMPONENTS];
    uint16_t pcesvn;
    uint8_t tdx[TCB_COMPONENTS]; /* zero in SGX documents */
    struct tcb_verdict verdict;
};

/* Level of an enclave or TDX module: from isvsvn upwards. */
struct isv_level {
    uint16_t isvsvn;
    struct tcb_verdict verdict;
};

struct isv_levels {
    struct isv_level *items; /* descending */
    size_t count;
};

struct tdx_module {
    bool has_version; /* the id is TDX_hh */
    uint8_t version;
    uint8_t mrsigner[TCB_SEAM_MRSIGNER_LEN];
    uint8_t attributes[8];
    uint8_t attributes_mask[8];
    struct isv_levels levels; /* empty in the base `tdxModule` */
};

struct tcb_info {
    bool is_tdx;
    uint32_t version;
    int64_t issue_unix_s;
    int64_t next_update_unix_s;
    uint8_t fmspc[6];
    uint8_t pceid[2];
    uint32_t eval_number;
    struct tdx_module module; /* TDX only */
    struct tdx_module *modules;
    size_t module_count;
    struct tcb_level *levels; /* descending, no two alike */
    size_t level_count;
};

/* Read the document: the value of "tcbInfo", exactly as signed.
 *
 * out       zeroed on failure; arrays are in the arena, advisories borrow from `json`
 * json      verified or not, any length
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT for more levels than LIMIT_TCB_LEVELS; TACIT_NOMEM.
 * Threads   pure; the arena belongs to the caller. Spec tdx.md 2.5 */
MUST_CHECK enum tacit_err tcb_info_parse(struct tcb_info *out, struct bytes json,
                                         struct arena *arena);

/* "UpToDate" and so on, exactly; NONE for anything else. */
enum tacit_tcb_status tcb_status_of(struct bytes name);

/* Used by the QE identity, too. */
struct jwalk;
void isv_levels_read(struct isv_levels *out, struct jwalk *w, struct arena *arena);

#endif
