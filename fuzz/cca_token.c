/* Arm CCA tokens and the CBOR below them: parsing stays within bounds, and without an endorsement
 * no token is trusted. */
#include <assert.h>
#include <stdlib.h>

#include <tacit/cca.h>

#include "codec/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct tacit_cca_input input = {.token = in};
    struct cbor c = cbor_over(in);
    struct tacit_cca_token token;
    struct bytes value;

    assert(cbor_skip(&c).len <= size);
    if (cbor_map_get(&value, in, 1))
        assert(value.len < size);
    if (tacit_cca_parse(&token, in) == TACIT_OK)
        assert(token.realm_challenge.len == 64 && token.instance_id.len == 33);
    if (v != NULL && tacit_cca_verify(v, &token, &input) == TACIT_OK)
        assert(!tacit_verdict_is_trusted(v) && token.rim.ptr == NULL);
    free(v);
    return 0;
}
