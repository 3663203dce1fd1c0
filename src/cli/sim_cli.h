/* What the parts of `tacit sim` share: opening the simulator, times, files, and the services that
 * `tacit sim serve` answers with. */
#ifndef CLI_SIM_CLI_H
#define CLI_SIM_CLI_H

#include "base/buf.h"
#include "cli/args.h"
#include "tee/sim.h"
#include "tee/sim_gpu.h"

/* Kinds of `tacit sim`; argv[0] is the kind. */
int cmd_sim_quote(int argc, char **argv);
int cmd_sim_serve(int argc, char **argv);
int cmd_sim_gpu(int argc, char **argv);

/* Each explains failure on standard error in the name of `command`. fault NULL: as the folder says;
 * text NULL: now. */
MUST_CHECK bool sim_cli_open(struct sim **sim, const char *command, const char *dir,
                             const char *fault);
MUST_CHECK bool sim_cli_time(int64_t *out, const char *command, const char *text);
MUST_CHECK bool sim_cli_write(const char *command, const char *path, const struct buf *content);

/* One request to a simulated service, whole. Views live for the call. */
struct sim_ask {
    struct bytes method; /* "GET" */
    struct bytes path;
    struct bytes query; /* without '?' */
    struct bytes body;
    int64_t now_unix_s;
};

/* Its answer. A service fills it; header_value may stay empty. */
struct sim_answer {
    unsigned status;
    const char *content_type; /* literal */
    const char *header_name;  /* one more header, literal, lower case; NULL: none */
    struct buf header_value;
    struct buf body;
};

/* A service: returns false if the path is none of its own, and has then written nothing. */
typedef bool sim_service_fn(struct sim_answer *out, const struct sim_ask *ask, void *ctx);

/* Intel's certification service, and what a PCCS adds (tdx.md 3.1). ctx: struct sim. */
sim_service_fn sim_pcs_service;
/* NVIDIA's manifests, OCSP and attestation service (gpu.md 2.4, 3.5, 4). ctx: struct sim_gpu. */
sim_service_fn sim_nvidia_service;

/* Whether it is a fault of the GPU simulator. NULL: no. */
bool sim_gpu_fault_exists(const char *name);

/* The value of a query parameter, undecoded; an empty view with ptr NULL if it is absent. */
struct bytes sim_query(struct bytes query, const char *name);

#endif
