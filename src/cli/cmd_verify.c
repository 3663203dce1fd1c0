/* `tacit verify KIND …`: hands over to the verifier of that kind. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/args.h"
#include "cli/commands.h"

static const struct {
    const char *name;
    const char *help;
    int (*main)(int argc, char **argv);
} kinds[] = {
    {"report", "a whole attestation report of a gateway or node", cmd_verify_report},
    {"chat", "one saved exchange: request, reply, signature", cmd_verify_chat},
    {"gpu", "evidence of NVIDIA GPUs and switches", cmd_verify_gpu},
    {"quote", "one SGX or TDX quote with its collateral", cmd_verify_quote},
    {"snp", "one AMD SEV-SNP report with its certificates", cmd_verify_snp},
    {NULL, NULL, NULL}, /* ends the table */
};

static void print_kinds(FILE *f)
{
    (void)fprintf(f, "usage: tacit verify KIND …\n\nkinds:\n");
    for (size_t i = 0; kinds[i].name != NULL; i++)
        (void)fprintf(f, "  %-10s %s\n", kinds[i].name, kinds[i].help);
    (void)fprintf(f, "\nexit code: 0 trusted, 1 refused, 2 could not be evaluated\n");
}

int cmd_verify(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_kinds(stdout);
        return 0;
    }
    for (size_t i = 0; argc >= 2 && kinds[i].name != NULL; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            return kinds[i].main(argc - 1, argv + 1);
    if (argc >= 2)
        (void)cli_fail("verify", "there is no kind '%s'", argv[1]);
    print_kinds(stderr);
    return EXIT_UNKNOWN;
}
