/* Base64 and hex: what is accepted encodes to the same text again. */
#include <assert.h>

#include "codec/base64.h"
#include "codec/hex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void both_ways(struct bytes in, enum base64_kind kind)
{
    struct buf octets = buf_make(1 << 20);
    struct buf text = buf_make(1 << 21);

    if (base64_decode(&octets, in, kind) == TACIT_OK) {
        base64_encode(&text, buf_bytes(&octets), kind);
        assert(bytes_eq(buf_bytes(&text), in));
    }
    buf_done(&octets);
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct buf octets = buf_make(1 << 20);
    struct buf text = buf_make(1 << 21);

    both_ways(in, BASE64_STD);
    both_ways(in, BASE64_URL);
    if (hex_decode(&octets, in) == TACIT_OK) {
        buf_hex(&text, buf_bytes(&octets));
        assert(bytes_eq_nocase(buf_bytes(&text), in));
    }
    buf_reset(&octets);
    if (base64_decode_spaced(&octets, in) != TACIT_OK)
        assert(octets.len == 0);
    buf_done(&octets);
    buf_done(&text);
    return 0;
}
