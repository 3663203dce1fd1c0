/* QE identity: accepted documents have levels in strictly descending order. */
#include <assert.h>

#include "attest/qe_identity.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(LIMIT_DCAP_BASE_BYTES);
    struct qe_identity id;

    if (qe_identity_parse(&id, (struct bytes){data, size}, &arena) == TACIT_OK) {
        assert(id.levels.count > 0 && id.levels.count <= LIMIT_ISV_LEVELS);
        for (size_t i = 1; i < id.levels.count; i++)
            assert(id.levels.items[i - 1].isvsvn > id.levels.items[i].isvsvn);
    } else {
        assert(id.levels.items == NULL);
    }
    arena_done(&arena);
    return 0;
}
