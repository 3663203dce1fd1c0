/* Evidence through NVIDIA's management library, loaded at run time: there is no build dependency
 * and no GPU is no error of the program. Invariant: nothing is ever made up; evidence is collected
 * only from a machine in production confidential mode, and only with the nonce that was asked for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "attest/gpu_report.h"
#include "base/clock.h"
#include "codec/base64.h"
#include "tee/gpu_priv.h"
#include "tee/nvml_api.h"

enum { NVML_DEADLINE_MS = 15000, NVML_ATTEMPTS = 2, NONCE_AT = 4 };

static const char default_library[] = "libnvidia-ml.so.1";

/* One device's evidence, filled by a thread of its own: a hanging driver costs that thread, not the
 * program. Freed by whoever lets go last. */
struct job {
    pthread_mutex_t lock;
    pthread_cond_t done;
    const struct nvml_api *api;
    unsigned index;
    unsigned owners;
    bool is_done;
    int code;         /* of the call that failed, or NVML_OK */
    const char *call; /* its name */
    unsigned arch;
    struct nvml_certificate chain;
    struct nvml_report report;
};

struct nvml {
    struct nvml_api api;
    unsigned count;
    unsigned deadline_ms;
    struct job *stuck; /* a call that never came back, or NULL */
};

static const char *code_text(int code)
{
    switch ((enum nvml_code)code) {
    case NVML_OK:
        return "success";
    case NVML_UNINITIALIZED:
        return "NVML is not initialised";
    case NVML_INVALID_ARGUMENT:
        return "invalid argument";
    case NVML_NOT_SUPPORTED:
        return "not supported";
    case NVML_NO_PERMISSION:
        return "no permission";
    case NVML_NOT_FOUND:
        return "not found";
    case NVML_DRIVER_NOT_LOADED:
        return "the driver is not loaded";
    case NVML_TIMEOUT:
        return "time-out";
    case NVML_GPU_IS_LOST:
        return "the GPU has fallen off the bus";
    case NVML_UNKNOWN:
        return "unknown error";
    }
    return "another error";
}

/* ISO C has no conversion from object to function pointers; POSIX has it this way. */
static void symbol(void *fn, void *library, const char *name, const char *older)
{
    void *at = dlsym(library, name);

    if (at == NULL && older != NULL)
        at = dlsym(library, older);
    memcpy(fn, &at, sizeof(at));
}

/* Name of a function that is missing although every driver with confidential computing has it. */
static const char *symbols_load(struct nvml_api *a)
{
    symbol(&a->init, a->library, "nvmlInit_v2", "nvmlInit");
    symbol(&a->shutdown, a->library, "nvmlShutdown", NULL);
    symbol(&a->count, a->library, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount");
    symbol(&a->handle, a->library, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex");
    symbol(&a->architecture, a->library, "nvmlDeviceGetArchitecture", NULL);
    symbol(&a->cc_state, a->library, "nvmlSystemGetConfComputeState", NULL);
    symbol(&a->cc_settings, a->library, "nvmlSystemGetConfComputeSettings", NULL);
    symbol(&a->ready, a->library, "nvmlSystemGetConfComputeGpusReadyState", NULL);
    symbol(&a->certificate, a->library, "nvmlDeviceGetConfComputeGpuCertificate", NULL);
    symbol(&a->report, a->library, "nvmlDeviceGetConfComputeGpuAttestationReport", NULL);
    if (a->init == NULL || a->shutdown == NULL || a->count == NULL || a->handle == NULL)
        return "nvmlInit_v2 and its like";
    if (a->architecture == NULL)
        return "nvmlDeviceGetArchitecture";
    if (a->cc_state == NULL)
        return "nvmlSystemGetConfComputeState";
    if (a->certificate == NULL)
        return "nvmlDeviceGetConfComputeGpuCertificate";
    return a->report == NULL ? "nvmlDeviceGetConfComputeGpuAttestationReport" : NULL;
}

/* Protected PCIe counts as confidential mode even where ccFeature is not set (spec: gpu.md 5.3). */
static bool is_protected_pcie(const struct nvml_api *a)
{
    struct nvml_cc_settings s = {.version = NVML_SETTINGS_VERSION};

    return a->cc_settings != NULL && a->cc_settings(&s) == NVML_OK &&
           s.multi_gpu_mode == NVML_MULTI_GPU_PPCIE;
}

static enum tacit_err mode_check(const struct nvml_api *a, char why[static GPUS_WHY_LEN])
{
    struct nvml_cc_state state = {0};
    int code = a->cc_state(&state);
    unsigned ready = 0;

    if (code != NVML_OK && code != NVML_NOT_SUPPORTED) {
        snprintf(why, GPUS_WHY_LEN, "NVML does not tell the confidential computing state: %s (%d)",
                 code_text(code), code);
        return TACIT_IO;
    }
    if ((code == NVML_NOT_SUPPORTED || state.cc_feature == 0) && !is_protected_pcie(a)) {
        snprintf(why, GPUS_WHY_LEN,
                 code == NVML_NOT_SUPPORTED
                     ? "there is a GPU, but it does not support confidential computing"
                     : "there is a GPU, but confidential computing is off");
        return TACIT_POLICY;
    }
    if (code == NVML_OK && state.environment != NVML_ENVIRONMENT_PROD) {
        snprintf(why, GPUS_WHY_LEN, "the GPUs' confidential environment is %s, not production",
                 state.environment == NVML_ENVIRONMENT_SIM ? "a simulation" : "unavailable");
        return TACIT_POLICY;
    }
    if (state.dev_tools_mode != 0) {
        snprintf(why, GPUS_WHY_LEN, "the GPUs are in development mode (DevTools)");
        return TACIT_POLICY;
    }
    if (a->ready != NULL && a->ready(&ready) == NVML_OK && ready == 0) {
        snprintf(why, GPUS_WHY_LEN,
                 "the GPUs are not in the ready state: this guest has not verified them");
        return TACIT_POLICY;
    }
    return TACIT_OK;
}

static enum tacit_err start(struct nvml *n, char why[static GPUS_WHY_LEN])
{
    int code = n->api.init();
    enum tacit_err err;

    if (code != NVML_OK) {
        snprintf(why, GPUS_WHY_LEN, "NVML cannot start: %s (%d)", code_text(code), code);
        return TACIT_NOT_FOUND;
    }
    code = n->api.count(&n->count);
    if (code != NVML_OK || n->count == 0) {
        snprintf(why, GPUS_WHY_LEN, "the NVIDIA driver sees no GPU (%s)", code_text(code));
        err = TACIT_NOT_FOUND;
    } else if (n->count > LIMIT_GPU_DEVICES) {
        snprintf(why, GPUS_WHY_LEN, "the driver sees %u GPUs, more than the %d known machines have",
                 n->count, LIMIT_GPU_DEVICES);
        err = TACIT_LIMIT;
    } else {
        err = mode_check(&n->api, why);
    }
    if (err != TACIT_OK)
        n->api.shutdown();
    return err;
}

static void job_release(struct job *j)
{
    bool is_last;

    pthread_mutex_lock(&j->lock);
    is_last = --j->owners == 0;
    pthread_mutex_unlock(&j->lock);
    if (!is_last)
        return;
    pthread_cond_destroy(&j->done);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

static bool job_call(struct job *j, const char *name, int code)
{
    j->call = name;
    j->code = code;
    return code == NVML_OK;
}

static void job_work(struct job *j)
{
    void *device = NULL;

    if (job_call(j, "finding it", j->api->handle(j->index, &device)) &&
        job_call(j, "asking its architecture", j->api->architecture(device, &j->arch)) &&
        job_call(j, "its certificates", j->api->certificate(device, &j->chain)))
        job_call(j, "its report", j->api->report(device, &j->report));
}

static void *job_thread(void *arg)
{
    struct job *j = arg;

    job_work(j);
    pthread_mutex_lock(&j->lock);
    j->is_done = true;
    pthread_cond_signal(&j->done);
    pthread_mutex_unlock(&j->lock);
    job_release(j);
    return NULL;
}

static enum tacit_err job_new(struct job **out, const struct nvml *n, unsigned index,
                              const uint8_t nonce[static 32])
{
    struct job *j = calloc(1, sizeof(*j));
    pthread_condattr_t attr;

    *out = NULL;
    if (j == NULL || pthread_condattr_init(&attr) != 0) {
        free(j);
        return TACIT_NOMEM;
    }
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (pthread_mutex_init(&j->lock, NULL) != 0 || pthread_cond_init(&j->done, &attr) != 0) {
        pthread_condattr_destroy(&attr);
        free(j);
        return TACIT_NOMEM;
    }
    pthread_condattr_destroy(&attr);
    j->api = &n->api;
    j->index = index;
    j->owners = 1;
    memcpy(j->report.nonce, nonce, sizeof(j->report.nonce));
    *out = j;
    return TACIT_OK;
}

/* Waits for the end of the job or of patience; true if it is done. */
static bool job_wait(struct job *j, unsigned deadline_ms)
{
    uint64_t until_ns = clock_mono_ns() + (uint64_t)deadline_ms * 1000000;
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                             .tv_nsec = (long)(until_ns % 1000000000)};
    bool is_done;

    pthread_mutex_lock(&j->lock);
    while (!j->is_done && pthread_cond_timedwait(&j->done, &j->lock, &until) != ETIMEDOUT)
        continue;
    is_done = j->is_done;
    pthread_mutex_unlock(&j->lock);
    return is_done;
}

static enum tacit_err job_start(struct job *j)
{
    pthread_attr_t attr;
    pthread_t thread;
    int failed;

    if (pthread_attr_init(&attr) != 0)
        return TACIT_NOMEM;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    j->owners = 2;
    failed = pthread_create(&thread, &attr, job_thread, j);
    pthread_attr_destroy(&attr);
    if (failed != 0)
        j->owners = 1;
    return failed == 0 ? TACIT_OK : TACIT_NOMEM;
}

static const char *arch_name(unsigned arch)
{
    return arch == NVML_ARCH_HOPPER ? "HOPPER" : arch == NVML_ARCH_BLACKWELL ? "BLACKWELL" : NULL;
}

/* What the driver gave is bounded, of a known architecture, and about our nonce. */
static enum tacit_err job_judge(const struct job *j, const uint8_t nonce[static 32],
                                char why[static GPUS_WHY_LEN])
{
    if (j->code != NVML_OK) {
        snprintf(why, GPUS_WHY_LEN, "GPU %u: %s: %s (%d)", j->index, j->call, code_text(j->code),
                 j->code);
        return TACIT_IO;
    }
    if (arch_name(j->arch) == NULL) {
        snprintf(why, GPUS_WHY_LEN, "GPU %u: architecture %u cannot be attested", j->index,
                 j->arch);
        return TACIT_UNSUPPORTED;
    }
    if (j->chain.attestation_chain_size == 0 || j->chain.attestation_chain_size > NVML_CHAIN_MAX ||
        j->report.report_size < NONCE_AT + GPU_NONCE_LEN ||
        j->report.report_size > NVML_REPORT_MAX) {
        snprintf(why, GPUS_WHY_LEN, "GPU %u: the driver gives impossible sizes (%u, %u)", j->index,
                 j->chain.attestation_chain_size, j->report.report_size);
        return TACIT_IO;
    }
    if (memcmp(j->report.report + NONCE_AT, nonce, GPU_NONCE_LEN) != 0) {
        snprintf(why, GPUS_WHY_LEN, "GPU %u: the report is about another nonce", j->index);
        return TACIT_MISMATCH;
    }
    return TACIT_OK;
}

static void item_put(struct buf *json, const struct job *j, const uint8_t nonce[static 32])
{
    buf_putf(json, "{\"arch\":\"%s\",\"certificate\":\"", arch_name(j->arch));
    base64_encode(json, bytes_make(j->chain.attestation_chain, j->chain.attestation_chain_size),
                  BASE64_STD);
    buf_puts(json, "\",\"evidence\":\"");
    base64_encode(json, bytes_make(j->report.report, j->report.report_size), BASE64_STD);
    buf_puts(json, "\",\"nonce\":\"");
    buf_hex(json, bytes_make(nonce, 32));
    buf_puts(json, "\"}");
}

/* One attempt at one device. */
static enum tacit_err device_ask(struct nvml *n, struct buf *json, const char **arch,
                                 unsigned index, const uint8_t nonce[static 32],
                                 char why[static GPUS_WHY_LEN])
{
    struct job *j = NULL;
    enum tacit_err err = job_new(&j, n, index, nonce);

    if (err == TACIT_OK)
        err = job_start(j);
    if (err != TACIT_OK) {
        snprintf(why, GPUS_WHY_LEN, "GPU %u: out of memory or threads", index);
        if (j != NULL)
            job_release(j);
        return err;
    }
    if (!job_wait(j, n->deadline_ms)) {
        snprintf(why, GPUS_WHY_LEN, "GPU %u: no evidence within %u ms", index, n->deadline_ms);
        n->stuck = j; /* kept until its thread comes back */
        return TACIT_TIMEOUT;
    }
    err = job_judge(j, nonce, why);
    if (err == TACIT_OK) {
        *arch = arch_name(j->arch);
        item_put(json, j, nonce);
    }
    job_release(j);
    return err;
}

/* A call that timed out blocks the next collection until it has come back. */
static enum tacit_err stuck_check(struct nvml *n, char why[static GPUS_WHY_LEN])
{
    bool is_done;

    if (n->stuck == NULL)
        return TACIT_OK;
    pthread_mutex_lock(&n->stuck->lock);
    is_done = n->stuck->is_done;
    pthread_mutex_unlock(&n->stuck->lock);
    if (!is_done) {
        snprintf(why, GPUS_WHY_LEN, "GPU %u: an earlier request still hangs in the driver",
                 n->stuck->index);
        return TACIT_BUSY;
    }
    job_release(n->stuck);
    n->stuck = NULL;
    return TACIT_OK;
}

static enum tacit_err list_put(struct nvml *n, struct buf *list, const char **arch,
                               const uint8_t nonce[static 32], char why[static GPUS_WHY_LEN])
{
    const char *first = NULL;
    enum tacit_err err = TACIT_OK;

    for (unsigned i = 0; i < n->count && err == TACIT_OK; i++) {
        if (i > 0)
            buf_putc(list, ',');
        for (int attempt = 0; attempt < NVML_ATTEMPTS; attempt++) {
            err = device_ask(n, list, arch, i, nonce, why);
            if (err != TACIT_MISMATCH)
                break;
        }
        if (err == TACIT_OK && first != NULL && strcmp(first, *arch) != 0) {
            snprintf(why, GPUS_WHY_LEN, "GPU %u is of another architecture than GPU 0", i);
            err = TACIT_UNSUPPORTED;
        }
        first = *arch;
    }
    return err == TACIT_OK ? buf_err(list) : err;
}

static enum tacit_err nvml_collect(void *self, struct buf *payload_json,
                                   const uint8_t nonce[static 32], char why[static GPUS_WHY_LEN])
{
    struct nvml *n = self;
    struct buf list = buf_make(LIMIT_GPU_EVIDENCE_BYTES);
    const char *arch = NULL;
    enum tacit_err err = stuck_check(n, why);

    if (err == TACIT_OK)
        err = mode_check(&n->api, why);
    if (err == TACIT_OK)
        err = list_put(n, &list, &arch, nonce, why);
    if (err == TACIT_OK) {
        buf_putf(payload_json, "{\"arch\":\"%s\",\"evidence_list\":[", arch);
        buf_put(payload_json, buf_bytes(&list));
        buf_puts(payload_json, "],\"nonce\":\"");
        buf_hex(payload_json, bytes_make(nonce, 32));
        buf_puts(payload_json, "\"}");
        err = buf_err(payload_json);
    }
    buf_done(&list);
    return err;
}

/* While a thread hangs in the driver, its library and its job must stay. */
static void nvml_close(void *self)
{
    struct nvml *n = self;
    char why[GPUS_WHY_LEN];

    if (stuck_check(n, why) != TACIT_OK)
        return;
    n->api.shutdown();
    dlclose(n->api.library);
    free(n);
}

static const struct gpus_ops ops = {nvml_collect, nvml_close};

enum tacit_err gpus_nvml_open_within(struct gpus *g, const struct gpus_opts *opts,
                                     unsigned deadline_ms, char why[static GPUS_WHY_LEN])
{
    const char *path = opts->path != NULL ? opts->path : default_library;
    struct nvml *n = calloc(1, sizeof(*n));
    const char *missing;
    enum tacit_err err = TACIT_NOT_FOUND;

    if (n == NULL)
        return TACIT_NOMEM;
    n->deadline_ms = deadline_ms;
    n->api.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (n->api.library == NULL) {
        snprintf(why, GPUS_WHY_LEN, "no NVIDIA driver: %.64s cannot be loaded", path);
        goto no_library;
    }
    missing = symbols_load(&n->api);
    if (missing != NULL) {
        snprintf(why, GPUS_WHY_LEN, "the NVIDIA driver is too old for attestation: no %s", missing);
        goto no_start;
    }
    err = start(n, why);
    if (err != TACIT_OK)
        goto no_start;
    g->ops = &ops;
    g->self = n;
    g->is_simulated = false;
    return TACIT_OK;

no_start:
    dlclose(n->api.library);
no_library:
    free(n);
    return err;
}

enum tacit_err gpus_nvml_open(struct gpus *g, const struct gpus_opts *opts,
                              char why[static GPUS_WHY_LEN])
{
    return gpus_nvml_open_within(g, opts, NVML_DEADLINE_MS, why);
}
