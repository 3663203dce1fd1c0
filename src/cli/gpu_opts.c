/* Options about GPUs: see gpu_opts.h. */
#include "cli/gpu_opts.h"

static bool url_read(const char **url, const char *usual, const char *option, const char *command)
{
    if (*url == NULL)
        return true;
    if (strcmp(*url, "nvidia") == 0)
        *url = usual;
    if (bytes_starts_with(bytes_of(*url), BYTES_LIT("https://")) ||
        bytes_starts_with(bytes_of(*url), BYTES_LIT("http://")))
        return true;
    (void)cli_fail(command, "--%s wants a URL (https://host) or the word nvidia", option);
    return false;
}

bool gpu_opts_urls(struct gpu_opts *g, const char *command)
{
    return url_read(&g->rim_url, GPU_REFS_RIM_URL, "rim-service", command) &&
           url_read(&g->ocsp_url, GPU_REFS_OCSP_URL, "ocsp-service", command);
}

bool gpu_opts_load(struct gpu_opts *g, const char *proxy, const char *command)
{
    char why[GPU_TRUST_WHY_LEN];
    struct gpu_trust_opts opts = {.root_path = g->root_path,
                                  .rim_root_path = g->rim_root_path,
                                  .rim_paths = g->rims.items,
                                  .rim_path_count = g->rims.count,
                                  .policy_path = g->policy_path,
                                  .cache_dir = g->cache_dir,
                                  .proxy = proxy};

    if (g->demand != NULL && strcmp(g->demand, "required") != 0 &&
        strcmp(g->demand, "if-present") != 0) {
        (void)cli_fail(command, "--gpu wants required or if-present");
        return false;
    }
    if (!gpu_opts_urls(g, command))
        return false;
    opts.rim_url = g->rim_url;
    opts.ocsp_url = g->ocsp_url;
    if (gpu_trust_load(&g->trust, &opts, why) == TACIT_OK)
        return true;
    (void)cli_fail(command, "%s", why);
    return false;
}

void gpu_opts_apply(struct gpu_opts *g, struct tacit_report_opts *opts)
{
    gpu_trust_done(&g->use);
    gpu_trust_apply(g->trust, &g->use, opts);
    opts->gpu_demand = g->demand != NULL && strcmp(g->demand, "required") == 0
                           ? TACIT_GPU_REQUIRED
                           : TACIT_GPU_IF_PRESENT;
}

void gpu_opts_done(struct gpu_opts *g)
{
    gpu_trust_done(&g->use);
    gpu_trust_free(g->trust);
    g->trust = NULL;
}
