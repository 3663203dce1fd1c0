/* Which trusted execution environment a command uses: `--tee KIND` and `--tee-path PATH`. */
#ifndef CLI_TEE_OPTS_H
#define CLI_TEE_OPTS_H

#include "cli/args.h"
#include "tee/tee.h"

struct tee_choice {
    const char *kind; /* NULL: auto */
    const char *path;
};

#define TEE_OPTIONS(t)                                                                             \
    {.name = "tee",                                                                                \
     .metavar = "KIND",                                                                            \
     .help = "auto (default), dstack, configfs, qgs or simulator",                                 \
     .value = &(t)->kind},                                                                         \
    {                                                                                              \
        .name = "tee-path", .metavar = "PATH",                                                     \
        .help = "its socket or folder; for the simulator its state directory", .value = &(t)->path \
    }

/* Into options for tee_open. Explains an unknown kind on standard error. */
MUST_CHECK bool tee_choice_read(struct tee_opts *out, const struct tee_choice *choice,
                                const char *command);

#endif
