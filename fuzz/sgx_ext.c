/* The SGX extension: reads within bounds, and gives nothing when it refuses. */
#include <assert.h>

#include "attest/sgx_ext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sgx_ext nothing;
    struct sgx_ext e;

    if (sgx_ext_parse(&e, (struct bytes){data, size}) == TACIT_OK)
        assert(e.sgx_type <= 2);
    else
        assert(e.pcesvn == nothing.pcesvn && e.sgx_type == 0 && !e.is_complete);
    return 0;
}
