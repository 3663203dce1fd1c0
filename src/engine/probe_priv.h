/* Asking the engine whether it is ready, over its unix socket, with blocking code and a deadline.
 */
#ifndef ENGINE_PROBE_PRIV_H
#define ENGINE_PROBE_PRIV_H

#include "base/buf.h"
#include "base/err.h"

/* One GET over a connection of its own.
 *
 * body      the reply's body; its limit bounds it
 * wake_fd   when readable the probe ends with TACIT_CLOSED; -1: none
 *
 * Returns   TACIT_OK with *status set; TACIT_IO, TACIT_TIMEOUT, TACIT_FORMAT, TACIT_LIMIT. */
MUST_CHECK enum tacit_err probe_get(unsigned *status, struct buf *body, const char *socket_path,
                                    const char *target, uint64_t timeout_ms, int wake_fd);
/* Whether the engine answers /health with 200 and lists a model of this name. Same errors;
 * TACIT_BUSY while it loads, TACIT_MISMATCH if it serves something else. */
MUST_CHECK enum tacit_err probe_ready(const char *socket_path, const char *model,
                                      uint64_t timeout_ms, int wake_fd);

#endif
