/* Keccak-256 with the original padding, as Ethereum uses it. This is not SHA3-256: the padding
 * differs, so every digest differs. */
#ifndef CRYPTO_KECCAK_H
#define CRYPTO_KECCAK_H

#include "base/bytes.h"

enum { KECCAK256_LEN = 32, KECCAK256_RATE = 136 };

struct keccak256 {
    uint64_t lanes[25];
    uint8_t block[KECCAK256_RATE];
    size_t fill; /* octets waiting in block, always below the rate */
};

/* Digest of `in`.
 *
 * Memory    allocates nothing. Threads: pure, any thread. Cannot fail. */
void keccak256(uint8_t out[static KECCAK256_LEN], struct bytes in);

/* In pieces: init, add any number of times, final once. final erases the context. */
void keccak256_init(struct keccak256 *k);
void keccak256_add(struct keccak256 *k, struct bytes in);
void keccak256_final(struct keccak256 *k, uint8_t out[static KECCAK256_LEN]);

#endif
