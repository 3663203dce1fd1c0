/* Constant-time comparison, by libsodium. */
#include "crypto/ct.h"

#include <sodium/utils.h>

bool ct_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    return a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0;
}
