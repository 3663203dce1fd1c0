/* NVIDIA certificate chains: the device chain of five that a report is signed under, and what the
 * chains of reference manifests have in common with it. The root is pinned by the hash of its whole
 * certificate, the order is the presented one, the clock is an argument. */
#ifndef ATTEST_GPU_CHAIN_H
#define ATTEST_GPU_CHAIN_H

#include "attest/gpu_report.h"
#include "attest/verdict.h"
#include "crypto/x509.h"

enum {
    GPU_CHAIN_LEN = 5, /* leaf, identity, provisioner, family, root */
    GPU_LINKS_MAX = 64,
};

/* A root of trust: NVIDIA's, unless the caller names another. */
struct gpu_root {
    uint8_t sha256[32]; /* of the whole certificate */
    const char *authority;
    bool is_simulated;
};

/* Takes PEM or DER of one certificate; len 0 gives NVIDIA's device identity root or, for
 * manifests, its CoRIM signing root. TACIT_USAGE if the bytes are no certificate. */
MUST_CHECK enum tacit_err gpu_root_set(struct gpu_root *out, struct bytes given, bool is_rim);

/* Signatures between certificates that were verified before in this run: the upper part of the
 * chain is the same for all devices of a machine. */
struct gpu_links {
    struct pubkey *like; /* the first P-384 key made: others share its curve, which is faster */
    size_t count;
    uint8_t pair[GPU_LINKS_MAX][2][32]; /* SHA-256 of issued and issuing certificate */
};

/* Releases what a zeroed structure has come to hold. */
void gpu_links_done(struct gpu_links *links);
/* The certificate's key; TACIT_UNSUPPORTED unless it is on P-384. The caller frees *out. */
MUST_CHECK enum tacit_err gpu_key_get(struct pubkey **out, const struct x509_cert *cert,
                                      struct gpu_links *links);

struct gpu_chain {
    struct x509_cert certs[GPU_CHAIN_LEN]; /* leaf first */
    struct bytes fwid;                     /* of the leaf: 48 octets, or empty if it has none */
    const char *fwid_fault;                /* why the leaf's firmware id cannot be used, or NULL */
    uint8_t pdi[GPU_PDI_LEN];              /* low octets of the identity certificate's serial */
    bool has_pdi;
    enum tacit_gpu_arch arch; /* by the names of leaf and identity; UNKNOWN if they differ */
    int64_t expires_unix_s;   /* earliest end of validity */
};

/* Read a PEM chain of exactly five certificates and the firmware id in the leaf. Verifies nothing.
 *
 * out       zeroed on failure
 * why       static sentence on failure, NULL on success
 * arena     holds the DER; must outlive `out`
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT; TACIT_NOMEM. Threads pure.
 * Spec      gpu.md 2.1, 2.3 */
MUST_CHECK enum tacit_err gpu_chain_parse(struct gpu_chain *out, const char **why, struct bytes pem,
                                          struct arena *arena);

/* Adds the rows gpu.chain.trust, gpu.chain.validity, gpu.chain.usage, gpu.chain.chip, and
 * gpu.chain.fwid if the leaf's firmware id is malformed. Returns true if all passed. */
bool gpu_chain_rows(const struct row_scope *s, const struct gpu_chain *chain,
                    const struct gpu_root *root, int64_t now_unix_s, struct gpu_links *links);

/* Adds gpu.chain.fwid: the firmware id in report and leaf agree. Only for chains without
 * fwid_fault. */
bool gpu_fwid_row(const struct row_scope *s, const struct gpu_chain *chain,
                  const struct gpu_report *report, bool is_required);

/* Verify a path: certs[count-1] is the root by its hash, each issues the one before it, by name,
 * right and ECDSA P-384/SHA-384 signature.
 *
 * cause     why it failed, in the terms of a row
 * Returns   NULL if it holds, else a static sentence. */
const char *gpu_path_verify(enum tacit_row_cause *cause, const struct x509_cert *certs,
                            size_t count, const struct gpu_root *root, struct gpu_links *links);
/* Whether the end certificate may sign data but no certificates, with a P-384 key. NULL or a
 * sentence. */
const char *gpu_signer_check(const struct x509_cert *leaf);

/* Decimal text of a serial number, as claims write it. "" if it does not fit. */
void gpu_serial_decimal(char out[static TACIT_GPU_TEXT_MAX], struct bytes serial);

#endif
