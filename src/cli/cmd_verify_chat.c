/* `tacit verify chat`: one saved exchange, offline. What was sent and received must be what was
 * signed, by an address that an attestation report proves or that the user names. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/convo.h"
#include "cli/show.h"
#include "cli/trust.h"
#include "codec/hex.h"
#include "codec/jscan.h"

enum { FILE_LIMIT = 8 * 1024 * 1024, PATH_LEN = 4096, ADDRESS_MAX = 32 };

struct job {
    struct trust trust;
    struct convo convo;
    struct tacit_report_facts facts;
    struct tacit_report_opts opts;
    struct arena arena;
    struct buf report;
    struct tacit_verdict *verdict;
    const char *request, *response, *signature; /* paths */
    const char *report_path, *nonce, *spki, *signer;
    uint8_t spki_octets[32];
    uint8_t address[ADDRESS_MAX];
    size_t address_len;
    bool is_direct, is_json, is_brief;
};

static const char *in_folder(struct job *j, const char *folder, const char *name)
{
    char path[PATH_LEN];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);

    return len > 0 && len < PATH_LEN ? arena_str(&j->arena, bytes_of(path)) : NULL;
}

/* The options that were not given, from a folder made by `tacit chat --save`. */
static int take_folder(struct job *j, const char *folder)
{
    struct buf text = buf_make(FILE_LIMIT);
    const char *path = in_folder(j, folder, "session.json");
    struct jval root;
    bool is_direct = false;
    int code = CLI_GO_ON;

    if (path == NULL || file_read(&text, path) != TACIT_OK ||
        jscan_object(&root, buf_bytes(&text)) != TACIT_OK) {
        code = cli_fail("verify chat", "%s holds no session.json of `tacit chat --save`", folder);
    } else {
        j->request = j->request != NULL ? j->request : in_folder(j, folder, "request.json");
        j->response = j->response != NULL ? j->response : in_folder(j, folder, "response");
        j->signature = j->signature != NULL ? j->signature : in_folder(j, folder, "signature.json");
        j->report_path =
            j->report_path != NULL ? j->report_path : in_folder(j, folder, "report.json");
        if (j->nonce == NULL)
            j->nonce = (const char *)jscan_str_dup(&j->arena, jscan_member(root, "nonce")).ptr;
        if (j->spki == NULL)
            j->spki = (const char *)jscan_str_dup(&j->arena, jscan_member(root, "tls_spki")).ptr;
        if (j->trust.at == NULL)
            j->trust.at = (const char *)jscan_str_dup(&j->arena, jscan_member(root, "at")).ptr;
        if (!jscan_bool(&is_direct, jscan_member(root, "direct")))
            is_direct = false;
        j->is_direct = j->is_direct || is_direct;
    }
    buf_done(&text);
    return code;
}

static int take_signer(struct job *j)
{
    struct bytes text = bytes_of(j->signer);

    if (j->signer == NULL)
        return CLI_GO_ON;
    if (bytes_starts_with(text, BYTES_LIT("0x")))
        text = bytes_slice(text, 2, text.len);
    j->address_len = text.len / 2;
    if ((j->address_len == 20 || j->address_len == ADDRESS_MAX) &&
        hex_decode_fixed(j->address, j->address_len, text) == TACIT_OK)
        return CLI_GO_ON;
    return cli_fail("verify chat", "--signer wants 0x and 40 hex digits, or 64 hex digits");
}

static int judge_report(struct job *j)
{
    if (j->report_path == NULL)
        return CLI_GO_ON;
    if (j->nonce == NULL || hex_decode_fixed(j->opts.nonce, 32, bytes_of(j->nonce)) != TACIT_OK)
        return cli_fail("verify chat",
                        "--nonce wants the 64 hex digits that were sent for the report");
    if (j->spki != NULL && hex_decode_fixed(j->spki_octets, 32, bytes_of(j->spki)) != TACIT_OK)
        return cli_fail("verify chat", "--tls-spki wants 64 hex digits");
    if (file_read(&j->report, j->report_path) != TACIT_OK)
        return cli_fail("verify chat", "cannot read the report %s", j->report_path);
    j->opts.form = j->is_direct ? TACIT_REPORT_NODE : TACIT_REPORT_GATEWAY;
    j->opts.is_node_required = !j->is_direct;
    j->opts.model = j->convo.model;
    j->opts.tls_spki = j->spki != NULL ? j->spki_octets : NULL;
    j->opts.is_tls_required = j->spki != NULL;
    trust_apply(&j->trust, &j->opts);
    if (tacit_report_verify(j->verdict, &j->facts, buf_bytes(&j->report), &j->opts) == TACIT_OK)
        return CLI_GO_ON;
    return cli_fail("verify chat", "the report could not be judged");
}

static int judge(struct job *j, const struct cli_args *args)
{
    int code = args->count == 1 ? take_folder(j, args->items[0]) : CLI_GO_ON;

    if (code != CLI_GO_ON)
        return code;
    if (j->request == NULL || j->response == NULL || j->signature == NULL)
        return cli_fail("verify chat", "give a FOLDER, or --request, --response and --signature");
    if (j->report_path == NULL && j->signer == NULL)
        return cli_fail("verify chat", "give --report (with --nonce) or --signer: a signature by "
                                       "nobody in particular proves nothing");
    if (convo_load(&j->convo, j->request, j->response, j->signature) != TACIT_OK)
        return cli_fail("verify chat", "cannot read request, response or signature, or the request "
                                       "names no model");
    if (!trust_load(&j->trust, "verify chat"))
        return EXIT_UNKNOWN;
    code = take_signer(j);
    if (code == CLI_GO_ON)
        code = judge_report(j);
    if (code != CLI_GO_ON)
        return code;
    convo_check(j->verdict, &j->convo, &j->facts, bytes_make(j->address, j->address_len));
    if (j->is_json)
        return show_verdict_json(stdout, j->verdict);
    show_verdict(stdout, j->verdict, j->is_brief);
    return show_exit_code(j->verdict);
}

static int run(struct job *j, int argc, char **argv)
{
    struct cli_args args;
    const struct cli_opt opts[] = {
        {.name = "request",
         .metavar = "FILE",
         .help = "exact body that was sent",
         .value = &j->request},
        {.name = "response",
         .metavar = "FILE",
         .help = "exact body that was received",
         .value = &j->response},
        {.name = "signature",
         .metavar = "FILE",
         .help = "reply of /v1/signature/{id}",
         .value = &j->signature},
        {.name = "signer",
         .metavar = "ADDRESS",
         .help = "signing address that is expected",
         .value = &j->signer},
        {.name = "report",
         .metavar = "FILE",
         .help = "attestation report that proves the signer",
         .value = &j->report_path},
        {.name = "nonce",
         .metavar = "HEX",
         .help = "nonce that was sent for the report",
         .value = &j->nonce},
        {.name = "tls-spki",
         .metavar = "HEX",
         .help = "SHA-256 of the TLS key that was seen",
         .value = &j->spki},
        {.name = "direct",
         .help = "the report is a node's, not a gateway's",
         .flag = &j->is_direct},
        TRUST_OPTIONS(&j->trust),
        GPU_OPTIONS(&j->trust.gpu),
        {.name = "json", .help = "the verdict as JSON", .flag = &j->is_json},
        {.name = "brief",
         .help = "count passed rows instead of listing them",
         .flag = &j->is_brief},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit verify chat (FOLDER | --request F --response F --signature F) [options]",
        .about =
            "Verifies one exchange: FOLDER is what `tacit chat --save` wrote; options override "
            "its parts.\nOffline; judged as of the time of the exchange unless --at says "
            "otherwise.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .max_args = 1};
    int code = cli_parse(&args, argc, argv, &usage);

    return code == CLI_GO_ON ? judge(j, &args) : code;
}

int cmd_verify_chat(int argc, char **argv)
{
    struct job *j = calloc(1, sizeof *j);
    int code = EXIT_UNKNOWN;

    if (j == NULL)
        return cli_fail("verify chat", "out of memory");
    j->verdict = calloc(1, sizeof *j->verdict);
    j->arena = arena_make(FILE_LIMIT);
    j->report = buf_make(FILE_LIMIT);
    convo_init(&j->convo);
    if (j->verdict != NULL)
        code = run(j, argc, argv);
    convo_done(&j->convo);
    trust_done(&j->trust);
    buf_done(&j->report);
    arena_done(&j->arena);
    free(j->verdict);
    free(j);
    return code;
}
