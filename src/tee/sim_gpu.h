/* The GPU simulator: devices with a PKI of their own, shaped like NVIDIA's, and the services around
 * them. A verifier accepts its evidence if and only if it is given this simulator's roots. Proves
 * nothing about any hardware. Every known attack is a fault that can be switched on by name, and
 * each names the verdict row that must refuse it. */
#ifndef TEE_SIM_GPU_H
#define TEE_SIM_GPU_H

#include "base/buf.h"
#include "base/err.h"

enum { SIM_GPU_SEED_LEN = 32, SIM_GPU_ID_LEN = 128 };

#define SIM_GPU_ISSUER "https://nras.sim.invalid"

struct sim_gpu;

struct sim_gpu_opts {
    uint8_t seed[SIM_GPU_SEED_LEN]; /* determines every key, certificate, report and manifest */
    unsigned count;                 /* GPUs, 1..8 */
    bool is_blackwell;              /* else Hopper; several Blackwells join in MPT mode */
    bool is_ppcie;                  /* 8 Hopper GPUs and 4 switches; count is ignored */
    int64_t now_unix_s;             /* the present, for what has dates */
};

/* TACIT_USAGE for an impossible machine; TACIT_NOMEM. The caller owns *out: sim_gpu_free, which
 * accepts NULL. One thread at a time. */
MUST_CHECK enum tacit_err sim_gpu_new(struct sim_gpu **out, const struct sim_gpu_opts *opts);
/* The machine of a simulator's state: its seed is derived from that of `sim`. */
struct sim;
MUST_CHECK enum tacit_err sim_gpu_open(struct sim_gpu **out, struct sim *sim, unsigned count,
                                       int64_t now_unix_s);
void sim_gpu_free(struct sim_gpu *g);
void sim_gpu_set_now(struct sim_gpu *g, int64_t now_unix_s);

struct sim_gpu_fault_info {
    const char *name;
    const char *does; /* one sentence without full stop */
    const char *row;  /* id of the first verdict row that refuses */
    bool needs_ppcie; /* shows on a machine of 8 GPUs and 4 switches only */
};
/* The whole list; static. */
const struct sim_gpu_fault_info *sim_gpu_faults(size_t *count);
/* What to do in all that follows; NULL: be honest. TACIT_NOT_FOUND: no such fault. */
MUST_CHECK enum tacit_err sim_gpu_set_fault(struct sim_gpu *g, const char *name);

enum sim_gpu_root { SIM_GPU_ROOT_DEVICE, SIM_GPU_ROOT_RIM, SIM_GPU_ROOT_NRAS };
/* Appends the trusted root (for NRAS: the keys' issuer) as PEM. Not touched by faults. */
MUST_CHECK enum tacit_err sim_gpu_root(struct sim_gpu *g, struct buf *pem, enum sim_gpu_root which);

/* Appends nvidia_payload (near.md 3.5) with evidence of all GPUs for this nonce. */
MUST_CHECK enum tacit_err sim_gpu_payload(struct sim_gpu *g, struct buf *json,
                                          const uint8_t nonce[static 32]);
/* Appends the switches' evidence list; "[]" where there are none. */
MUST_CHECK enum tacit_err sim_gpu_switches(struct sim_gpu *g, struct buf *json,
                                           const uint8_t nonce[static 32]);

/* Names of all manifests of this machine, at most `cap`; their number. */
size_t sim_gpu_rim_ids(const struct sim_gpu *g, char (*ids)[SIM_GPU_ID_LEN], size_t cap);
/* Appends a manifest. TACIT_NOT_FOUND for another id. */
MUST_CHECK enum tacit_err sim_gpu_rim(struct sim_gpu *g, struct buf *xml, const char *id);

/* Certificates that OCSP is asked about: of device 0 identity, provisioner and family; of the
 * driver manifest signer, L3 and CA. */
enum sim_gpu_asked {
    SIM_GPU_ASK_IDENTITY,
    SIM_GPU_ASK_PROVISIONER,
    SIM_GPU_ASK_FAMILY,
    SIM_GPU_ASK_RIM_SIGNER,
    SIM_GPU_ASK_RIM_L3,
    SIM_GPU_ASK_RIM_CA,
    SIM_GPU_ASK_COUNT,
};
/* Appends the OCSP answer, DER. nonce: of the request; empty: none. */
MUST_CHECK enum tacit_err sim_gpu_ocsp(struct sim_gpu *g, struct buf *der, enum sim_gpu_asked asked,
                                       struct bytes nonce);
/* The same for an OCSP request as a client posts it (any device, any manifest). TACIT_FORMAT. */
MUST_CHECK enum tacit_err sim_gpu_ocsp_request(struct sim_gpu *g, struct buf *der,
                                               struct bytes request);

/* Appends the service's keys and its answer about this machine's GPUs. */
MUST_CHECK enum tacit_err sim_gpu_jwks(struct sim_gpu *g, struct buf *json);
MUST_CHECK enum tacit_err sim_gpu_nras(struct sim_gpu *g, struct buf *json,
                                       const uint8_t nonce[static 32]);

/* Writes gpu-device-root.pem, gpu-rim-root.pem, gpu-nras-root.pem and gpu-rim/<id>.xml into a
 * folder, readable for all: what a verifier needs to be given. */
MUST_CHECK enum tacit_err sim_gpu_export(struct sim_gpu *g, const char *dir);

#endif
