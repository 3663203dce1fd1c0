/* Policy files: a refused one accepts nothing and says why. */
#include <assert.h>

#include "attest/tdx_policy.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(1 << 22);
    struct tacit_tdx_policy policy;
    char why[TDX_POLICY_WHY_MAX];
    enum tacit_err err = tdx_policy_parse(&policy, why, (struct bytes){data, size}, &arena);

    if (err == TACIT_OK)
        assert(policy.tcb_accepted != 0 && why[0] == 0);
    else
        assert(policy.tcb_accepted == 0);
    assert(err != TACIT_CONFIG || why[0] != 0);
    arena_done(&arena);
    return 0;
}
