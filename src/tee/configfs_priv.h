/* The kernel's report interface (configfs-tsm), taken apart so that tests can stand in for the
 * kernel: five operations over entries and attributes, and the generation protocol above them. */
#ifndef TEE_CONFIGFS_PRIV_H
#define TEE_CONFIGFS_PRIV_H

#include "tee/rtlog_priv.h"
#include "tee/tee_priv.h"

enum {
    TSM_NAME_LEN = 48,
    TSM_QUOTE_MAX = 32 * 1024, /* today's kernels give 8 KiB */
    TSM_ATTEMPTS = 8,
};

/* Every operation returns 0 (or a length) or a negated errno, like the calls underneath. */
struct tsm_fs {
    void *ctx;
    int (*make)(void *ctx, const char *entry);
    int (*drop)(void *ctx, const char *entry);
    /* Whole attribute, from its beginning; -EFBIG if it is longer than `cap`. */
    long (*get)(void *ctx, const char *entry, const char *attr, uint8_t *out, size_t cap);
    /* One write of the whole value. */
    int (*put)(void *ctx, const char *entry, const char *attr, struct bytes value);
    void (*pause_ms)(void *ctx, unsigned ms);
};

/* The real thing over a folder such as /sys/kernel/config/tsm/report. ctx is the path. */
struct tsm_fs tsm_fs_real(const char *path);

/* One report over 64 octets by the generation protocol: own entry, generation before and after,
 * again if somebody else wrote in between, if the kernel is busy or a signal came.
 *
 * Returns   TACIT_OK; TACIT_BUSY after TSM_ATTEMPTS tries; TACIT_TIMEOUT; TACIT_LIMIT for a report
 *           above TSM_QUOTE_MAX; TACIT_UNSUPPORTED; TACIT_IO. why: a sentence on failure.
 * Spec      tdx.md 4.1 */
MUST_CHECK enum tacit_err tsm_report(const struct tsm_fs *fs, struct buf *out,
                                     const uint8_t report_data[static TEE_REPORT_DATA_LEN],
                                     char why[static TEE_WHY_LEN]);

/* Name of the provider behind the interface, "tdx_guest", without its line end. */
MUST_CHECK enum tacit_err tsm_provider(const struct tsm_fs *fs, char *out, size_t cap,
                                       char why[static TEE_WHY_LEN]);

#endif
