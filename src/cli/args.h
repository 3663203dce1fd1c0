/* Command-line options, the same way for every subcommand: a table of options gives parsing, errors
 * and the help text. `--name value` and `--name=value`; `--` ends options; `-h` and `--help` print
 * the usage. Unknown options, missing values and repeated single values are errors. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

enum {
    EXIT_TRUSTED = 0, /* or simply: done */
    EXIT_REFUSED = 1, /* evaluated, and not trusted; or: did not work */
    EXIT_UNKNOWN = 2, /* could not be evaluated: bad usage, unreadable or unreachable input */
    CLI_LIST_MAX = 64,
    CLI_GO_ON = -1,
};

/* Values of an option that may be repeated. */
struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t count;
};

/* Exactly one of flag, value and list is set. */
struct cli_opt {
    const char *name;    /* without dashes: "trust-root" */
    const char *metavar; /* "FILE"; NULL for flags */
    const char *help;    /* one line */
    bool *flag;
    const char **value;
    struct cli_list *list;
};

struct cli_usage {
    const char *synopsis; /* "tacit verify quote FILE [options]" */
    const char *about;    /* a sentence or two */
    const struct cli_opt *opts;
    size_t opt_count;
    size_t min_args, max_args; /* arguments that are no options */
};

struct cli_args {
    const char *items[CLI_LIST_MAX];
    size_t count;
};

/* Reads argv[1…]. Values point into argv; variables of options that are not given keep what they
 * had.
 *
 * Returns   CLI_GO_ON, or the exit code to leave with: 0 after --help (printed to standard output),
 *           2 after an error (printed to standard error). */
int cli_parse(struct cli_args *out, int argc, char **argv, const struct cli_usage *usage);

/* Prints "tacit COMMAND: " and the sentence to standard error; returns EXIT_UNKNOWN. */
int cli_fail(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Decimal text in 0…max. */
MUST_CHECK bool cli_number(uint64_t *out, const char *text, uint64_t max);

#endif
