/* SEV-SNP reports and leaf certificates: parsing stays within bounds, and no made-up report is
 * genuine. The input is 1184 octets of report, then a leaf certificate. */
#include <assert.h>
#include <stdlib.h>

#include "attest/snp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void leaf_read(struct bytes der)
{
    struct x509_cert leaf;
    struct snp_cert_ext ext;

    if (x509_parse(&leaf, der) != TACIT_OK)
        return;
    if (snp_cert_ext_read(&ext, &leaf, TACIT_SNP_VCEK) == TACIT_OK)
        assert(ext.product != TACIT_SNP_UNKNOWN);
    if (snp_cert_ext_read(&ext, &leaf, TACIT_SNP_VLEK) == TACIT_OK)
        assert(ext.has_csp_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_make(data, size);
    struct tacit_snp_input input = {.report = bytes_slice(in, 0, TACIT_SNP_REPORT_LEN),
                                    .leaf_der = bytes_slice(in, TACIT_SNP_REPORT_LEN, SIZE_MAX),
                                    .chain_pem = bytes_slice(in, TACIT_SNP_REPORT_LEN, SIZE_MAX)};
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct tacit_snp_report report;
    struct tacit_snp_result found;

    if (tacit_snp_parse(&report, input.report) == TACIT_OK)
        assert(report.signed_part.len == 672);
    leaf_read(input.leaf_der);
    if (v != NULL && tacit_snp_verify(v, &found, &input) == TACIT_OK)
        assert(!found.is_genuine);
    free(v);
    return 0;
}
