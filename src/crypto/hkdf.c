/* HMAC and HKDF over our own SHA-2 contexts. Everything that holds key material is erased. */
#include "crypto/hkdf.h"

enum { BLOCK256 = 64, BLOCK384 = 128, INNER_PAD = 0x36, OUTER_PAD = 0x5c };

struct hmac256 {
    struct sha256 inner;
    uint8_t pad[BLOCK256]; /* the key, zero-padded, xor OUTER_PAD */
};

static void pad_xor(uint8_t *pad, size_t len, uint8_t with)
{
    for (size_t i = 0; i < len; i++)
        pad[i] = (uint8_t)(pad[i] ^ with);
}

static void hmac256_init(struct hmac256 *h, struct bytes key)
{
    memset(h->pad, 0, sizeof(h->pad));
    if (key.len > BLOCK256)
        sha256(h->pad, key);
    else if (key.len > 0)
        memcpy(h->pad, key.ptr, key.len);
    pad_xor(h->pad, BLOCK256, INNER_PAD);
    sha256_init(&h->inner);
    sha256_add(&h->inner, BYTES_ARRAY(h->pad));
    pad_xor(h->pad, BLOCK256, INNER_PAD ^ OUTER_PAD);
}

static void hmac256_final(struct hmac256 *h, uint8_t out[static SHA256_LEN])
{
    struct sha256 outer;

    sha256_final(&h->inner, out);
    sha256_init(&outer);
    sha256_add(&outer, BYTES_ARRAY(h->pad));
    sha256_add(&outer, bytes_make(out, SHA256_LEN));
    sha256_final(&outer, out);
    explicit_bzero(h, sizeof(*h));
}

void hmac_sha256(uint8_t out[static SHA256_LEN], struct bytes key, struct bytes msg)
{
    struct hmac256 h;

    hmac256_init(&h, key);
    sha256_add(&h.inner, msg);
    hmac256_final(&h, out);
}

void hmac_sha384(uint8_t out[static SHA384_LEN], struct bytes key, struct bytes msg)
{
    uint8_t pad[BLOCK384] = {0};
    uint8_t inner[SHA384_LEN];
    struct sha512 s;

    if (key.len > BLOCK384)
        sha384(pad, key);
    else if (key.len > 0)
        memcpy(pad, key.ptr, key.len);
    pad_xor(pad, BLOCK384, INNER_PAD);
    sha384_init(&s);
    sha384_add(&s, BYTES_ARRAY(pad));
    sha384_add(&s, msg);
    sha384_final(&s, inner);
    pad_xor(pad, BLOCK384, INNER_PAD ^ OUTER_PAD);
    sha384_init(&s);
    sha384_add(&s, BYTES_ARRAY(pad));
    sha384_add(&s, BYTES_ARRAY(inner));
    sha384_final(&s, out);
    explicit_bzero(pad, sizeof(pad));
}

enum tacit_err hkdf_sha256(uint8_t *out, size_t out_len, struct bytes ikm, struct bytes salt,
                           struct bytes info)
{
    uint8_t prk[SHA256_LEN];
    uint8_t block[SHA256_LEN];
    size_t done = 0;
    uint8_t counter = 0;

    if (out_len > (size_t)255 * SHA256_LEN)
        return TACIT_LIMIT;
    hmac_sha256(prk, salt, ikm);
    while (done < out_len) {
        size_t take = out_len - done < SHA256_LEN ? out_len - done : SHA256_LEN;
        struct hmac256 h;

        hmac256_init(&h, BYTES_ARRAY(prk));
        if (counter > 0)
            sha256_add(&h.inner, BYTES_ARRAY(block));
        counter++;
        sha256_add(&h.inner, info);
        sha256_add(&h.inner, bytes_make(&counter, 1));
        hmac256_final(&h, block);
        memcpy(out + done, block, take);
        done += take;
    }
    explicit_bzero(prk, sizeof(prk));
    explicit_bzero(block, sizeof(block));
    return TACIT_OK;
}
