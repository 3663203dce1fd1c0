/* What a verifying command believes: root, collateral, time. Filled from options that all such
 * commands share, with files read once. */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include <tacit/report.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/args.h"
#include "cli/gpu_opts.h"
#include "cli/pccs.h"
#include "cli/upfile.h"

struct trust {
    const char *root_path;            /* --trust-root: PEM or DER; NULL: Intel's */
    struct cli_list collateral_paths; /* --collateral: compact JSON files */
    const char *at;                   /* --at: YYYY-MM-DDThh:mm:ssZ; NULL: now */
    struct pccs pccs;                 /* --pccs and its companions */
    struct gpu_opts gpu;              /* --gpu and its companions, where the command has them */
    struct arena arena;
    struct bytes root_der;
    struct bytes collateral[CLI_LIST_MAX];
    int64_t now_unix_s;
};

/* Rows for a command's table of options; t is the command's struct trust. */
#define TRUST_OPTIONS(t)                                                                      \
    {.name = "trust-root",                                                                    \
     .metavar = "FILE",                                                                       \
     .help = "root certificate instead of Intel's, PEM or DER (verdicts then say SIMULATED)", \
     .value = &(t)->root_path},                                                               \
        {.name = "collateral",                                                                \
         .metavar = "FILE",                                                                   \
         .help = "collateral of a platform, as compact JSON; may be given for each platform", \
         .list = &(t)->collateral_paths},                                                     \
        PCCS_OPTIONS(&(t)->pccs),                                                             \
    {                                                                                         \
        .name = "at", .metavar = "TIME",                                                      \
        .help = "judge as of YYYY-MM-DDThh:mm:ssZ, not as of now", .value = &(t)->at          \
    }

/* Reads what the options name. On failure explains itself on standard error, in the name of
 * `command`. trust_done in every case. */
MUST_CHECK bool trust_load(struct trust *t, const char *command);
void trust_done(struct trust *t);
/* What a running `tacit up` names, where no option says otherwise. Texts are borrowed. */
void trust_take_up(struct trust *t, const struct upfile *up);
/* Root, time, collateral and what is believed about GPUs into verification options, which borrow
 * from t. */
void trust_apply(struct trust *t, struct tacit_report_opts *opts);

#endif
