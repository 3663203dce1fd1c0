/* Whether several devices form one machine: no device twice, one mode, one driver, and in protected
 * PCIe exactly the eight GPUs and four switches that name one another by certified identities. */
#ifndef ATTEST_GPU_TOPOLOGY_H
#define ATTEST_GPU_TOPOLOGY_H

#include "attest/gpu_chain.h"

/* One device whose own rows have been judged. */
struct gpu_member {
    const struct gpu_report *report;
    const struct gpu_chain *chain;
    bool is_switch;
};

/* Adds, with the subject "gpus": gpu.set.unique, gpu.set.mode, gpu.set.driver, and for protected
 * PCIe gpu.topology.count, gpu.topology.ports and gpu.topology.switches. With `one_by_one` only
 * gpu.set.unique. Returns true if all passed.
 *
 * Threads   pure. Memory: none. Spec gpu.md 2.5 */
bool gpu_topology_rows(const struct row_scope *s, const struct gpu_member *members, size_t count,
                       bool one_by_one);

#endif
