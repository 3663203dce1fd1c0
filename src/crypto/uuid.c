/* UUID texts. SHA-1 serves version 5 only, where nothing rests on its strength. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/uuid.h"

#include <openssl/sha.h>

#include "crypto/random.h"

static const uint8_t namespace_dns[16] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                          0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

static bool is_dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static void uuid_text(char out[static UUID_TEXT_LEN + 1], const uint8_t in[static 16],
                      unsigned version)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t id[16];
    size_t nibble = 0;

    memcpy(id, in, sizeof(id));
    id[6] = (uint8_t)((id[6] & 0x0f) | version << 4);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (is_dash_at(i)) {
            out[i] = '-';
            continue;
        }
        out[i] = digits[nibble % 2 == 0 ? id[nibble / 2] >> 4 : id[nibble / 2] & 15];
        nibble++;
    }
    out[UUID_TEXT_LEN] = 0;
}

void uuid4_from(char out[static UUID_TEXT_LEN + 1], const uint8_t random[static 16])
{
    uuid_text(out, random, 4);
}

enum tacit_err uuid4_make(char out[static UUID_TEXT_LEN + 1])
{
    uint8_t random[16];
    enum tacit_err err = random_fill(random, sizeof(random));

    if (err == TACIT_OK)
        uuid4_from(out, random);
    else
        out[0] = 0;
    return err;
}

void uuid5_dns(char out[static UUID_TEXT_LEN + 1], struct bytes name)
{
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA_CTX sha;

    SHA1_Init(&sha);
    SHA1_Update(&sha, namespace_dns, sizeof(namespace_dns));
    if (name.len > 0)
        SHA1_Update(&sha, name.ptr, name.len);
    SHA1_Final(digest, &sha);
    uuid_text(out, digest, 5);
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool uuid_is_text(struct bytes text)
{
    if (text.len != UUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < UUID_TEXT_LEN; i++)
        if (is_dash_at(i) ? text.ptr[i] != '-' : !is_hex(text.ptr[i]))
            return false;
    return true;
}
