/* One verification of one node, blocking: fetch its report with a fresh nonce over TLS that
 * believes nobody, verify everything offline, bind it to the TLS key seen. */
#ifndef GATEWAY_LEASE_H
#define GATEWAY_LEASE_H

#include "gateway/nodes.h"

/* What all verifications share; immutable after lease_policy_load. */
struct lease_policy;

/* Reads roots, collateral and reference values named by the configuration. why: a sentence naming
 * the file. conf is not kept. Accepts NULL in lease_policy_free. */
MUST_CHECK enum tacit_err lease_policy_load(struct lease_policy **out,
                                            const struct gateway_conf *conf, char why[static 256]);
void lease_policy_free(struct lease_policy *p);

/* Verifies and stores evidence and verdict. TACIT_OK: out is a lease to hold (until_mono_ms and
 * serial are the caller's). TACIT_UNTRUSTED: refused; any other error: could not be evaluated
 * (unreachable, no collateral). */
MUST_CHECK enum tacit_err lease_verify(struct lease *out, const struct lease_policy *p,
                                       const struct gateway_node_conf *node, struct store *store);

#endif
