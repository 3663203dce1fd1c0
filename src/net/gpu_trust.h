/* What a program believes about GPUs: roots, reference manifests and policy from files, and the
 * services that are asked for the rest. One for all verifications; gateway and command line share
 * it. */
#ifndef NET_GPU_TRUST_H
#define NET_GPU_TRUST_H

#include <tacit/report.h>

#include "net/gpu_refs.h"

enum { GPU_TRUST_WHY_LEN = 256, GPU_TRUST_PATHS_MAX = 64 };

/* Paths are read once. NULL and 0: none, or NVIDIA's. */
struct gpu_trust_opts {
    const char *root_path, *rim_root_path; /* PEM or DER */
    const char *const *rim_paths; /* files, or folders whose *.xml and *.swidtag are read */
    size_t rim_path_count;
    const char *policy_path; /* as tacit_gpu_policy_parse reads it */
    const char *rim_url;     /* as in gpu_refs_opts */
    const char *ocsp_url;    /* if set and there is no policy file, good answers are required */
    const char *cache_dir;
    const char *proxy;
    int64_t (*now_unix_s)(void); /* NULL: the wall clock */
};

struct gpu_trust;

/* Reads everything. why: a sentence naming the file. Any error is one of configuration: TACIT_IO,
 * TACIT_FORMAT, TACIT_CONFIG, TACIT_LIMIT, TACIT_USAGE, TACIT_NOMEM. */
MUST_CHECK enum tacit_err gpu_trust_load(struct gpu_trust **out, const struct gpu_trust_opts *opts,
                                         char why[static GPU_TRUST_WHY_LEN]);
/* Accepts NULL; see gpu_refs_free. */
void gpu_trust_free(struct gpu_trust *t);

/* One verification's use of it; must stay where it is until gpu_trust_done. */
struct gpu_trust_use {
    struct tacit_gpu_opts opts;
    struct gpu_refs_loan loan;
    enum tacit_err refs_err; /* of the first collection that did not get all, else TACIT_OK */
};

/* Fills `use`, and opts->gpu, gpu_refs and gpu_refs_ctx. Any thread, each with its own use. */
void gpu_trust_apply(const struct gpu_trust *t, struct gpu_trust_use *use,
                     struct tacit_report_opts *opts);
void gpu_trust_done(struct gpu_trust_use *use);

#endif
