/* `tacit sim gpu`: evidence of simulated GPUs for a nonce, and the roots and manifests that a
 * verifier must be given. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/sim_cli.h"
#include "codec/hex.h"

enum { EVIDENCE_MAX = 1 << 20, GPUS_MAX = 8 };

static const char command[] = "sim gpu";

bool sim_gpu_fault_exists(const char *name)
{
    size_t count;
    const struct sim_gpu_fault_info *list = sim_gpu_faults(&count);

    for (size_t i = 0; name != NULL && i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

static int evidence_print(struct sim_gpu *g, const uint8_t nonce[static 32], bool is_switches)
{
    struct buf json = buf_make(EVIDENCE_MAX);
    enum tacit_err err =
        is_switches ? sim_gpu_switches(g, &json, nonce) : sim_gpu_payload(g, &json, nonce);
    int code = EXIT_REFUSED;

    if (err == TACIT_OK && buf_cstr(&json) != NULL && puts(buf_cstr(&json)) >= 0)
        code = 0;
    buf_done(&json);
    return code;
}

int cmd_sim_gpu(int argc, char **argv)
{
    const char *nonce_hex = NULL, *fault = NULL, *count_text = "1";
    bool is_switches = false;
    const struct cli_opt opts[] = {
        {"nonce", "HEX", "the nonce to sign, 64 digits", NULL, &nonce_hex, NULL},
        {"count", "N", "GPUs, 1 to 8 (default 1)", NULL, &count_text, NULL},
        {"fault", "NAME", "go wrong: see `tacit sim faults`", NULL, &fault, NULL},
        {"switches", NULL, "print the switches' list instead (empty for this machine)",
         &is_switches, NULL, NULL},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit sim gpu DIR --nonce HEX [options]",
        .about = "Prints evidence of the simulated GPUs of DIR as nvidia_payload, and writes "
                 "gpu-device-root.pem, gpu-rim-root.pem, gpu-nras-root.pem and gpu-rim/ there.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .min_args = 1,
        .max_args = 1};
    struct sim_gpu *g = NULL;
    struct sim *sim = NULL;
    struct cli_args args;
    uint8_t nonce[32];
    uint64_t count;
    int64_t now;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    if (nonce_hex == NULL ||
        hex_decode_fixed(nonce, sizeof(nonce), bytes_of(nonce_hex)) != TACIT_OK)
        return cli_fail(command, "--nonce wants 64 hexadecimal digits");
    if (!cli_number(&count, count_text, GPUS_MAX) || count == 0)
        return cli_fail(command, "--count wants a number from 1 to 8");
    if (!sim_cli_time(&now, command, NULL) || !sim_cli_open(&sim, command, args.items[0], NULL))
        return EXIT_UNKNOWN;
    code = EXIT_UNKNOWN;
    if (sim_gpu_open(&g, sim, (unsigned)count, now) != TACIT_OK ||
        sim_gpu_export(g, args.items[0]) != TACIT_OK)
        (void)cli_fail(command, "the simulated GPUs cannot be made or written");
    else if (sim_gpu_set_fault(g, fault) != TACIT_OK)
        (void)cli_fail(command, "there is no GPU fault '%s': see `tacit sim faults`", fault);
    else
        code = evidence_print(g, nonce, is_switches);
    sim_gpu_free(g);
    sim_free(sim);
    return code;
}
