/* The report of an NVIDIA GPU or NVSwitch: an SPDM 1.1 GET_MEASUREMENTS request and its
 * MEASUREMENTS response, one behind the other. Parsing is strict and forward: every length is
 * checked where it is read, the signature is found where the parse ends, and nothing may follow it.
 */
#ifndef ATTEST_GPU_REPORT_H
#define ATTEST_GPU_REPORT_H

#include <tacit/gpu.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"

enum {
    GPU_NONCE_LEN = 32,
    GPU_DIGEST_LEN = 48,    /* SHA-384 */
    GPU_SIGNATURE_LEN = 96, /* r||s of P-384 */
    GPU_PDI_LEN = 8,        /* identity of a device on NVLink */
    GPU_BLOCKS_GPU = 64,    /* measurements of a GPU */
    GPU_BLOCKS_SWITCH = 31, /* measurements of an LS10 NVSwitch */
    GPU_PORTS = 18,         /* NVLink ports of a GPU */
    GPU_SWITCH_PEERS = 8,   /* GPUs that a switch names */
    GPU_VERSION_TEXT = 40,  /* room for a version as text, with its NUL */
    GPU_TRAILING_MAX = 3,   /* zero bytes tolerated behind the signature, when tolerated at all */
};

/* Types of the opaque data's TLVs that are judged; others are kept and reported. */
enum gpu_tlv_type {
    GPU_TLV_DRIVER_VERSION = 3,
    GPU_TLV_GPU_INFO = 4,
    GPU_TLV_VBIOS_VERSION = 6,
    GPU_TLV_NVDEC0_STATUS = 11,
    GPU_TLV_MSRSCNT = 12,
    GPU_TLV_CPRINFO = 13,
    GPU_TLV_BOARD_ID = 14,
    GPU_TLV_CHIP_SKU = 15,
    GPU_TLV_CHIP_SKU_MOD = 16,
    GPU_TLV_PROJECT = 17,
    GPU_TLV_PROJECT_SKU = 18,
    GPU_TLV_PROJECT_SKU_MOD = 19,
    GPU_TLV_FWID = 20,
    GPU_TLV_PROTECTED_PCIE = 21,
    GPU_TLV_PDI = 22,
    GPU_TLV_DISABLED_PORTS = 23,
    GPU_TLV_POSITION_ID = 24,
    GPU_TLV_LOCK_STATUS = 25,
    GPU_TLV_SWITCH_GPU_PDIS = 26,
    GPU_TLV_SYS_ENABLE_STATUS = 33,
    GPU_TLV_OPAQUE_VERSION = 34,
    GPU_TLV_CHIP_INFO = 35,
    GPU_TLV_FEATURE_FLAG = 36,
    GPU_TLV_INVALID = 255,
};

struct gpu_tlv {
    uint16_t type;
    struct bytes value;
};

struct gpu_report {
    struct bytes signed_part;     /* request and response up to the signature */
    struct bytes signature;       /* GPU_SIGNATURE_LEN bytes, r||s */
    struct bytes nonce;           /* the requester's, GPU_NONCE_LEN bytes */
    struct bytes responder_nonce; /* made by the device; never compared with ours */
    size_t trailing;              /* tolerated zero bytes, outside everything above */
    enum tacit_gpu_arch arch;     /* by GPU_INFO, or the switch by its number of measurements */
    enum tacit_gpu_mode mode;
    bool nvdec0_disabled; /* index 35 is then not compared */
    size_t value_count;
    struct bytes values[GPU_BLOCKS_GPU]; /* by RIM index = block index - 1 */
    size_t tlv_count;
    struct gpu_tlv tlvs[LIMIT_GPU_TLVS];
    char driver[GPU_VERSION_TEXT]; /* "" for a switch */
    char vbios[GPU_VERSION_TEXT];  /* "96.00.9F.00.01" */
    char chip[GPU_VERSION_TEXT];   /* CHIP_INFO, or what the architecture implies: "GH100" */
    char chip_sku[GPU_VERSION_TEXT], project[GPU_VERSION_TEXT], project_sku[GPU_VERSION_TEXT];
};

/* Splits a report and judges its form. Does not verify the signature or the nonce.
 *
 * in        untrusted report, any length
 * tolerate_zeros  accept up to GPU_TRAILING_MAX zero bytes behind the signature, as one genuine
 *           capture has; they are outside of everything that `out` shows
 * out       fields, borrowed from `in`; zeroed on failure
 * why       which rule was broken: a static sentence, NULL on success
 *
 * Returns   TACIT_OK or TACIT_FORMAT.
 * Memory    allocates nothing; `out` is valid while the bytes under `in` are.
 * Threads   pure, any thread.
 * Spec      SPDM 1.1 10.11; the values are those that genuine devices send */
MUST_CHECK enum tacit_err gpu_report_parse(struct gpu_report *out, const char **why,
                                           struct bytes in, bool tolerate_zeros);

/* Value of the first (and only) TLV of this type; ptr NULL if there is none. */
struct bytes gpu_report_tlv(const struct gpu_report *r, uint16_t type);

/* The switch identities that a GPU's ports show, in the byte order of certificates: distinct ones
 * into out (at most GPU_PORTS), their number returned. 0 where the report names none. */
size_t gpu_report_port_pdis(const struct gpu_report *r, uint8_t out[static GPU_PORTS][GPU_PDI_LEN]);

#endif
