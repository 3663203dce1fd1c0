/* GPU reports: what is accepted lies inside the input without a gap, and every field is bounded. */
#include <assert.h>

#include "attest/gpu_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t pdis[GPU_PORTS][GPU_PDI_LEN];
    struct gpu_report r;
    const char *why;

    if (gpu_report_parse(&r, &why, (struct bytes){data, size}, true) != TACIT_OK) {
        assert(why != NULL && r.signed_part.ptr == NULL && r.tlv_count == 0);
        return 0;
    }
    assert(why == NULL && r.signed_part.len + GPU_SIGNATURE_LEN + r.trailing == size);
    assert(r.nonce.len == GPU_NONCE_LEN && r.signature.len == GPU_SIGNATURE_LEN);
    assert(r.trailing <= GPU_TRAILING_MAX && r.tlv_count <= LIMIT_GPU_TLVS);
    for (size_t i = 0; i < r.value_count; i++)
        assert(r.values[i].len == GPU_DIGEST_LEN);
    assert(gpu_report_port_pdis(&r, pdis) <= GPU_PORTS);
    return 0;
}
