/* Comparison of secrets: takes the same time wherever the difference is. */
#ifndef CRYPTO_CT_H
#define CRYPTO_CT_H

#include "base/bytes.h"

/* Whether both views hold the same octets. Lengths are not secret: different ones end early.
 *
 * Memory    allocates nothing. Threads: pure, any thread. */
MUST_CHECK bool ct_equal(struct bytes a, struct bytes b);

#endif
