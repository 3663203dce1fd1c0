/* `tacit verify gpu`: evidence of NVIDIA GPUs and switches in files, judged offline. Everything
 * that is believed comes from options: nonce, time, roots, reference manifests, answers of
 * services. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <tacit/gpu.h>

#include "attest/verdict.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utc.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/gpu_opts.h"
#include "cli/show.h"
#include "codec/hex.h"
#include "codec/jwrite.h"

enum { GPU_CLI_MEMORY = 32 * 1024 * 1024, GPU_CLI_FILE = 2 * 1024 * 1024, GPU_CLI_PATH = 4096 };

static const char command[] = "verify gpu";

struct job {
    const char *nonce, *at, *chain, *switches, *policy_path;
    const char *device_root, *rim_root, *nras, *nras_jwks, *nras_root, *nras_issuer;
    struct cli_list rim_paths, ocsp_paths;
    struct gpu_opts services; /* addresses and cache only */
    struct gpu_refs *refs;
    struct gpu_refs_set collected;
    bool is_json, is_brief;
    struct arena arena; /* every file that was read */
    struct bytes evidence;
    struct tacit_gpu_rim rims[LIMIT_RIMS];
    struct tacit_gpu_ocsp ocsp[LIMIT_OCSP_ANSWERS];
    struct tacit_gpu_nras answer;
    struct tacit_gpu_policy policy;
    struct tacit_gpu_opts opts;
    struct tacit_gpu_facts facts;
};

/* Reads a file that an option names; false after an explanation. path NULL: nothing to read. */
static bool load(struct job *j, struct bytes *out, const char *path)
{
    struct buf file = buf_make(GPU_CLI_FILE);

    *out = (struct bytes){NULL, 0};
    if (path != NULL && file_read(&file, path) == TACIT_OK)
        *out = arena_dup(&j->arena, buf_bytes(&file));
    buf_done(&file);
    if (path == NULL || out->ptr != NULL)
        return true;
    (void)cli_fail(command, "cannot read %s (at most 2 MiB)", path);
    return false;
}

static bool rim_add(struct job *j, const char *path)
{
    if (j->opts.rim_count == LIMIT_RIMS) {
        (void)cli_fail(command, "more than %d manifests: name those that are meant", LIMIT_RIMS);
        return false;
    }
    j->rims[j->opts.rim_count].role = TACIT_GPU_RIM_ANY;
    return load(j, &j->rims[j->opts.rim_count++].xml, path);
}

static bool has_suffix(const char *name, const char *suffix)
{
    return bytes_ends_with(bytes_of(name), bytes_of(suffix));
}

static int is_manifest(const struct dirent *e)
{
    return has_suffix(e->d_name, ".xml") || has_suffix(e->d_name, ".swidtag");
}

/* A folder's files by the ids that the evidence asks for; all of them if none is there by name. */
static bool rim_folder(struct job *j, const char *dir)
{
    char(*ids)[128] = arena_alloc(&j->arena, LIMIT_RIMS * sizeof(*ids));
    size_t wanted = ids == NULL ? 0 : tacit_gpu_rim_ids(ids, LIMIT_RIMS, j->evidence);
    size_t before = j->opts.rim_count;
    struct dirent **list = NULL;
    char path[GPU_CLI_PATH];
    bool ok = true;
    int count;

    for (size_t i = 0; i < wanted && ok; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.xml", dir, ids[i]);
        ok = !file_exists(path) || rim_add(j, path);
    }
    count = ok && j->opts.rim_count == before ? scandir(dir, &list, is_manifest, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
        ok = ok && rim_add(j, path);
        free(list[i]);
    }
    free(list);
    return ok;
}

static bool rims_load(struct job *j)
{
    for (size_t i = 0; i < j->rim_paths.count; i++) {
        const char *path = j->rim_paths.items[i];
        struct stat st;
        bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

        if (is_folder ? !rim_folder(j, path) : !rim_add(j, path))
            return false;
    }
    j->opts.rims = j->rims;
    return true;
}

static bool answers_load(struct job *j)
{
    for (size_t i = 0; i < j->ocsp_paths.count; i++)
        if (!load(j, &j->ocsp[i].der, j->ocsp_paths.items[i]))
            return false;
    j->opts.ocsp = j->ocsp;
    j->opts.ocsp_count = j->ocsp_paths.count;
    if ((j->nras == NULL) != (j->nras_jwks == NULL)) {
        (void)cli_fail(command, "--nras and --nras-jwks are only of use together");
        return false;
    }
    if (j->nras == NULL)
        return true;
    j->answer.issuer = j->nras_issuer;
    j->opts.nras = &j->answer;
    return load(j, &j->answer.response, j->nras) && load(j, &j->answer.jwks, j->nras_jwks) &&
           load(j, &j->answer.intermediate, j->nras_root);
}

static bool policy_load(struct job *j)
{
    struct bytes json;
    char why[256];

    if (j->policy_path == NULL)
        return true;
    if (!load(j, &json, j->policy_path))
        return false;
    if (tacit_gpu_policy_parse(&j->policy, json, why) != TACIT_OK) {
        (void)cli_fail(command, "%s: %s", j->policy_path, why);
        return false;
    }
    j->opts.policy = &j->policy;
    return true;
}

/* What the services that are named say about this very evidence, behind what files hold. Whatever
 * is missing is told, and missed by the rows. */
static bool services_ask(struct job *j)
{
    struct gpu_refs_opts opts = {.rim_url = j->services.rim_url,
                                 .ocsp_url = j->services.ocsp_url,
                                 .device_root = j->opts.device_root,
                                 .rim_root = j->opts.rim_root,
                                 .cache_dir = j->services.cache_dir,
                                 .rim_expired_days = j->policy.rim_expired_days};
    struct gpu_refs_need need = {j->evidence, j->opts.switches, j->rims, j->opts.rim_count};
    enum tacit_err err;

    if (opts.rim_url == NULL && opts.ocsp_url == NULL)
        return true;
    if (j->chain != NULL) {
        (void)cli_fail(command, "services are asked about lists of evidence, not about --chain");
        return false;
    }
    err = gpu_refs_new(&j->refs, &opts);
    if (err != TACIT_OK) {
        (void)cli_fail(command, "a root is no certificate, or the cache cannot be used: %s",
                       tacit_err_text(err));
        return false;
    }
    if (gpu_refs_collect(j->refs, &j->collected, &need) != TACIT_OK)
        (void)fprintf(stderr, "tacit verify gpu: %s\n", j->collected.why);
    j->opts.rims = j->collected.rims;
    j->opts.rim_count = j->collected.rim_count;
    for (size_t i = 0; i < j->collected.ocsp_count && j->opts.ocsp_count < ARRAY_LEN(j->ocsp); i++)
        j->ocsp[j->opts.ocsp_count++] = j->collected.ocsp[i];
    if (opts.ocsp_url != NULL && j->policy_path == NULL) {
        j->policy.is_ocsp_required = true;
        j->opts.policy = &j->policy;
    }
    return true;
}

static bool job_load(struct job *j, const char *path)
{
    j->opts.now_unix_s = clock_unix_s();
    if (j->nonce == NULL ||
        hex_decode_fixed(j->opts.nonce, sizeof(j->opts.nonce), bytes_of(j->nonce)) != TACIT_OK) {
        (void)cli_fail(command, "--nonce wants the 64 hex digits that were asked with");
        return false;
    }
    if (j->at != NULL && utc_parse(&j->opts.now_unix_s, bytes_of(j->at)) != TACIT_OK) {
        (void)cli_fail(command, "--at wants YYYY-MM-DDThh:mm:ssZ");
        return false;
    }
    return load(j, &j->evidence, path) && load(j, &j->opts.switches, j->switches) &&
           load(j, &j->opts.device_root, j->device_root) &&
           load(j, &j->opts.rim_root, j->rim_root) && policy_load(j) && rims_load(j) &&
           answers_load(j) && gpu_opts_urls(&j->services, command) && services_ask(j);
}

static enum tacit_err judge(struct job *j, struct tacit_verdict *v)
{
    struct tacit_gpu_item item = {.report = j->evidence};

    if (j->chain == NULL)
        return tacit_gpu_verify(v, &j->facts, j->evidence, &j->opts);
    if (!load(j, &item.chain_pem, j->chain))
        return TACIT_IO;
    return tacit_gpu_verify_items(v, &j->facts, &item, 1, &j->opts);
}

static void device_json(struct jw *w, const struct tacit_gpu_device *d)
{
    jw_object(w);
    jw_key_cstr(w, "kind", d->is_switch ? "switch" : "gpu");
    jw_key(w, "trusted"), jw_bool(w, d->is_trusted);
    jw_key_cstr(w, "arch", tacit_gpu_arch_name(d->arch));
    jw_key_cstr(w, "mode", tacit_gpu_mode_name(d->mode));
    jw_key_cstr(w, "driver", d->driver);
    jw_key_cstr(w, "vbios", d->vbios);
    jw_key_cstr(w, "ueid", d->ueid);
    jw_key(w, "pdi"), jw_hex(w, BYTES_ARRAY(d->pdi));
    jw_key_cstr(w, "driver_rim_id", d->driver_rim_id);
    jw_key_cstr(w, "vbios_rim_id", d->vbios_rim_id);
    jw_end(w);
}

static int print_json(const struct job *j, const struct tacit_verdict *v)
{
    struct buf out = buf_make(GPU_CLI_FILE);
    struct jw w;
    int code = EXIT_UNKNOWN;

    buf_putc(&out, '{');
    verdict_json(&out, v, true);
    buf_puts(&out, ",\"devices\":");
    w = jw_make(&out);
    jw_array(&w);
    for (size_t i = 0; i < j->facts.count; i++)
        device_json(&w, &j->facts.devices[i]);
    jw_end(&w);
    buf_puts(&out, "}\n");
    if (buf_err(&out) == TACIT_OK && fwrite(out.ptr, 1, out.len, stdout) == out.len)
        code = show_exit_code(v);
    buf_done(&out);
    return code;
}

static void print_table(const struct job *j, const struct tacit_verdict *v)
{
    for (size_t i = 0; i < j->facts.count; i++) {
        const struct tacit_gpu_device *d = &j->facts.devices[i];

        printf("%s %zu: %s %s%s%s, VBIOS %s, device %s\n", d->is_switch ? "switch" : "GPU", i,
               tacit_gpu_arch_name(d->arch), tacit_gpu_mode_name(d->mode),
               d->is_switch ? "" : ", driver ", d->driver, d->vbios, d->ueid);
    }
    show_verdict(stdout, v, j->is_brief);
}

static int job_run(struct job *j, const struct cli_args *args)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    int code = EXIT_UNKNOWN;
    enum tacit_err err;

    if (v == NULL || !job_load(j, args->items[0])) {
        free(v);
        return EXIT_UNKNOWN;
    }
    err = judge(j, v);
    if (err == TACIT_USAGE)
        code = cli_fail(command, "--trust-root or --rim-root is no certificate");
    else if (err == TACIT_OK && j->is_json)
        code = print_json(j, v);
    else if (err == TACIT_OK) {
        print_table(j, v);
        code = show_exit_code(v);
    }
    free(v);
    return code;
}

int cmd_verify_gpu(int argc, char **argv)
{
    struct job *j = calloc(1, sizeof(*j));
    struct cli_args args;
    int code;

    if (j == NULL)
        return EXIT_UNKNOWN;
    const struct cli_opt opts[] = {
        {"nonce", "HEX", "the nonce that the devices must have signed", NULL, &j->nonce, NULL},
        {"chain", "FILE", "FILE is one raw report, this its PEM chain", NULL, &j->chain, NULL},
        {"switches", "FILE", "evidence list of the NVSwitches", NULL, &j->switches, NULL},
        {"rim", "PATH", "reference manifest, or folder of <id>.xml", NULL, NULL, &j->rim_paths},
        {"ocsp", "FILE", "OCSP answer, DER", NULL, NULL, &j->ocsp_paths},
        {"nras", "FILE", "answer of NVIDIA's attestation service", NULL, &j->nras, NULL},
        {"nras-jwks", "FILE", "the service's keys", NULL, &j->nras_jwks, NULL},
        {"nras-root", "FILE", "issuer of these keys, not NVIDIA's", NULL, &j->nras_root, NULL},
        {"nras-issuer", "URL", "issuer named in the tokens", NULL, &j->nras_issuer, NULL},
        {"at", "TIME", "judge as of YYYY-MM-DDThh:mm:ssZ", NULL, &j->at, NULL},
        {"trust-root", "FILE", "device root, not NVIDIA's (SIMULATED)", NULL, &j->device_root,
         NULL},
        {"rim-root", "FILE", "manifest root, not NVIDIA's (SIMULATED)", NULL, &j->rim_root, NULL},
        {"policy", "FILE", "appraisal policy, JSON", NULL, &j->policy_path, NULL},
        GPU_SERVICE_OPTIONS(&j->services),
        {"json", NULL, "the verdict as JSON", &j->is_json, NULL, NULL},
        {"brief", NULL, "count passed rows instead of listing them", &j->is_brief, NULL, NULL},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit verify gpu FILE --nonce HEX [options]",
        .about = "Verifies evidence of NVIDIA GPUs and switches, offline unless a service is "
                 "named: FILE is a nvidia_payload, "
                 "a list of {evidence, certificate}, or with --chain one raw report.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .min_args = 1,
        .max_args = 1};

    j->arena = arena_make(GPU_CLI_MEMORY);
    code = cli_parse(&args, argc, argv, &usage);
    if (code == CLI_GO_ON)
        code = job_run(j, &args);
    gpu_refs_set_done(&j->collected);
    gpu_refs_free(j->refs);
    arena_done(&j->arena);
    free(j);
    return code;
}
