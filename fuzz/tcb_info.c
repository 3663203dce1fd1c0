/* TCB info: accepted documents have levels in strictly descending order, each complete. */
#include <assert.h>

#include "attest/tcb_info.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int order(const struct tcb_level *a, const struct tcb_level *b)
{
    int c = memcmp(a->sgx, b->sgx, sizeof(a->sgx));

    if (c == 0)
        c = a->pcesvn - b->pcesvn;
    return c != 0 ? c : memcmp(a->tdx, b->tdx, sizeof(a->tdx));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(LIMIT_DCAP_BASE_BYTES);
    struct tcb_info info;

    if (tcb_info_parse(&info, (struct bytes){data, size}, &arena) == TACIT_OK) {
        assert(info.level_count > 0 && info.level_count <= LIMIT_TCB_LEVELS);
        for (size_t i = 0; i < info.level_count; i++) {
            assert(info.levels[i].verdict.status != TACIT_TCB_NONE);
            assert(i == 0 || order(&info.levels[i - 1], &info.levels[i]) > 0);
        }
    } else {
        assert(info.levels == NULL && info.level_count == 0);
    }
    arena_done(&arena);
    return 0;
}
