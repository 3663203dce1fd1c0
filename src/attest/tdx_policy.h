/* Appraisal policies as files. The C struct and its defaults are in tacit/quote.h. */
#ifndef ATTEST_TDX_POLICY_H
#define ATTEST_TDX_POLICY_H

#include <tacit/quote.h>

#include "base/arena.h"
#include "base/attr.h"

enum { TDX_POLICY_WHY_MAX = 160 };

/* Read a policy: one strict JSON object; docs/policy.md lists its members. What is not written has
 * the value of tacit_tdx_policy_default. Unknown members, wrong types and empty lists are errors: a
 * policy that is misread is worse than none.
 *
 * out       lists are in the arena, which must outlive it; zeroed (accepts nothing) on failure
 * why       on failure one sentence naming the member; else ""
 * json      trusted text of the operator, at most LIMIT_POLICY_BYTES
 *
 * Returns   TACIT_OK; TACIT_CONFIG for what `why` says; TACIT_NOMEM.
 * Threads   pure; the arena belongs to the caller. */
MUST_CHECK enum tacit_err tdx_policy_parse(struct tacit_tdx_policy *out,
                                           char why[static TDX_POLICY_WHY_MAX], struct bytes json,
                                           struct arena *arena);

#endif
