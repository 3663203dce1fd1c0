/* SHA-2 by OpenSSL's block functions. The EVP interface would fetch an algorithm and allocate a
 * context for every digest, and could fail at either; the functions used here cannot, which is why
 * their deprecation is set aside. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha2.h"

#include <openssl/sha.h>

_Static_assert(sizeof(struct sha256) >= sizeof(SHA256_CTX), "opaque sha256 is too small");
_Static_assert(sizeof(struct sha512) >= sizeof(SHA512_CTX), "opaque sha512 is too small");

static SHA256_CTX *ctx256(struct sha256 *s)
{
    return (void *)s;
}

static SHA512_CTX *ctx512(struct sha512 *s)
{
    return (void *)s;
}

void sha256_init(struct sha256 *s)
{
    SHA256_Init(ctx256(s));
}

void sha256_add(struct sha256 *s, struct bytes in)
{
    if (in.len > 0)
        SHA256_Update(ctx256(s), in.ptr, in.len);
}

void sha256_final(struct sha256 *s, uint8_t out[static SHA256_LEN])
{
    SHA256_Final(out, ctx256(s));
    explicit_bzero(s, sizeof(*s));
}

void sha384_init(struct sha512 *s)
{
    SHA384_Init(ctx512(s));
}

void sha384_add(struct sha512 *s, struct bytes in)
{
    if (in.len > 0)
        SHA384_Update(ctx512(s), in.ptr, in.len);
}

void sha384_final(struct sha512 *s, uint8_t out[static SHA384_LEN])
{
    SHA384_Final(out, ctx512(s));
    explicit_bzero(s, sizeof(*s));
}

void sha512_init(struct sha512 *s)
{
    SHA512_Init(ctx512(s));
}

void sha512_add(struct sha512 *s, struct bytes in)
{
    if (in.len > 0)
        SHA512_Update(ctx512(s), in.ptr, in.len);
}

void sha512_final(struct sha512 *s, uint8_t out[static SHA512_LEN])
{
    SHA512_Final(out, ctx512(s));
    explicit_bzero(s, sizeof(*s));
}

void sha256(uint8_t out[static SHA256_LEN], struct bytes in)
{
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, in);
    sha256_final(&s, out);
}

void sha384(uint8_t out[static SHA384_LEN], struct bytes in)
{
    struct sha512 s;

    sha384_init(&s);
    sha384_add(&s, in);
    sha384_final(&s, out);
}

void sha512(uint8_t out[static SHA512_LEN], struct bytes in)
{
    struct sha512 s;

    sha512_init(&s);
    sha512_add(&s, in);
    sha512_final(&s, out);
}
