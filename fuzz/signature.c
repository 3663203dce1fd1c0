/* Signatures of strangers: the text form, recovery of a secp256k1 key, Ed25519. Input: the text up
 * to a line feed, then the message. What recovers verifies, and what is parsed is written back the
 * same. */
#include <assert.h>

#include "crypto/ed25519.h"
#include "crypto/k1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void recovers_consistently(const uint8_t sig[static K1_SIG_LEN], struct bytes msg)
{
    uint8_t digest[32];
    uint8_t pub[K1_PUB_LEN];
    uint8_t address[K1_ADDRESS_LEN];

    k1_text_digest(digest, msg);
    if (k1_recover(pub, sig, digest) != TACIT_OK)
        return;
    k1_address(address, pub);
    assert(k1_verify_digest(pub, sig, digest) == TACIT_OK);
    assert(k1_verify_text(address, sig, msg) == TACIT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    size_t line = bytes_find_byte(in, '\n');
    struct bytes text = bytes_slice(in, 0, line);
    struct bytes msg =
        line == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(in, line + 1, in.len);
    uint8_t sig[K1_SIG_LEN];
    char again[K1_SIG_TEXT_LEN + 1];

    if (k1_sig_parse(sig, text) == TACIT_OK) {
        k1_sig_text(again, sig);
        assert(bytes_eq_nocase(bytes_slice(bytes_of(again), K1_SIG_TEXT_LEN - 130, 130),
                               bytes_slice(text, text.len - 130, 130)));
        recovers_consistently(sig, msg);
    }
    /* A key and a signature of arbitrary octets: must end in an answer, whichever. */
    if (size >= ED25519_PUB_LEN + ED25519_SIG_LEN) {
        enum tacit_err err = ed25519_verify(data, data + ED25519_PUB_LEN, msg);

        assert(err == TACIT_OK || err == TACIT_SIGNATURE);
    }
    return 0;
}
