/* What the files of the GPU simulator share. Certificates are made when first needed and forgotten
 * when the fault changes. */
#ifndef TEE_SIM_GPU_PRIV_H
#define TEE_SIM_GPU_PRIV_H

#include <tacit/gpu.h>

#include "crypto/cert_make.h"
#include "crypto/sha2.h"
#include "tee/sim_gpu.h"
#include "tee/sim_gpu_fault_list.h"

enum sim_gpu_fault {
    SIM_GPU_HONEST = 0,
#define SIM_GPU_FAULT_ENUM(symbol, name, row, machine, does) SIM_GPU_##symbol,
    SIM_GPU_FAULTS(SIM_GPU_FAULT_ENUM)
#undef SIM_GPU_FAULT_ENUM
};

/* Authorities of P-384; of the manifests' chain, one for each chip. */
enum sim_gpu_ca {
    SIM_CA_ROOT,
    SIM_CA_ID_GH,
    SIM_CA_ID_GB,
    SIM_CA_ICA_GH,
    SIM_CA_ICA_GB,
    SIM_CA_ICA_LS,
    SIM_CA_RIM_ROOT,
    SIM_CA_RIM_GH,
    SIM_CA_RIM_L3_GH,
    SIM_CA_RIM_L4_GH,
    SIM_CA_RIM_GB,
    SIM_CA_RIM_L3_GB,
    SIM_CA_RIM_L4_GB,
    SIM_CA_RIM_LS,
    SIM_CA_RIM_L3_LS,
    SIM_CA_RIM_L4_LS,
    SIM_CA_COUNT,
    SIM_CA_NONE = SIM_CA_COUNT,
};

enum {
    SIM_GPU_GPUS = 8,
    SIM_GPU_SWITCHES = 4,
    SIM_GPU_DEVICES = SIM_GPU_GPUS + SIM_GPU_SWITCHES,
    SIM_GPU_SERIAL_MAX = 20,
    SIM_GPU_DIGEST = 48,
    SIM_GPU_CERT_MAX = 4096,
};

struct sim_gpu_entity {
    struct signkey *key;
    struct buf spki, name, cert; /* DER */
    uint8_t key_id[CERT_KEY_ID_LEN];
    uint8_t serial[SIM_GPU_SERIAL_MAX];
    size_t serial_len;
    bool is_made;
};

struct sim_gpu_device {
    struct sim_gpu_entity identity, leaf;
    enum tacit_gpu_arch arch;
    unsigned index; /* among its kind */
    uint8_t pdi[8];
};

struct sim_gpu {
    uint8_t seed[SIM_GPU_SEED_LEN];
    enum sim_gpu_fault fault;
    int64_t now_unix_s;
    enum tacit_gpu_arch arch;
    enum tacit_gpu_mode mode;
    unsigned gpu_count, switch_count;
    struct sim_gpu_entity cas[SIM_CA_COUNT];
    struct sim_gpu_device devices[SIM_GPU_DEVICES]; /* GPUs, then switches */
};

/* Octets that the seed determines, by label; at most 8160. */
void sim_gpu_derive(const struct sim_gpu *g, uint8_t *out, size_t len, const char *label);
/* The label with the fault's mark: an attacker's key instead of the genuine one. */
#define SIM_GPU_ROGUE "rogue "

void sim_gpu_entity_done(struct sim_gpu_entity *e);
/* The authority, made with its issuers when first asked for. */
MUST_CHECK enum tacit_err sim_gpu_ca_get(struct sim_gpu *g, const struct sim_gpu_entity **out,
                                         enum sim_gpu_ca which);
enum sim_gpu_ca sim_gpu_ca_issuer(enum sim_gpu_ca which);
/* The authority that certifies a device's identity, and the manifest signer of its chip. */
enum sim_gpu_ca sim_gpu_device_ca(enum tacit_gpu_arch arch);
enum sim_gpu_ca sim_gpu_rim_signer(enum tacit_gpu_arch arch);
/* Makes a device's two certificates if they are not there yet. */
MUST_CHECK enum tacit_err sim_gpu_device_make(struct sim_gpu *g, struct sim_gpu_device *d);
/* The device's firmware id. */
void sim_gpu_fwid(const struct sim_gpu *g, uint8_t out[static SIM_GPU_DIGEST]);
/* Appends the device's PEM chain under the fault. */
MUST_CHECK enum tacit_err sim_gpu_chain(struct sim_gpu *g, struct buf *pem,
                                        struct sim_gpu_device *d);
/* Appends a certificate's PEM. */
void sim_gpu_pem(struct buf *pem, const struct sim_gpu_entity *e);

/* A name with the usual attributes; serial NULL: none. */
void sim_gpu_name(struct buf *der, const char *cn, const char *serial);

/* Appends the PEM of the issuer of the attestation service's keys. */
MUST_CHECK enum tacit_err sim_gpu_nras_root(struct sim_gpu *g, struct buf *pem);

/* Versions and measurements, which reports and manifests have in common. */
const char *sim_gpu_chip(enum tacit_gpu_arch arch);
const char *sim_gpu_driver(void);
const char *sim_gpu_vbios(enum tacit_gpu_arch arch);
bool sim_gpu_is_active(enum tacit_gpu_arch arch, bool is_driver, unsigned index);
void sim_gpu_golden(const struct sim_gpu *g, uint8_t out[static SIM_GPU_DIGEST],
                    enum tacit_gpu_arch arch, bool is_driver, unsigned index);

/* Appends the report of a device. */
MUST_CHECK enum tacit_err sim_gpu_report(struct sim_gpu *g, struct buf *out,
                                         struct sim_gpu_device *d, const uint8_t nonce[static 32]);

#endif
