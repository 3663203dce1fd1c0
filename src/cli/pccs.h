/* Where a command gets collateral from over the network, when it is told to: `--pccs URL`, or
 * `--pccs intel` for Intel's own service, with a folder that keeps it. */
#ifndef CLI_PCCS_H
#define CLI_PCCS_H

#include "cli/args.h"
#include "net/collateral.h"

struct pccs {
    const char *url;       /* --pccs; NULL: nothing is fetched */
    const char *cache_dir; /* --collateral-cache; NULL: memory only */
    const char *proxy;     /* --proxy */
    bool is_any_tls;       /* --pccs-any-tls */
    bool is_early;         /* --early */
    char base[1024];
    struct collateral_loan loan;
};

#define PCCS_OPTIONS(p)                                                                       \
    {.name = "pccs",                                                                          \
     .metavar = "URL",                                                                        \
     .help = "fetch collateral from this PCCS, or from Intel with the word 'intel'",          \
     .value = &(p)->url},                                                                     \
        {.name = "collateral-cache",                                                          \
         .metavar = "DIR",                                                                    \
         .help = "keep fetched collateral in this folder",                                    \
         .value = &(p)->cache_dir},                                                           \
        {.name = "proxy",                                                                     \
         .metavar = "URL",                                                                    \
         .help = "fetch through this proxy (the environment is not asked)",                   \
         .value = &(p)->proxy},                                                               \
        {.name = "pccs-any-tls",                                                              \
         .help = "do not check the PCCS's TLS certificate; what it sends is verified anyway", \
         .flag = &(p)->is_any_tls},                                                           \
    {                                                                                         \
        .name = "early", .help = "Intel's update channel 'early' instead of 'standard'",      \
        .flag = &(p)->is_early                                                                \
    }

/* Opens what the options name; nothing if there is no --pccs. Explains failures. pccs_close in
 * every case. */
MUST_CHECK bool pccs_open(struct pccs *p, struct bytes root_der, const char *command);
void pccs_close(struct pccs *p);
/* Whether collateral can be fetched: then collateral_loan_get with &p->loan gives it. */
bool pccs_is_open(const struct pccs *p);

#endif
