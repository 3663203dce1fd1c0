/* Signature replies and signed texts: never a pass on anything but a real signature, and what is
 * read writes the same again. */
#include <assert.h>

#include "receipt/near_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct near_expected expected = {.request = BYTES_LIT("x"), .response = BYTES_LIT("y")};
    enum near_check_result rows[NEAR_CHECK_ROWS];
    struct near_signature sig;
    struct near_text text;

    if (near_text_parse(&text, (struct bytes){data, size}) == TACIT_OK) {
        char again[NEAR_TEXT_MAX + 1];

        assert(near_text_make(again, text.model, text.request_sha256, text.response_sha256) ==
               TACIT_OK);
        assert(bytes_eq_nocase(bytes_of(again), (struct bytes){data, size}));
    }
    if (size > 65536 || near_signature_read(&sig, (struct bytes){data, size}) != TACIT_OK)
        return 0;
    assert(!near_signature_check(rows, &sig, &expected)); /* no address was expected */
    {
        struct buf json = buf_make(1 << 20);
        struct near_signature again;

        near_signature_put(&json, &sig);
        assert(near_signature_read(&again, buf_bytes(&json)) == TACIT_OK);
        assert(again.algo == sig.algo && bytes_eq(again.text, sig.text) &&
               bytes_eq(again.signature, sig.signature) && bytes_eq(again.address, sig.address));
        buf_done(&json);
    }
    return 0;
}
