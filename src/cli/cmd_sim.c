/* `tacit sim …`: the simulated TDX platform at the command line: make one, see its faults, let it
 * go wrong, hand out its root and collateral. Quotes and the service are in cmd_sim_quote.c and
 * cmd_sim_serve.c. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/utc.h"
#include "cli/commands.h"
#include "cli/sim_cli.h"
#include "codec/hex.h"
#include "codec/jwrite.h"
#include "tee/sim.h"

enum { EXPORT_MAX = 1 << 20, PUBLIC_MODE = 0644 };

bool sim_cli_time(int64_t *out, const char *command, const char *text)
{
    *out = clock_unix_s();
    if (text == NULL || utc_parse(out, bytes_of(text)) == TACIT_OK)
        return true;
    (void)cli_fail(command, "'%s' is no time of the form YYYY-MM-DDThh:mm:ssZ", text);
    return false;
}

bool sim_cli_open(struct sim **sim, const char *command, const char *dir, const char *fault)
{
    char why[SIM_WHY_LEN];

    if (sim_open(sim, dir, why) != TACIT_OK) {
        (void)cli_fail(command, "%s", why);
        return false;
    }
    if (fault == NULL || sim_set_fault(*sim, fault) == TACIT_OK)
        return true;
    (void)cli_fail(command, "there is no fault '%s': see `tacit sim faults`", fault);
    sim_free(*sim);
    *sim = NULL;
    return false;
}

bool sim_cli_write(const char *command, const char *path, const struct buf *content)
{
    if (!content->failed && file_write(path, buf_bytes(content), PUBLIC_MODE) == TACIT_OK)
        return true;
    (void)cli_fail(command, "cannot write %s", path);
    return false;
}

/* Where root and collateral go beside the simulator's own folder. */
struct exports {
    const char *root, *collateral, *at;
};

static bool exports_write(struct sim *sim, const char *command, const struct exports *to)
{
    struct buf root = buf_make(EXPORT_MAX);
    struct buf collateral = buf_make(EXPORT_MAX);
    int64_t now = 0;
    bool ok = sim_cli_time(&now, command, to->at);

    if (ok && (sim_export(sim, now) != TACIT_OK || sim_root_pem(sim, &root) != TACIT_OK ||
               sim_collateral(sim, &collateral, now) != TACIT_OK)) {
        (void)cli_fail(command, "the root or the collateral cannot be made or written");
        ok = false;
    }
    if (ok && to->root != NULL)
        ok = sim_cli_write(command, to->root, &root);
    if (ok && to->collateral != NULL)
        ok = sim_cli_write(command, to->collateral, &collateral);
    buf_done(&root);
    buf_done(&collateral);
    return ok;
}

#define EXPORT_OPTIONS(e)                                                                          \
    {.name = "export-root",                                                                        \
     .metavar = "FILE",                                                                            \
     .help = "also write the trusted root there, as PEM",                                          \
     .value = &(e)->root},                                                                         \
        {.name = "export-collateral",                                                              \
         .metavar = "FILE",                                                                        \
         .help = "also write the collateral there, as compact JSON",                               \
         .value = &(e)->collateral},                                                               \
    {                                                                                              \
        .name = "at", .metavar = "TIME", .help = "collateral as of YYYY-MM-DDThh:mm:ssZ, not now", \
        .value = &(e)->at                                                                          \
    }

static int sim_init_main(int argc, char **argv)
{
    static const char command[] = "sim init";
    struct exports to = {0};
    const char *seed_hex = NULL;
    const struct cli_opt opts[] = {
        {.name = "seed",
         .metavar = "HEX",
         .help = "32 octets that determine everything, instead of random ones",
         .value = &seed_hex},
        EXPORT_OPTIONS(&to),
    };
    const struct cli_usage usage = {
        .synopsis = "tacit sim init DIR [options]",
        .about = "Makes a simulated TDX platform: its own PKI and keys in DIR, root.pem and "
                 "collateral.json for those who shall trust it.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .min_args = 1,
        .max_args = 1};
    uint8_t seed[SIM_SEED_LEN];
    char why[SIM_WHY_LEN];
    struct cli_args args;
    struct sim *sim;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    if (seed_hex != NULL && hex_decode_fixed(seed, sizeof(seed), bytes_of(seed_hex)) != TACIT_OK)
        return cli_fail(command, "a seed has 64 hexadecimal digits");
    if (sim_init(args.items[0], seed_hex == NULL ? NULL : seed, why) != TACIT_OK)
        return cli_fail(command, "%s", why);
    explicit_bzero(seed, sizeof(seed));
    if (!sim_cli_open(&sim, command, args.items[0], NULL))
        return EXIT_UNKNOWN;
    code = exports_write(sim, command, &to) ? 0 : EXIT_REFUSED;
    if (code == 0)
        printf(
            "SIMULATED platform in %s\nroot        %s/root.pem\ncollateral  %s/collateral.json\n",
            args.items[0], args.items[0], args.items[0]);
    sim_free(sim);
    return code;
}

static int sim_export_main(int argc, char **argv)
{
    static const char command[] = "sim export";
    struct exports to = {0};
    const struct cli_opt opts[] = {EXPORT_OPTIONS(&to)};
    const struct cli_usage usage = {
        .synopsis = "tacit sim export DIR [options]",
        .about = "Renews root.pem and collateral.json in DIR (collateral lasts 30 days).",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .min_args = 1,
        .max_args = 1};
    struct cli_args args;
    struct sim *sim;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    if (!sim_cli_open(&sim, command, args.items[0], NULL))
        return EXIT_UNKNOWN;
    code = exports_write(sim, command, &to) ? 0 : EXIT_REFUSED;
    sim_free(sim);
    return code;
}

static void fault_json(struct jw *w, const char *name, const char *row, const char *does)
{
    jw_object(w);
    jw_key_cstr(w, "name", name);
    jw_key_cstr(w, "refused_by", row);
    jw_key_cstr(w, "what", does);
    jw_end(w);
}

static int faults_json(const struct sim_fault_info *list, size_t count)
{
    size_t gpu_count;
    const struct sim_gpu_fault_info *gpu = sim_gpu_faults(&gpu_count);
    struct buf json = buf_make(EXPORT_MAX);
    struct jw w = jw_make(&json);
    bool ok;

    jw_array(&w);
    for (size_t i = 0; i < count; i++)
        fault_json(&w, list[i].name, list[i].row, list[i].does);
    for (size_t i = 0; i < gpu_count; i++)
        fault_json(&w, gpu[i].name, gpu[i].row, gpu[i].does);
    jw_end(&w);
    ok = buf_cstr(&json) != NULL && puts(buf_cstr(&json)) >= 0;
    buf_done(&json);
    return ok ? 0 : EXIT_REFUSED;
}

static int sim_faults_main(int argc, char **argv)
{
    bool is_json = false;
    const struct cli_opt opts[] = {
        {.name = "json", .help = "as a JSON array", .flag = &is_json},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit sim faults [--json]",
        .about = "Lists every way in which the simulator can go wrong, and the row of the verdict "
                 "that must refuse it.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts)};
    size_t count;
    const struct sim_fault_info *list = sim_faults(&count);
    size_t gpu_count;
    const struct sim_gpu_fault_info *gpu = sim_gpu_faults(&gpu_count);
    struct cli_args args;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    if (is_json)
        return faults_json(list, count);
    for (size_t i = 0; i < count; i++)
        printf("%-25s %-27s %s\n", list[i].name, list[i].row, list[i].does);
    for (size_t i = 0; i < gpu_count; i++)
        printf("%-25s %-27s %s\n", gpu[i].name, gpu[i].row, gpu[i].does);
    return 0;
}

static int sim_fault_main(int argc, char **argv)
{
    static const char command[] = "sim fault";
    const struct cli_usage usage = {
        .synopsis = "tacit sim fault DIR NAME|none",
        .about = "Makes the platform in DIR go wrong, from the next start of whatever uses it; "
                 "`none` makes it honest again.",
        .min_args = 2,
        .max_args = 2};
    char why[SIM_WHY_LEN];
    struct cli_args args;
    const char *name;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    name = strcmp(args.items[1], "none") == 0 ? NULL : args.items[1];
    if (sim_keep_fault(args.items[0], name, why) != TACIT_OK)
        return cli_fail(command, "%s", why);
    return 0;
}

static const struct {
    const char *name;
    const char *help;
    int (*main)(int argc, char **argv);
} parts[] = {
    {"init", "make a simulated platform in a folder", sim_init_main},
    {"export", "renew its root.pem and collateral.json", sim_export_main},
    {"quote", "make a quote, with its event log and collateral", cmd_sim_quote},
    {"gpu", "evidence of simulated GPUs for a nonce", cmd_sim_gpu},
    {"faults", "list the faults and the row that must refuse each", sim_faults_main},
    {"fault", "make everything that uses the folder go wrong", sim_fault_main},
    {"serve", "answer as Intel's and NVIDIA's services would", cmd_sim_serve},
};

static void print_parts(FILE *f)
{
    (void)fprintf(f, "usage: tacit sim PART …\n\nparts:\n");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        (void)fprintf(f, "  %-10s %s\n", parts[i].name, parts[i].help);
    (void)fprintf(f, "\nWhat is simulated proves nothing about any machine.\n");
}

int cmd_sim(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_parts(stdout);
        return 0;
    }
    for (size_t i = 0; argc >= 2 && i < ARRAY_LEN(parts); i++)
        if (strcmp(argv[1], parts[i].name) == 0)
            return parts[i].main(argc - 1, argv + 1);
    if (argc >= 2)
        (void)cli_fail("sim", "there is no part '%s'", argv[1]);
    print_parts(stderr);
    return EXIT_UNKNOWN;
}
