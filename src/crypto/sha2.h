/* SHA-256, SHA-384 and SHA-512, at once or in pieces. Contexts live in the caller's memory and
 * may be copied by assignment, so that a running hash can be finished twice. Nothing here fails,
 * allocates or touches global state. */
#ifndef CRYPTO_SHA2_H
#define CRYPTO_SHA2_H

#include "base/bytes.h"

enum { SHA256_LEN = 32, SHA384_LEN = 48, SHA512_LEN = 64 }; /* octets of a digest */

struct sha256 {
    uint64_t opaque[14];
};

/* Shared by SHA-384 and SHA-512: sha384_init or sha512_init decides. */
struct sha512 {
    uint64_t opaque[27];
};

/* Digest of `in`.
 *
 * out       all octets of the digest
 * Memory    allocates nothing. Threads: pure, any thread. The same holds for all calls below. */
void sha256(uint8_t out[static SHA256_LEN], struct bytes in);
void sha384(uint8_t out[static SHA384_LEN], struct bytes in);
void sha512(uint8_t out[static SHA512_LEN], struct bytes in);

/* In pieces: init, add any number of times, final once. final erases the context; to look at an
 * intermediate digest, finish a copy. A context belongs to one thread at a time. */
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, struct bytes in);
void sha256_final(struct sha256 *s, uint8_t out[static SHA256_LEN]);
void sha384_init(struct sha512 *s);
void sha384_add(struct sha512 *s, struct bytes in);
void sha384_final(struct sha512 *s, uint8_t out[static SHA384_LEN]);
void sha512_init(struct sha512 *s);
void sha512_add(struct sha512 *s, struct bytes in);
void sha512_final(struct sha512 *s, uint8_t out[static SHA512_LEN]);

#endif
