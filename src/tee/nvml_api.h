/* The part of NVIDIA's management library that is used, declared here so that nothing of NVIDIA is
 * needed to build. Layouts are NVML's: natural alignment, no padding (spec: gpu.md 5.2). */
#ifndef TEE_NVML_API_H
#define TEE_NVML_API_H

#include <stdint.h>

enum nvml_code {
    NVML_OK = 0,
    NVML_UNINITIALIZED = 1,
    NVML_INVALID_ARGUMENT = 2,
    NVML_NOT_SUPPORTED = 3,
    NVML_NO_PERMISSION = 4,
    NVML_NOT_FOUND = 6,
    NVML_DRIVER_NOT_LOADED = 9,
    NVML_TIMEOUT = 10,
    NVML_GPU_IS_LOST = 15,
    NVML_UNKNOWN = 999,
};

enum {
    NVML_ARCH_HOPPER = 9,
    NVML_ARCH_BLACKWELL = 10,
    NVML_ENVIRONMENT_SIM = 1,
    NVML_ENVIRONMENT_PROD = 2,
    NVML_MULTI_GPU_PPCIE = 1,
    NVML_SETTINGS_VERSION = 0x1000014,
    NVML_CHAIN_MAX = 0x1400,
    NVML_REPORT_MAX = 0x2000,
};

struct nvml_cc_state {
    uint32_t environment;
    uint32_t cc_feature;
    uint32_t dev_tools_mode;
};

struct nvml_cc_settings {
    uint32_t version; /* in: NVML_SETTINGS_VERSION */
    uint32_t environment;
    uint32_t cc_feature;
    uint32_t dev_tools_mode;
    uint32_t multi_gpu_mode;
};

struct nvml_certificate {
    uint32_t cert_chain_size;
    uint32_t attestation_chain_size;
    uint8_t cert_chain[0x1000];
    uint8_t attestation_chain[NVML_CHAIN_MAX];
};

struct nvml_report {
    uint32_t is_cec_present;
    uint32_t report_size;
    uint32_t cec_report_size;
    uint8_t nonce[32]; /* in */
    uint8_t report[NVML_REPORT_MAX];
    uint8_t cec_report[0x1000];
};

_Static_assert(sizeof(struct nvml_certificate) == 9224, "NVML's layout");
_Static_assert(sizeof(struct nvml_report) == 12332, "NVML's layout");

struct nvml_api {
    void *library; /* of dlopen */
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *count);
    int (*handle)(unsigned index, void **device);
    int (*architecture)(void *device, unsigned *arch);
    int (*cc_state)(struct nvml_cc_state *state);
    int (*cc_settings)(struct nvml_cc_settings *settings); /* NULL on older drivers */
    int (*ready)(unsigned *is_ready);                      /* NULL on older drivers */
    int (*certificate)(void *device, struct nvml_certificate *out);
    int (*report)(void *device, struct nvml_report *inout);
};

#endif
