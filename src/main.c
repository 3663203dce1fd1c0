/* The multi-call program: `tacit COMMAND …`. Holds the table of commands and what every process
 * does first. Global state of programs, where there must be any, lives here. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/args.h"
#include "cli/commands.h"
#ifdef HAVE_GATEWAY
#include "gateway/gateway.h"
#endif
#ifdef HAVE_NODE
#include "node/node.h"
#endif

struct command {
    const char *name;
    const char *help;
    int (*main)(int argc, char **argv);
};

static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
    {"up", "everything on this machine, with a simulated TEE", cmd_up},
    {"chat", "ask a verified server, verify the answer", cmd_chat},
#ifdef HAVE_GATEWAY
    {"gateway", "run the gateway: keys, routing, attestation of nodes", gateway_main},
#endif
#ifdef HAVE_NODE
    {"node", "run a node beside an engine: hashes, signs, attests", node_main},
#endif
    {"keys", "create, list and revoke API keys of a gateway", cmd_keys},
    {"sim", "the simulated TEE: quotes, faults, services", cmd_sim},
    {"verify", "verify evidence: a quote, a report, a GPU, a conversation", cmd_verify},
    {"attest", "print this machine's evidence", cmd_attest},
    {"collateral", "fetch, show or check what quotes are judged by", cmd_collateral},
    {"doctor", "which TEE is here, and is it in order", cmd_doctor},
    {"help", "this list", cmd_help},
};

static void print_commands(FILE *f)
{
    (void)fprintf(f, "usage: tacit COMMAND …\n\ncommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(f, "  %-11s %s\n", commands[i].name, commands[i].help);
    (void)fprintf(f,
                  "\n`tacit COMMAND --help` says more about one; `tacit --version` the version.\n");
}

static int cmd_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    print_commands(stdout);
    return 0;
}

/* Keys and prompts must not reach a core file or another process of the same user. A limit of 1
 * also stops cores that the kernel would pipe to a program, which 0 does not (core(5)). The address
 * sanitizer's leak check traces its own process, so sanitized builds stay traceable. */
static void harden(void)
{
    struct rlimit none = {1, 1};

    (void)setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that left is an error of write, not our death */
}

int main(int argc, char **argv)
{
    harden();
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("tacit %s\n", TACIT_VERSION);
        return 0;
    }
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return cmd_help(0, NULL);
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    if (argc >= 2)
        (void)fprintf(stderr, "tacit: there is no command '%s'\n", argv[1]);
    print_commands(stderr);
    return EXIT_UNKNOWN;
}
