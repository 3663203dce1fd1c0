/* RTMR3 and its log where no agent keeps them: events are extended into the hardware register
 * first, then logged; and what the firmware measured comes from the CCEL table. */
#ifndef TEE_RTLOG_PRIV_H
#define TEE_RTLOG_PRIV_H

#include "base/buf.h"

/* Where registers are extended and read; NULL members: that way does not exist. */
struct rtmr_paths {
    const char *sysfs;  /* folder with rtmr3:sha384 (kernel 6.16) */
    const char *device; /* /dev/tdx_guest of out-of-tree kernels */
    const char *ccel;   /* the firmware's log */
    int (*control)(int fd, unsigned long request, void *arg); /* ioctl, or a test's */
};

struct rtmr_paths rtmr_usual(void);

/* RTMR3 := SHA-384(RTMR3 || digest).
 *
 * Returns   TACIT_OK; TACIT_UNSUPPORTED if this kernel offers no way; TACIT_IO.
 * Spec      tdx.md 4.4 */
MUST_CHECK enum tacit_err rtmr_extend(const struct rtmr_paths *paths,
                                      const uint8_t digest[static 48]);

struct rtlog;

/* NULL when out of memory. The paths' strings must outlive it. */
struct rtlog *rtlog_new(struct rtmr_paths paths);
void rtlog_free(struct rtlog *log);
/* Extends, then logs; nothing is logged that was not extended. TACIT_FORMAT for a name that is
 * empty, no printable ASCII, or holds ':', '"' or '\\'. */
MUST_CHECK enum tacit_err rtlog_event(struct rtlog *log, const char *event, struct bytes payload);
/* JSON array: CCEL events (imr 0-3, without names), then ours. */
MUST_CHECK enum tacit_err rtlog_json(struct rtlog *log, struct buf *json);

#endif
