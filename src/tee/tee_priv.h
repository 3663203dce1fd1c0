/* What the providers of src/tee share. A provider fills a `struct tee` (ops, self, name); tee.c
 * dispatches, holds the lock, checks arguments. Invariant: ops are called under the tee's lock, so
 * a provider needs none of its own. */
#ifndef TEE_TEE_PRIV_H
#define TEE_TEE_PRIV_H

#include <pthread.h>

#include "tee/tee.h"

enum { TEE_WHY_LEN = 256, TEE_REPORT_DATA_LEN = 64 };

/* One provider. A NULL member other than quote and close means TACIT_UNSUPPORTED. Arguments and
 * errors as in tee.h; output buffers are appended to. */
struct tee_ops {
    enum tacit_err (*quote)(void *self, struct buf *quote,
                            const uint8_t report_data[static TEE_REPORT_DATA_LEN]);
    enum tacit_err (*event)(void *self, const char *event, struct bytes payload);
    enum tacit_err (*event_log)(void *self, struct buf *json);
    enum tacit_err (*info)(void *self, struct buf *json);
    enum tacit_err (*key)(void *self, uint8_t out[static 32], const char *path,
                          const char *purpose);
    void (*close)(void *self); /* frees self; self is never NULL */
};

struct tee {
    const struct tee_ops *ops;
    void *self;
    const char *name; /* static: "tdx (configfs-tsm)" */
    bool is_simulated;
    pthread_mutex_t lock;
};

/* Each opens one provider: fills ops, self, name (and is_simulated), leaves the lock alone.
 *
 * Returns   TACIT_OK; TACIT_NOT_FOUND if this environment is not here, so that detection goes on;
 *           another error if it is here but broken. why gets a sentence in every failure. */
MUST_CHECK enum tacit_err tee_configfs_open(struct tee *tee, const struct tee_opts *opts,
                                            char why[static TEE_WHY_LEN]);
MUST_CHECK enum tacit_err tee_qgs_open(struct tee *tee, const struct tee_opts *opts,
                                       char why[static TEE_WHY_LEN]);
MUST_CHECK enum tacit_err tee_dstack_open(struct tee *tee, const struct tee_opts *opts,
                                          char why[static TEE_WHY_LEN]);
/* sim_tee.c */
MUST_CHECK enum tacit_err tee_sim_open(struct tee *tee, const struct tee_opts *opts,
                                       char why[static TEE_WHY_LEN]);

/* TEE_AUTO: dstack agent, then configfs-tsm, then /dev/tdx_guest with QGS; never the simulator.
 * When nothing is here, why says what was looked for and where. In detect.c. */
MUST_CHECK enum tacit_err tee_detect(struct tee *tee, const struct tee_opts *opts,
                                     char why[static TEE_WHY_LEN]);

#endif
