/* Reference manifests (RIM): SWID tags in XML, signed by NVIDIA. Parsing takes everything that is
 * ever used out of one tree, the very nodes that the signature covers, and lets the tree go. */
#ifndef ATTEST_GPU_RIM_H
#define ATTEST_GPU_RIM_H

#include "attest/gpu_chain.h"

enum { GPU_RIM_CHAIN_LEN = 4 };

struct gpu_rim_entry {
    bool is_listed;
    bool is_active;
    size_t count;         /* alternatives, 1… */
    const uint8_t *value; /* count digests of GPU_DIGEST_LEN octets, in the arena */
};

struct gpu_rim {
    char version[GPU_VERSION_TEXT]; /* colloquialVersion: of the driver or the VBIOS */
    char product[GPU_VERSION_TEXT]; /* "GH100" */
    size_t active_count;
    struct gpu_rim_entry entries[GPU_BLOCKS_GPU]; /* by RIM index */
    struct x509_cert certs[GPU_RIM_CHAIN_LEN];    /* signer first */
    bool is_signed;                               /* has a Signature; always, unless partial */
    uint8_t stated_digest[GPU_DIGEST_LEN];        /* DigestValue */
    uint8_t digest[GPU_DIGEST_LEN];      /* of the canonical document without its signature */
    uint8_t info_digest[GPU_DIGEST_LEN]; /* of the canonical SignedInfo */
    uint8_t signature[GPU_SIGNATURE_LEN];
};

/* Read a manifest. Verifies no signature. Never resolves entities, DTDs or addresses: a document
 * with a DOCTYPE is refused before any XML code sees it.
 *
 * out       zeroed on failure
 * why       static sentence on failure, NULL on success
 * xml       untrusted, at most LIMIT_RIM_BYTES
 * is_partial  accept a document without Meta or Signature (for looking at, never for trusting)
 * arena     holds digests and certificates; must outlive `out`
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT; TACIT_NOMEM.
 * Memory    libxml2 allocates while it runs, in proportion to the document.
 * Threads   any. Spec gpu.md 3.1, 3.2 */
MUST_CHECK enum tacit_err gpu_rim_parse(struct gpu_rim *out, const char **why, struct bytes xml,
                                        bool is_partial, struct arena *arena);

/* The outcome of verifying one manifest; sentences are static, NULL where the check holds. */
struct gpu_rim_state {
    const char *signature_fault;
    const char *chain_fault;
    const char *validity_fault;
    enum tacit_row_cause signature_cause, chain_cause;
    int64_t expires_unix_s;
};

/* Verify digest, signature, chain and dates of a parsed manifest.
 *
 * expired_days  how long the certificates may have been expired (policy), usually 0 */
void gpu_rim_verify(struct gpu_rim_state *out, const struct gpu_rim *rim,
                    const struct gpu_root *root, int64_t now_unix_s, uint32_t expired_days,
                    struct gpu_links *links);

#endif
