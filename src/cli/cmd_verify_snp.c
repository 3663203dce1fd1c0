/* `tacit verify snp`: one AMD SEV-SNP report with its certificates. */
#include <stdio.h>
#include <stdlib.h>

#include <tacit/snp.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utc.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "codec/hex.h"
#include "crypto/x509.h"

enum { MEASUREMENT_LEN = 48, REPORT_DATA_LEN = 64, CERTS_MAX = 4 };

static const char command[] = "verify snp";

struct job {
    const char *leaf_path, *chain_path, *crl_path, *root_path, *at, *report_data, *measurement;
    bool is_json, is_brief, has_no_policy, is_crl_required;
    struct arena arena;
    struct tacit_snp_input in;
    struct tacit_snp_policy policy;
    uint8_t wanted[REPORT_DATA_LEN], measured[MEASUREMENT_LEN];
    struct bytes measured_view;
};

static bool load(struct job *j, struct bytes *out, const char *path, const char *what)
{
    struct buf file = buf_make(LIMIT_CRL_BYTES);
    bool is_read;

    if (path == NULL)
        return true;
    is_read = file_read(&file, path) == TACIT_OK;
    *out = is_read ? arena_dup(&j->arena, buf_bytes(&file)) : (struct bytes){NULL, 0};
    buf_done(&file);
    if (out->ptr == NULL)
        (void)cli_fail(command, "cannot read the %s %s", what, path);
    return out->ptr != NULL;
}

/* Certificates come as PEM or as DER. */
static bool load_cert(struct job *j, struct bytes *der, const char *path, const char *what)
{
    struct x509_cert certs[CERTS_MAX];
    size_t count;

    if (!load(j, der, path, what))
        return false;
    if (path == NULL || !bytes_starts_with(bytes_trim(*der), BYTES_LIT("-----BEGIN")))
        return true;
    if (x509_parse_pem(certs, CERTS_MAX, &count, *der, &j->arena) != TACIT_OK || count != 1) {
        (void)cli_fail(command, "%s does not hold exactly one certificate", path);
        return false;
    }
    *der = certs[0].der;
    return true;
}

static bool hex_read(uint8_t *out, size_t len, const char *text, const char *option)
{
    if (text == NULL || hex_decode_fixed(out, len, bytes_of(text)) == TACIT_OK)
        return true;
    (void)cli_fail(command, "--%s wants %zu hex digits", option, 2 * len);
    return false;
}

static bool prepare(struct job *j, const char *report_path)
{
    j->in.now_unix_s = clock_unix_s();
    if (j->at != NULL && utc_parse(&j->in.now_unix_s, bytes_of(j->at)) != TACIT_OK) {
        (void)cli_fail(command, "--at wants YYYY-MM-DDThh:mm:ssZ");
        return false;
    }
    if (j->leaf_path == NULL || j->chain_path == NULL) {
        (void)cli_fail(command, "--leaf and --chain are needed");
        return false;
    }
    if (!load(j, &j->in.report, report_path, "report") ||
        !load_cert(j, &j->in.leaf_der, j->leaf_path, "leaf certificate") ||
        !load(j, &j->in.chain_pem, j->chain_path, "chain") ||
        !load(j, &j->in.crl_der, j->crl_path, "revocation list") ||
        !load_cert(j, &j->in.root_der, j->root_path, "root certificate") ||
        !hex_read(j->wanted, REPORT_DATA_LEN, j->report_data, "report-data") ||
        !hex_read(j->measured, MEASUREMENT_LEN, j->measurement, "measurement"))
        return false;
    j->in.report_data = j->report_data == NULL ? NULL : j->wanted;
    j->measured_view = BYTES_ARRAY(j->measured);
    if (j->measurement != NULL)
        j->policy.measurement = (struct tacit_snp_pins){&j->measured_view, 1};
    j->in.policy = j->has_no_policy ? NULL : &j->policy;
    j->in.is_crl_required = j->is_crl_required;
    return true;
}

static void facts_print(const struct tacit_snp_result *r)
{
    char hex[2 * MEASUREMENT_LEN + 1];

    if (!r->is_genuine)
        return;
    hex_encode(hex, sizeof(hex), r->report.measurement);
    (void)printf("\nproduct      %s, signed by %s\n", tacit_snp_product_name(r->product),
                 r->key == TACIT_SNP_VLEK ? "VLEK" : "VCEK");
    (void)printf("TCB          boot loader %u, TEE %u, SNP %u, microcode %u",
                 r->reported.boot_loader, r->reported.tee, r->reported.snp, r->reported.microcode);
    if (r->product == TACIT_SNP_TURIN)
        (void)printf(", FMC %u", r->reported.fmc);
    (void)printf("\nmeasurement  %s\n", hex);
}

static int judge(struct job *j)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct tacit_snp_result result;
    enum tacit_err err = v == NULL ? TACIT_NOMEM : tacit_snp_verify(v, &result, &j->in);
    int code;

    if (err != TACIT_OK) {
        code = cli_fail(command, "the report could not be evaluated: %s", tacit_err_text(err));
    } else {
        if (j->is_json)
            (void)show_verdict_json(stdout, v);
        else
            show_verdict(stdout, v, j->is_brief);
        if (!j->is_json)
            facts_print(&result);
        code = show_exit_code(v);
    }
    free(v);
    return code;
}

int cmd_verify_snp(int argc, char **argv)
{
    struct job j = {0};
    const struct cli_opt opts[] = {
        {.name = "leaf",
         .metavar = "FILE",
         .help = "VCEK or VLEK certificate, DER or PEM",
         .value = &j.leaf_path},
        {.name = "chain",
         .metavar = "FILE",
         .help = "ASK (or ASVK) and ARK in PEM",
         .value = &j.chain_path},
        {.name = "crl",
         .metavar = "FILE",
         .help = "the ARK's revocation list, DER",
         .value = &j.crl_path},
        {.name = "require-crl", .help = "refuse without it", .flag = &j.is_crl_required},
        {.name = "trust-root",
         .metavar = "FILE",
         .help = "ARK instead of AMD's, PEM or DER (verdicts then say SIMULATED)",
         .value = &j.root_path},
        {.name = "report-data",
         .metavar = "HEX",
         .help = "what REPORT_DATA must be",
         .value = &j.report_data},
        {.name = "measurement",
         .metavar = "HEX",
         .help = "what the launch measurement must be",
         .value = &j.measurement},
        {.name = "no-policy", .help = "genuine is enough", .flag = &j.has_no_policy},
        {.name = "at",
         .metavar = "TIME",
         .help = "judge as of YYYY-MM-DDThh:mm:ssZ",
         .value = &j.at},
        {.name = "brief", .help = "count passed rows only", .flag = &j.is_brief},
        {.name = "json", .help = "the verdict as JSON", .flag = &j.is_json},
    };
    const struct cli_usage usage = {
        "tacit verify snp FILE --leaf FILE --chain FILE [options]",
        "Verifies one AMD SEV-SNP attestation report (Milan, Genoa, Turin) offline.",
        opts,
        ARRAY_LEN(opts),
        1,
        1};
    struct cli_args args;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    j.arena = arena_make(8 * LIMIT_CRL_BYTES);
    code = prepare(&j, args.items[0]) ? judge(&j) : EXIT_UNKNOWN;
    arena_done(&j.arena);
    return code;
}
