/* SEV-SNP for code inside the project: the public header plus the leaf certificate's extensions. */
#ifndef ATTEST_SNP_H
#define ATTEST_SNP_H

#include <tacit/snp.h>

#include "base/attr.h"
#include "crypto/x509.h"

/* What AMD writes into a VCEK or VLEK certificate (OIDs under 1.3.6.1.4.1.3704.1). */
struct snp_cert_ext {
    enum tacit_snp_product product; /* of the product name */
    struct tacit_snp_tcb tcb;
    bool has_fmc;
    struct bytes hwid; /* raw: 64 octets, Turin 8; empty if absent */
    bool has_csp_id;   /* VLEK */
};

/* Read the extensions, each a strict INTEGER in 0..255, IA5String or raw octets.
 *
 * Returns   TACIT_OK; TACIT_FORMAT if one is missing or malformed. Pure; `out` borrows. Spec 6.2 */
MUST_CHECK enum tacit_err snp_cert_ext_read(struct snp_cert_ext *out, const struct x509_cert *leaf,
                                            enum tacit_snp_key kind);

/* Product by the name in a certificate: "Milan-B0", "SEV-Milan", "SEV-VLEK-Genoa", "ARK-Turin". */
enum tacit_snp_product snp_product_of_name(struct bytes name);
/* Product by CPUID family and model (combined values, as in reports of version 3). */
enum tacit_snp_product snp_product_of_cpuid(uint8_t family, uint8_t model);

#endif
