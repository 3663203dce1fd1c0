/* The trusted execution environment this process runs in, behind one interface: where quotes come
 * from, what was measured, and keys that only this software gets. Calls block; use them on threads
 * where that is allowed. One `struct tee` may be used by several threads (it locks inside). */
#ifndef TEE_TEE_H
#define TEE_TEE_H

#include "base/buf.h"

struct tee;

enum tee_kind {
    TEE_AUTO = 0,     /* detect; never the simulator */
    TEE_CONFIGFS_TSM, /* /sys/kernel/config/tsm/report: TDX, SEV-SNP, Arm CCA */
    TEE_TDX_QGS,      /* /dev/tdx_guest and the quote generation service over vsock */
    TEE_DSTACK,       /* dstack guest agent, new or old socket */
    TEE_SIMULATOR,    /* only when asked for by name */
};

struct tee_opts {
    enum tee_kind kind;
    const char *path; /* socket, configfs folder or simulator state directory; NULL: usual places */
    const char *workload; /* simulator: name of this TD, part of its identity, e.g. "node" */
};

/* Opens the environment. why gets a sentence for the operator when it fails (what was looked for,
 * where). TACIT_NOT_FOUND: nothing here; TACIT_UNSUPPORTED; TACIT_IO. */
MUST_CHECK enum tacit_err tee_open(struct tee **out, const struct tee_opts *opts,
                                   char why[static 256]);
void tee_close(struct tee *tee);
/* "tdx (configfs-tsm)", "dstack", "SIMULATED" … static. */
const char *tee_name(const struct tee *tee);
bool tee_is_simulated(const struct tee *tee);

/* A fresh quote over the 64 bytes, as the bytes of the quote. TACIT_BUSY, TACIT_TIMEOUT, TACIT_IO.
 */
MUST_CHECK enum tacit_err tee_quote(struct tee *tee, struct buf *quote,
                                    const uint8_t report_data[static 64]);
/* Extends RTMR3 with a dstack runtime event (digest as tdx.md 5.1 V1) and appends it to the log.
 * event: no ':'; TACIT_UNSUPPORTED where this environment cannot extend (never emulated silently).
 */
MUST_CHECK enum tacit_err tee_event(struct tee *tee, const char *event, struct bytes payload);
/* The event log as a JSON array of dstack entries (near.md 3.5). */
MUST_CHECK enum tacit_err tee_event_log(struct tee *tee, struct buf *json);
/* The dstack Info object (near.md 3.5: app_id … tcb_info {…, app_compose}), as JSON. */
MUST_CHECK enum tacit_err tee_info(struct tee *tee, struct buf *json);
/* 32-byte key of this application for `path`, the same on every replica. TACIT_UNSUPPORTED where no
 * KMS is behind it: callers then use a random key. The caller erases. */
MUST_CHECK enum tacit_err tee_key(struct tee *tee, uint8_t out[static 32], const char *path,
                                  const char *purpose);

#endif
