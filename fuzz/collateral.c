/* Collateral files: accepted ones have their nine members, and none leads to trust by itself. */
#include <assert.h>

#include "attest/collateral.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(LIMIT_DCAP_BASE_BYTES);
    struct collateral c;
    const char *missing;

    if (collateral_parse(&c, &missing, (struct bytes){data, size}, &arena) == TACIT_OK)
        assert(missing == NULL && c.tcb_info_signature.len <= size && c.tcb_info.len <= size);
    else
        assert(c.tcb_info.ptr == NULL && c.pck_crl.ptr == NULL);
    arena_done(&arena);
    return 0;
}
