/* Command-line options: see args.h. */
#include "cli/args.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static void print_usage(FILE *f, const struct cli_usage *u)
{
    (void)fprintf(f, "usage: %s\n\n%s\n", u->synopsis, u->about);
    if (u->opt_count > 0)
        (void)fprintf(f, "\noptions:\n");
    for (size_t i = 0; i < u->opt_count; i++) {
        const struct cli_opt *o = &u->opts[i];
        int width = (int)(strlen(o->name) + (o->metavar != NULL ? strlen(o->metavar) + 1 : 0));

        (void)fprintf(f, "  --%s%s%s%*s  %s\n", o->name, o->metavar != NULL ? " " : "",
                      o->metavar != NULL ? o->metavar : "", width < 24 ? 24 - width : 0, "",
                      o->help);
    }
}

int cli_fail(const char *command, const char *fmt, ...)
{
    va_list ap;

    (void)fprintf(stderr, "tacit %s: ", command);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    return EXIT_UNKNOWN;
}

static const struct cli_opt *find_opt(const struct cli_usage *u, const char *name, size_t len)
{
    for (size_t i = 0; i < u->opt_count; i++)
        if (strlen(u->opts[i].name) == len && memcmp(u->opts[i].name, name, len) == 0)
            return &u->opts[i];
    return NULL;
}

/* seen: a bit for each option whose single value was given. */
static int take_value(const struct cli_opt *o, const char *value, const char *command,
                      uint64_t *seen, uint64_t bit)
{
    if (o->list != NULL) {
        if (o->list->count == CLI_LIST_MAX)
            return cli_fail(command, "--%s is given too often (at most %d times)", o->name,
                            CLI_LIST_MAX);
        o->list->items[o->list->count++] = value;
        return CLI_GO_ON;
    }
    if ((*seen & bit) != 0)
        return cli_fail(command, "--%s is given twice", o->name);
    *seen |= bit;
    *o->value = value;
    return CLI_GO_ON;
}

/* One option at argv[*i]; moves *i over its value. */
static int take_option(int *i, int argc, char **argv, const struct cli_usage *u, uint64_t *seen)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct cli_opt *o = find_opt(u, name, len);
    uint64_t bit;

    if (o == NULL)
        return cli_fail(argv[0], "there is no option --%.*s; see --help", (int)len, name);
    if (o->flag != NULL) {
        *o->flag = true;
        return equals == NULL ? CLI_GO_ON : cli_fail(argv[0], "--%s takes no value", o->name);
    }
    if (equals == NULL && *i + 1 >= argc)
        return cli_fail(argv[0], "--%s needs a value: --%s %s", o->name, o->name, o->metavar);
    bit = UINT64_C(1) << (size_t)(o - u->opts);
    if (equals == NULL)
        (*i)++;
    return take_value(o, equals != NULL ? equals + 1 : argv[*i], argv[0], seen, bit);
}

static int check_count(const struct cli_args *a, const char *command, const struct cli_usage *u)
{
    if (a->count >= u->min_args)
        return CLI_GO_ON;
    (void)cli_fail(command, "an argument is missing");
    (void)fprintf(stderr, "usage: %s\n", u->synopsis);
    return EXIT_UNKNOWN;
}

int cli_parse(struct cli_args *out, int argc, char **argv, const struct cli_usage *usage)
{
    bool is_over = false; /* after "--" */
    uint64_t seen = 0;

    assert(usage->opt_count <= 64);
    *out = (struct cli_args){0};
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];

        if (!is_over && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
            print_usage(stdout, usage);
            return 0;
        }
        if (!is_over && strcmp(arg, "--") == 0) {
            is_over = true;
        } else if (!is_over && arg[0] == '-' && arg[1] != '\0') {
            int code = arg[1] == '-' ? take_option(&i, argc, argv, usage, &seen)
                                     : cli_fail(argv[0], "options begin with two dashes: %s", arg);
            if (code != CLI_GO_ON)
                return code;
        } else {
            if (out->count == usage->max_args || out->count == CLI_LIST_MAX)
                return cli_fail(argv[0], "one argument too many: %s", arg);
            out->items[out->count++] = arg;
        }
    }
    return check_count(out, argv[0], usage);
}

bool cli_number(uint64_t *out, const char *text, uint64_t max)
{
    uint64_t n = 0;

    *out = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (*text < '0' || *text > '9' || n > (max - digit) / 10 || digit > max)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}
