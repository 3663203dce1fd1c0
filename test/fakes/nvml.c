/* A management library that is none: every answer is chosen by TACIT_FAKE_NVML, words separated by
 * commas, so that tests can drive each branch of the collector. Evidence is shaped like a report
 * (the request's first octets and the nonce), not signed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tee/nvml_api.h"

/* The functions are found by dlsym, so no header declares them. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static int asked(const char *word)
{
    const char *at = getenv("TACIT_FAKE_NVML");
    size_t len = strlen(word);

    for (; at != NULL && *at != 0; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1)
        if (strncmp(at, word, len) == 0 && (at[len] == 0 || at[len] == ','))
            return 1;
    return 0;
}

static unsigned index_of(const void *device)
{
    return (unsigned)((uintptr_t)device - 1);
}

int nvmlInit_v2(void)
{
    return asked("no-driver") ? NVML_DRIVER_NOT_LOADED : NVML_OK;
}

int nvmlShutdown(void)
{
    return NVML_OK;
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
    *count = asked("no-gpu") ? 0 : asked("many-gpus") ? 100 : 2;
    return NVML_OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    if (index == 1 && asked("vanished"))
        return NVML_GPU_IS_LOST;
    *device = (void *)((uintptr_t)index + 1);
    return NVML_OK;
}

int nvmlDeviceGetArchitecture(void *device, unsigned *arch)
{
    *arch = asked("ampere")                           ? 7
            : asked("mixed") && index_of(device) == 1 ? NVML_ARCH_BLACKWELL
                                                      : NVML_ARCH_HOPPER;
    return NVML_OK;
}

#ifndef FAKE_WITHOUT_CC
int nvmlSystemGetConfComputeState(struct nvml_cc_state *state)
{
    if (asked("state-unknown"))
        return NVML_UNKNOWN;
    if (asked("cc-unsupported"))
        return NVML_NOT_SUPPORTED;
    state->environment = asked("simulation")    ? NVML_ENVIRONMENT_SIM
                         : asked("unavailable") ? 0
                                                : NVML_ENVIRONMENT_PROD;
    state->cc_feature = asked("cc-off") || asked("ppcie") ? 0 : 1;
    state->dev_tools_mode = asked("dev-tools") ? 1 : 0;
    return NVML_OK;
}

int nvmlSystemGetConfComputeSettings(struct nvml_cc_settings *settings)
{
    if (settings->version != NVML_SETTINGS_VERSION)
        return NVML_INVALID_ARGUMENT;
    settings->multi_gpu_mode = asked("ppcie") ? NVML_MULTI_GPU_PPCIE : 0;
    return NVML_OK;
}

int nvmlSystemGetConfComputeGpusReadyState(unsigned *is_ready)
{
    *is_ready = asked("not-ready") ? 0 : 1;
    return NVML_OK;
}

int nvmlDeviceGetConfComputeGpuCertificate(void *device, struct nvml_certificate *out)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\n";

    if (index_of(device) == 1 && asked("no-permission"))
        return NVML_NO_PERMISSION;
    memcpy(out->attestation_chain, pem, sizeof(pem) - 1);
    out->attestation_chain_size = asked("chain-huge") ? NVML_CHAIN_MAX + 1 : sizeof(pem) - 1;
    return NVML_OK;
}

/* One wrong nonce, then right ones: the collector may ask again. */
static int is_wrong_now(void)
{
    static int asked_before;

    return asked("nonce-wrong") || (asked("nonce-wrong-once") && asked_before++ == 0);
}

int nvmlDeviceGetConfComputeGpuAttestationReport(void *device, struct nvml_report *inout)
{
    static const uint8_t head[] = {0x11, 0xe0, 0x01, 0xff};

    if (index_of(device) == 1 && asked("report-fails"))
        return NVML_UNKNOWN;
    if (asked("slow"))
        usleep(400 * 1000);
    memcpy(inout->report, head, sizeof(head));
    memcpy(inout->report + sizeof(head), inout->nonce, sizeof(inout->nonce));
    if (is_wrong_now())
        inout->report[5] ^= 1;
    inout->report_size = asked("report-empty")  ? 0
                         : asked("report-huge") ? NVML_REPORT_MAX + 1
                                                : 64;
    return NVML_OK;
}
#endif
