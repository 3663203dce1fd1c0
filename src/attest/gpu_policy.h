/* Policy over devices that are proven genuine: which chips, versions and devices are welcome. */
#ifndef ATTEST_GPU_POLICY_H
#define ATTEST_GPU_POLICY_H

#include "attest/gpu_report.h"
#include "attest/verdict.h"

/* Adds, where the policy asks: gpu.policy.arch, .mode, .driver, .vbios, .device, .fields. Returns
 * true if all passed. Threads pure. */
bool gpu_policy_rows(const struct row_scope *s, const struct tacit_gpu_policy *p,
                     const struct gpu_report *report, const char *ueid);

/* Order of two dotted versions, number by number; parts are decimal for drivers, hexadecimal for
 * VBIOS. A shorter one counts as followed by zeros. False if either is no such version. */
bool gpu_version_compare(int *out, const char *a, const char *b, bool is_hex);

/* Row gpu.policy.rules: NVIDIA's own policy form, equality of every claim that is listed.
 *
 * rules     struct tacit_gpu_policy's
 * part      "detached-claims" for a device, "overall-claims" for the set
 * claims    JSON object to hold against it */
bool gpu_rules_row(const struct row_scope *s, struct bytes rules, const char *part,
                   struct bytes claims);

#endif
