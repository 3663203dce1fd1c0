/* `tacit up`: everything on this machine, with a simulated TEE: for trying, developing and testing.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/up_priv.h"
#include "codec/base64.h"

enum { PIN_MAX = 64 };

static void print_lines(const struct up *up)
{
    uint8_t mem[PIN_MAX];
    struct buf pin = buf_over(mem, sizeof mem);
    const char *bold = show_colour(stdout, 'b');
    const char *off = show_colour(stdout, '0');

    base64_encode(&pin, BYTES_ARRAY(up->gateway_spki), BASE64_STD);
    (void)printf(
        "\n%stacit is up.%s TEE and GPUs are SIMULATED: they prove nothing about this machine.\n\n",
        bold, off);
    (void)printf("  URL      https://127.0.0.1:%u/v1\n", up->gateway_port);
    (void)printf("  API key  %s\n", up->key_text);
    (void)printf("  model    %s\n  nodes    %zu\n  GPUs     %u for each node\n  folder   %s\n",
                 up->model_name, up->node_count, up->gpu_count, up->folder);
    (void)printf("\n%sAsk and verify:%s\n  tacit chat --up %s \"What is the capital of France?\"\n",
                 bold, off, up->folder);
    (void)printf(
        "\n%scurl%s, pinned to the TLS key that the attestation proved:\n"
        "  curl -k --pinnedpubkey 'sha256//%.*s' https://127.0.0.1:%u/v1/chat/completions \\\n"
        "    -H 'authorization: Bearer %s' -H 'content-type: application/json' \\\n"
        "    -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}'\n",
        bold, off, BYTES_FMT(buf_bytes(&pin)), up->gateway_port, up->key_text, up->model_name);
    (void)printf(
        "\n%sOpenAI SDK%s (any language; here JavaScript, started with\n"
        "NODE_TLS_REJECT_UNAUTHORIZED=0 because the certificate is attested, not bought):\n"
        "  const client = new OpenAI({ baseURL: \"https://127.0.0.1:%u/v1\", apiKey: \"%s\" });\n"
        "  await client.chat.completions.create({ model: \"%s\",\n"
        "    messages: [{ role: \"user\", content: \"hello\" }] });\n",
        bold, off, up->gateway_port, up->key_text, up->model_name);
    (void)printf("\nCtrl-C stops everything.\n");
    (void)fflush(stdout);
}

/* Signals are waited for, not handled; children get an empty mask again. */
static void block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static int bring_up(struct up *up)
{
    bool is_up;

    block_signals();
    if (!up_find(up) || !up_write(up) || !up_make_key(up))
        return cli_fail("up", "%s", up->why);
    (void)fprintf(stderr, "tacit up: starting %zu nodes and a gateway in %s\n", up->node_count,
                  up->folder);
    is_up = up_start(up) && up_announce(up);
    if (is_up) {
        if (!up->is_quiet)
            print_lines(up);
        up_watch(up);
        (void)fprintf(stderr, "tacit up: stopping; running answers may finish\n");
    }
    up_stop(up);
    if (!is_up)
        return cli_fail("up", "%s", up->why);
    (void)fprintf(stderr, "tacit up: stopped\n");
    return 0;
}

int cmd_up(int argc, char **argv)
{
    struct up *up = calloc(1, sizeof *up);
    struct cli_args args;
    int code;

    if (up == NULL)
        return cli_fail("up", "out of memory");
    up->lock_fd = -1;
    up->grace = "20s";
    const struct cli_opt opts[] = {
        {.name = "dir",
         .metavar = "DIR",
         .help = "folder for all state (default ~/.local/state/tacit)",
         .value = &up->folder_option},
        {.name = "model",
         .metavar = "FILE",
         .help = "GGUF model (default: Pebble, the demo model)",
         .value = &up->model_file},
        {.name = "model-name",
         .metavar = "NAME",
         .help = "what clients call it (default: from the file)",
         .value = &up->model_name},
        {.name = "engine",
         .metavar = "FILE",
         .help = "llama-server (default: the one `make engine` built)",
         .value = &up->engine},
        {.name = "engine-url",
         .metavar = "URL",
         .help = "an OpenAI-compatible engine that runs already, instead",
         .value = &up->engine_url},
        {"nodes", "N", "how many nodes, 1 to 8 (default 2)", NULL, &up->nodes_option, NULL},
        {.name = "gpus",
         .metavar = "N",
         .help = "simulated GPUs of each node, 0 to 8 (default 1)",
         .value = &up->gpus_option},
        {.name = "port",
         .metavar = "PORT",
         .help = "of the gateway on localhost (default: a free one)",
         .value = &up->port_option},
        {.name = "grace",
         .metavar = "TIME",
         .help = "for running answers when stopping (default 20s)",
         .value = &up->grace},
        {.name = "quiet", .help = "print no URL, key and examples", .flag = &up->is_quiet},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit up [options]",
        .about =
            "Runs a simulated platform, nodes with an engine each, and a gateway on this machine, "
            "until Ctrl-C.\nEvery key is new at each start; nothing is left running.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts)};
    code = cli_parse(&args, argc, argv, &usage);
    if (code == CLI_GO_ON) {
        code = bring_up(up);
        up_forget(up);
    }
    free(up);
    return code;
}
