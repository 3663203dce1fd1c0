/* What the files of gpu_refs share: the three sorts of documents that are kept, and asking NVIDIA's
 * services for them. */
#ifndef NET_GPU_REFS_PRIV_H
#define NET_GPU_REFS_PRIV_H

#include "attest/gpu_ocsp.h"
#include "net/fetch.h"
#include "net/gpu_refs.h"

struct gpu_refs {
    struct keep *keep;
    char *rim_url, *ocsp_url, *nras_url, *nras_issuer, *proxy;
    struct buf nras_root;
    struct gpu_root device_root, rim_root;
    uint32_t rim_expired_days;
    uint64_t deadline_ms;
    bool is_offline;
    int64_t (*now_unix_s)(void);
    struct keep_kind rim, ocsp, jwks; /* ctx: this */
};

/* Fills the kinds. Subjects: of a manifest its id; of an OCSP answer the certificate and its
 * issuer, both DER, one behind the other; of the keys nothing. */
void gpu_ref_kinds_make(struct gpu_refs *refs);

/* One request to a service.
 *
 * name      of the document, for sentences
 * reply     TACIT_OK: status 200, body within its limit; fetch_reply_done in every case
 * Returns   as keep_kind.fetch */
MUST_CHECK enum tacit_err gpu_ref_fetch(const struct gpu_refs *refs, struct fetch_reply *reply,
                                        const struct fetch_request *req, const char *name,
                                        uint64_t *retry_after_s, char *why);

/* The manifest inside a reply of the RIM service, if the reply is about `id` and whole. Trusts and
 * verifies nothing else. TACIT_OK, TACIT_FORMAT, TACIT_MISMATCH, TACIT_LIMIT, TACIT_NOMEM. */
MUST_CHECK enum tacit_err gpu_ref_rim_unwrap(struct buf *xml, char *why, struct bytes json,
                                             struct bytes id);

/* A sentence "NAME: WHAT"; returns err. */
enum tacit_err gpu_ref_explain(char *why, enum tacit_err err, const char *name, const char *what);

/* NRAS: posts the evidence and fetches the keys. Into out->nras, or the error and *why. */
MUST_CHECK enum tacit_err gpu_ref_nras(struct gpu_refs *refs, struct gpu_refs_set *out,
                                       struct bytes evidence, uint64_t deadline_mono_ms, char *why);

#endif
