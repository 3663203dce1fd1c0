/* Query strings of requests, read in place. */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include "base/bytes.h"

/* The value of a query parameter, percent-decoded; '+' stays '+'.
 *
 * out       `cap` octets, NUL-terminated; "" if absent
 * is_bad    set, never cleared, if the parameter is repeated, does not fit, is badly encoded or
 *           holds NUL; `out` is then not to be used
 * query     untrusted: what follows '?'
 * name      compared with the name as it stands, not decoded
 *
 * Returns   whether it is there at all.
 * Threads   pure, any thread. */
bool query_get(char *out, size_t cap, bool *is_bad, struct bytes query, const char *name);

#endif
