/* What ties GPU evidence to a CPU's quote. Providers differ; each form is recomputed and gives a
 * typed level, so that policy can ask for one. None proves a hardware link: an attacker who holds a
 * CPU attestation key can satisfy all of them. */
#ifndef ATTEST_GPU_BINDING_H
#define ATTEST_GPU_BINDING_H

#include "attest/gpu_evidence.h"
#include "attest/verdict.h"

enum {
    GPU_BINDING_NONCE_LEN = 32,
    GPU_BINDING_HASH_LEN = 32,
    GPU_BINDING_REPORT_DATA_LEN = 64,
};

/* Our scheme. N: client nonce; K: hash of the keys that protect the session; all 32 octets.
 * GPU nonce  G = SHA-256("gpu-nonce-v1" || N || K)
 * evidence   E = SHA-256 over: count, then of each device kind, lengths and octets, in list order
 * CPU        report data = SHA-512("cpu-rd-v1" || N || K || E)
 * Pure, no memory. Spec gpu.md 6.3 */
void gpu_binding_nonce(uint8_t out[static GPU_BINDING_NONCE_LEN], const uint8_t nonce[static 32],
                       const uint8_t key_hash[static 32]);
void gpu_binding_evidence_hash(uint8_t out[static GPU_BINDING_HASH_LEN],
                               const struct tacit_gpu_item *items, size_t count);
void gpu_binding_report_data(uint8_t out[static GPU_BINDING_REPORT_DATA_LEN],
                             const uint8_t nonce[static 32], const uint8_t key_hash[static 32],
                             const uint8_t evidence_hash[static 32]);

/* The level that our scheme reaches: NONE, NONCE, DERIVED_NONCE, EVIDENCE_HASH or BOTH, from report
 * data of a verified quote and items whose signatures are verified elsewhere. */
enum tacit_gpu_binding gpu_binding_level(const uint8_t report_data[static 64],
                                         const uint8_t nonce[static 32],
                                         const uint8_t key_hash[static 32],
                                         const struct tacit_gpu_item *items, size_t count);

/* Forms of other providers' documents. The caller says which; a document cannot choose. */
enum gpu_binding_form {
    GPU_BINDING_FORM_NEAR,    /* same raw nonce in both: freshness only */
    GPU_BINDING_FORM_CHUTES,  /* GPU nonce commits to nonce and session key */
    GPU_BINDING_FORM_TINFOIL, /* report data commits to the evidence's exact bytes */
};

/* Recompute a document's link between report data and GPU evidence. Verifies neither the quote nor
 * the reports.
 *
 * out       the level reached, NONE on failure
 * json      the provider's document, untrusted
 * nonce     the client's own
 *
 * Returns   NULL if the link holds, else a static sentence. Threads pure. Spec gpu.md 6.1 */
const char *gpu_binding_document(enum tacit_gpu_binding *out, enum gpu_binding_form form,
                                 struct bytes json, const uint8_t nonce[static 32],
                                 struct arena *arena);

/* Row gpu.binding: passes if the level is at least what policy demands; where it demands nothing, a
 * note that names the level. Returns true unless it refuses. */
bool gpu_binding_row(const struct row_scope *s, enum tacit_gpu_binding level,
                     enum tacit_gpu_binding required);

#endif
