/* Randomness of the operating system, for programs. Protocol code takes random bytes as arguments
 * and does not call these. */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "base/bytes.h"
#include "base/err.h"

/* Fills `out` from getrandom(2), waiting for the kernel's pool if need be.
 *
 * Returns   TACIT_OK, or TACIT_IO with `out` zeroed (a kernel without getrandom).
 * Threads   any. */
MUST_CHECK enum tacit_err random_fill(uint8_t *out, size_t len);

#endif
