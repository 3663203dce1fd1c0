/* What the files of the GPU verification share: the state of one run. */
#ifndef ATTEST_GPU_PRIV_H
#define ATTEST_GPU_PRIV_H

#include "attest/gpu_measure.h"
#include "attest/gpu_rims.h"
#include "attest/gpu_topology.h"

/* Parts that the verification of a single kind of evidence leaves out. */
enum gpu_run_flags {
    GPU_RUN_NO_TOPOLOGY = 1 << 0, /* devices are judged one by one, none twice */
};

struct gpu_subject {
    struct tacit_gpu_item item;
    char name[TACIT_ROW_SUBJECT_MAX];
    bool is_switch;
    bool has_report, has_chain;
    const char *report_fault;
    const char *chain_fault;
    struct gpu_report report;
    struct gpu_chain chain;
};

struct gpu_run {
    struct tacit_verdict *v;
    const struct tacit_gpu_opts *opts;
    const struct tacit_gpu_policy *policy;
    struct gpu_root device_root;
    struct gpu_links links;
    struct gpu_ocsp_pool ocsp;
    struct gpu_rims rims;
    struct gpu_subject *subjects; /* in the arena */
    size_t count;
    struct arena arena;
    unsigned flags;
};

/* Adds every row of one device and fills its facts. */
void gpu_device_rows(struct gpu_run *run, struct gpu_subject *d, struct tacit_gpu_device *facts);

/* The whole verification over items in `run`'s subjects; see tacit_gpu_verify. */
enum tacit_err gpu_verify_run(struct tacit_verdict *v, struct tacit_gpu_facts *facts,
                              const struct tacit_gpu_item *items, size_t count,
                              const struct tacit_gpu_opts *opts, unsigned flags);

#endif
