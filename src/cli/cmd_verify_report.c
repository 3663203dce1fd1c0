/* `tacit verify report`: a whole attestation report, saved in a file or asked for by URL with a
 * fresh nonce. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/args.h"
#include "cli/attested.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "codec/hex.h"

enum { REPORT_FILE_LIMIT = 8 * 1024 * 1024, UP_MEMORY = 256 * 1024 };

struct job {
    struct trust trust;
    struct attested server;
    const char *nonce;
    const char *spki;
    bool is_json;
    bool is_brief;
    const char *up_folder;
    struct arena arena; /* what up.json says */
};

/* A saved report: the nonce and the TLS key that was seen come from the user, not from the file. */
static int judge_file(struct job *j, struct tacit_verdict *v, const char *path)
{
    struct buf file = buf_make(REPORT_FILE_LIMIT);
    uint8_t spki[32];
    struct tacit_report_opts opts = {
        .form = j->server.is_direct ? TACIT_REPORT_NODE : TACIT_REPORT_GATEWAY,
        .model = j->server.model,
        .is_node_required = !j->server.is_direct && j->server.model != NULL};
    int code = EXIT_UNKNOWN;

    if (j->nonce == NULL || hex_decode_fixed(opts.nonce, 32, bytes_of(j->nonce)) != TACIT_OK) {
        code = cli_fail("verify report", "--nonce wants the 64 hex digits that were sent");
    } else if (j->spki != NULL && hex_decode_fixed(spki, 32, bytes_of(j->spki)) != TACIT_OK) {
        code = cli_fail("verify report", "--tls-spki wants 64 hex digits");
    } else if (file_read(&file, path) != TACIT_OK) {
        code = cli_fail("verify report", "cannot read %s (at most 8 MiB)", path);
    } else {
        trust_apply(&j->trust, &opts);
        opts.tls_spki = j->spki != NULL ? spki : NULL;
        if (tacit_report_verify(v, &j->server.facts, buf_bytes(&file), &opts) == TACIT_OK)
            code = CLI_GO_ON;
    }
    buf_done(&file);
    return code;
}

/* What was not given comes from a running `tacit up`, if its folder was. */
static int take_up(struct job *j, const struct cli_args *args)
{
    struct upfile up;

    if (j->up_folder == NULL)
        return CLI_GO_ON;
    if (upfile_read(&up, &j->arena, j->up_folder) != TACIT_OK)
        return cli_fail("verify report", "no `tacit up` runs in %s", j->up_folder);
    trust_take_up(&j->trust, &up);
    if (args->count == 0 && j->server.url == NULL)
        j->server.url = up.url;
    if (j->server.model == NULL && !j->server.is_direct)
        j->server.model = up.model;
    return CLI_GO_ON;
}

static int judge(struct job *j, struct tacit_verdict *v, const struct cli_args *args)
{
    if ((args->count == 1) == (j->server.url != NULL))
        return cli_fail("verify report", "give either a FILE, --url or --up");
    if (args->count == 1)
        return judge_file(j, v, args->items[0]);
    if (attested_open(&j->server, v, &j->trust) == TACIT_OK)
        return CLI_GO_ON;
    return cli_fail("verify report", "%s", j->server.why);
}

int cmd_verify_report(int argc, char **argv)
{
    struct job j = {.server = {.algo = "ecdsa"}, .arena = arena_make(UP_MEMORY)};
    struct tacit_verdict *v = calloc(1, sizeof *v);
    struct cli_args args;
    const struct cli_opt opts[] = {
        {.name = "url",
         .metavar = "URL",
         .help = "ask this server, with a fresh nonce",
         .value = &j.server.url},
        {.name = "up",
         .metavar = "DIR",
         .help = "ask the `tacit up` that runs in this folder, and believe what it names",
         .value = &j.up_folder},
        {.name = "model",
         .metavar = "NAME",
         .help = "the node part must be for this model",
         .value = &j.server.model},
        {.name = "direct",
         .help = "the server is a node, not a gateway",
         .flag = &j.server.is_direct},
        {"algo", "ALGO", "ecdsa (default) or ed25519", NULL, &j.server.algo, NULL},
        {.name = "nonce",
         .metavar = "HEX",
         .help = "with FILE: the nonce that was sent",
         .value = &j.nonce},
        {.name = "tls-spki",
         .metavar = "HEX",
         .help = "with FILE: SHA-256 of the TLS key that was seen",
         .value = &j.spki},
        TRUST_OPTIONS(&j.trust),
        GPU_OPTIONS(&j.trust.gpu),
        {.name = "json", .help = "the verdict as JSON", .flag = &j.is_json},
        {.name = "brief", .help = "count passed rows instead of listing them", .flag = &j.is_brief},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit verify report (FILE --nonce HEX | --url URL | --up DIR) [options]",
        .about = "Verifies an attestation report of a gateway (or, with "
                 "--direct, a node): every quote, event log and key in it.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .max_args = 1};
    int code = v == NULL ? EXIT_UNKNOWN : cli_parse(&args, argc, argv, &usage);

    if (code == CLI_GO_ON)
        code = take_up(&j, &args);
    if (code == CLI_GO_ON)
        code = trust_load(&j.trust, "verify report") ? judge(&j, v, &args) : EXIT_UNKNOWN;
    if (code == CLI_GO_ON) {
        code = show_exit_code(v);
        if (j.is_json)
            code = show_verdict_json(stdout, v);
        else
            show_verdict(stdout, v, j.is_brief);
    }
    attested_done(&j.server);
    trust_done(&j.trust);
    arena_done(&j.arena);
    free(v);
    return code;
}
