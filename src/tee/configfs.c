/* The provider over configfs-tsm: TDX, SEV-SNP and Arm CCA guests on kernels from 6.7 on. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tee/configfs_priv.h"
#include "tee/evidence_priv.h"

static const char usual_path[] = "/sys/kernel/config/tsm/report";

struct configfs {
    char path[256];
    struct tsm_fs fs;
    struct rtlog *log;
    bool is_tdx;
};

static enum tacit_err configfs_quote(void *self, struct buf *quote,
                                     const uint8_t report_data[static TEE_REPORT_DATA_LEN])
{
    struct configfs *c = self;
    char why[TEE_WHY_LEN];
    size_t before = quote->len;
    enum tacit_err err = tsm_report(&c->fs, quote, report_data, why);

    if (err == TACIT_OK)
        err = evidence_binds(bytes_slice(buf_bytes(quote), before, SIZE_MAX), report_data);
    if (err != TACIT_OK)
        quote->len = before;
    return err;
}

static enum tacit_err configfs_event(void *self, const char *event, struct bytes payload)
{
    struct configfs *c = self;

    return c->is_tdx ? rtlog_event(c->log, event, payload) : TACIT_UNSUPPORTED;
}

static enum tacit_err configfs_event_log(void *self, struct buf *json)
{
    struct configfs *c = self;

    return c->is_tdx ? rtlog_json(c->log, json) : TACIT_UNSUPPORTED;
}

static void configfs_close(void *self)
{
    struct configfs *c = self;

    rtlog_free(c->log);
    free(c);
}

static const struct tee_ops configfs_ops = {
    .quote = configfs_quote,
    .event = configfs_event,
    .event_log = configfs_event_log,
    .close = configfs_close,
};

static const char *name_of(const char *provider)
{
    if (strcmp(provider, "tdx_guest") == 0)
        return "tdx (configfs-tsm)";
    if (strcmp(provider, "sev_guest") == 0)
        return "sev-snp (configfs-tsm)";
    if (strcmp(provider, "arm_cca_guest") == 0)
        return "arm cca (configfs-tsm)";
    return NULL;
}

static enum tacit_err provider_open(struct tee *tee, struct configfs *c,
                                    char why[static TEE_WHY_LEN])
{
    char provider[32];
    enum tacit_err err = tsm_provider(&c->fs, provider, sizeof(provider), why);

    if (err == TACIT_UNSUPPORTED) {
        snprintf(why, TEE_WHY_LEN, "%.150s has no provider: this is no confidential guest",
                 c->path);
        return TACIT_NOT_FOUND;
    }
    if (err != TACIT_OK)
        return err;
    tee->name = name_of(provider);
    if (tee->name == NULL) {
        snprintf(why, TEE_WHY_LEN, "configfs-tsm has a provider that is not known here");
        return TACIT_UNSUPPORTED;
    }
    c->is_tdx = strcmp(provider, "tdx_guest") == 0;
    tee->ops = &configfs_ops;
    tee->self = c;
    return TACIT_OK;
}

enum tacit_err tee_configfs_open(struct tee *tee, const struct tee_opts *opts,
                                 char why[static TEE_WHY_LEN])
{
    const char *path = opts->path != NULL ? opts->path : usual_path;
    struct configfs *c;
    enum tacit_err err;

    if (!file_exists(path)) {
        snprintf(why, TEE_WHY_LEN,
                 "%.150s is not there (kernel before 6.7, no configfs, or no TEE)", path);
        return TACIT_NOT_FOUND;
    }
    c = calloc(1, sizeof(*c));
    if (c == NULL || (size_t)snprintf(c->path, sizeof(c->path), "%s", path) >= sizeof(c->path) ||
        (c->log = rtlog_new(rtmr_usual())) == NULL) {
        free(c);
        snprintf(why, TEE_WHY_LEN, "out of memory, or the path is too long");
        return TACIT_NOMEM;
    }
    c->fs = tsm_fs_real(c->path);
    err = provider_open(tee, c, why);
    if (err != TACIT_OK)
        configfs_close(c);
    return err;
}
