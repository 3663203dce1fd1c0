/* What a verifying command believes about GPUs: options that all such commands share. */
#ifndef CLI_GPU_OPTS_H
#define CLI_GPU_OPTS_H

#include "cli/args.h"
#include "net/gpu_trust.h"

struct gpu_opts {
    const char *root_path;     /* --gpu-root */
    const char *rim_root_path; /* --gpu-rim-root */
    struct cli_list rims;      /* --rim */
    const char *policy_path;   /* --gpu-policy */
    const char *demand;        /* --gpu; NULL: if-present */
    const char *rim_url;       /* --rim-service */
    const char *ocsp_url;      /* --ocsp-service */
    const char *cache_dir;     /* --gpu-cache */
    struct gpu_trust *trust;
    struct gpu_trust_use use;
};

/* The two services, as every command names them; g is the command's struct gpu_opts. */
#define GPU_SERVICE_OPTIONS(g)                                                               \
    {.name = "rim-service",                                                                  \
     .metavar = "URL",                                                                       \
     .help = "fetch manifests from this service, or from NVIDIA with the word 'nvidia'",     \
     .value = &(g)->rim_url},                                                                \
        {.name = "ocsp-service",                                                             \
         .metavar = "URL",                                                                   \
         .help = "ask this OCSP responder, or NVIDIA's with the word 'nvidia', and insist",  \
         .value = &(g)->ocsp_url},                                                           \
    {                                                                                        \
        .name = "gpu-cache", .metavar = "DIR", .help = "keep what these say in this folder", \
        .value = &(g)->cache_dir                                                             \
    }

#define GPU_OPTIONS(g)                                                                       \
    {.name = "gpu",                                                                          \
     .metavar = "WHEN",                                                                      \
     .help = "GPU evidence is judged if-present (default), or required",                     \
     .value = &(g)->demand},                                                                 \
        {.name = "gpu-root",                                                                 \
         .metavar = "FILE",                                                                  \
         .help = "root of GPU identities instead of NVIDIA's (verdicts then say SIMULATED)", \
         .value = &(g)->root_path},                                                          \
        {.name = "gpu-rim-root",                                                             \
         .metavar = "FILE",                                                                  \
         .help = "root of reference manifests instead of NVIDIA's",                          \
         .value = &(g)->rim_root_path},                                                      \
        {.name = "rim",                                                                      \
         .metavar = "PATH",                                                                  \
         .help = "reference manifest, or a folder of them",                                  \
         .list = &(g)->rims},                                                                \
        {.name = "gpu-policy",                                                               \
         .metavar = "FILE",                                                                  \
         .help = "demands on GPUs, JSON",                                                    \
         .value = &(g)->policy_path},                                                        \
        GPU_SERVICE_OPTIONS(g)

/* Replaces the word 'nvidia' by NVIDIA's address and checks the others. False after an
 * explanation. */
MUST_CHECK bool gpu_opts_urls(struct gpu_opts *g, const char *command);
/* Reads what the options name; explains failures. gpu_opts_done in every case. proxy NULL: none. */
MUST_CHECK bool gpu_opts_load(struct gpu_opts *g, const char *proxy, const char *command);
/* Into verification options, which borrow from g. A second call ends the first's. */
void gpu_opts_apply(struct gpu_opts *g, struct tacit_report_opts *opts);
void gpu_opts_done(struct gpu_opts *g);

#endif
