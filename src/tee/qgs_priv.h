/* Quotes on kernels without configfs-tsm: a TDREPORT from /dev/tdx_guest, turned into a quote by
 * the host's quote generation service. The environment is a parameter, so that tests can be the
 * kernel and the service. */
#ifndef TEE_QGS_PRIV_H
#define TEE_QGS_PRIV_H

#include "tee/rtlog_priv.h"
#include "tee/tee_priv.h"

enum {
    TDREPORT_LEN = 1024,
    QGS_MESSAGE_MAX = 16 * 1024,
    QGS_PORT_DEFAULT = 4050,
    QGS_TIMEOUT_MS = 30000,
};

struct qgs_env {
    const char *device;    /* /dev/tdx_guest */
    const char *config;    /* /etc/tdx-attest.conf, a line "port=4050" */
    const char *unix_path; /* NULL: vsock to the host */
    unsigned timeout_ms;
    int (*control)(int fd, unsigned long request, void *arg); /* ioctl */
};

/* Request frame for a TDREPORT (tdx.md 4.3). */
void qgs_request_put(struct buf *out, struct bytes tdreport);
/* The quote inside a response message (without the length in front). TACIT_FORMAT; TACIT_IO when
 * the service reports an error, whose number goes to *error. */
MUST_CHECK enum tacit_err qgs_response_read(struct bytes *quote, uint32_t *error,
                                            struct bytes message);
/* Port from the text of tdx-attest.conf; the default if it names none. */
uint32_t qgs_port(struct bytes config);

/* Like tee_qgs_open in a given environment, whose strings (unix_path apart) must outlive the tee.
 */
MUST_CHECK enum tacit_err qgs_open_in(struct tee *tee, const struct qgs_env *env,
                                      struct rtmr_paths rtmr, char why[static TEE_WHY_LEN]);

#endif
