/* Loading what is believed about GPUs. Invariant: after gpu_trust_load nothing in it changes but
 * the cache behind `refs`, so that all threads may use it. */
#include "net/gpu_trust.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

enum { PATH_LEN = 4096, POLICY_MAX = 256 * 1024 };

struct gpu_trust {
    struct buf root, rim_root, policy_file;
    struct buf rim_files[LIMIT_RIMS];
    struct tacit_gpu_rim rims[LIMIT_RIMS];
    size_t rim_count;
    struct tacit_gpu_policy policy;
    bool has_policy;
    struct gpu_refs *refs; /* NULL: no service is asked */
};

static enum tacit_err file_load(struct buf *out, size_t limit, const char *path, const char *what,
                                char why[static GPU_TRUST_WHY_LEN])
{
    enum tacit_err err = TACIT_OK;

    *out = buf_make(limit);
    if (path != NULL)
        err = file_read(out, path);
    if (err == TACIT_OK && path != NULL && out->len == 0)
        err = TACIT_FORMAT;
    if (err != TACIT_OK)
        (void)snprintf(why, GPU_TRUST_WHY_LEN, "cannot read the %s %.150s: %s", what, path,
                       tacit_err_text(err));
    return err;
}

static enum tacit_err rim_load(struct gpu_trust *t, const char *path,
                               char why[static GPU_TRUST_WHY_LEN])
{
    enum tacit_err err;

    if (t->rim_count == LIMIT_RIMS) {
        (void)snprintf(why, GPU_TRUST_WHY_LEN, "more than %d manifests: %.150s is one too many",
                       LIMIT_RIMS, path);
        return TACIT_LIMIT;
    }
    err = file_load(&t->rim_files[t->rim_count], LIMIT_RIM_BYTES, path, "manifest", why);
    t->rims[t->rim_count].xml = buf_bytes(&t->rim_files[t->rim_count]);
    t->rim_count++;
    return err;
}

static int is_manifest(const struct dirent *e)
{
    struct bytes name = bytes_of(e->d_name);

    return bytes_ends_with(name, BYTES_LIT(".xml")) || bytes_ends_with(name, BYTES_LIT(".swidtag"));
}

static enum tacit_err folder_load(struct gpu_trust *t, const char *folder,
                                  char why[static GPU_TRUST_WHY_LEN])
{
    struct dirent **list = NULL;
    char path[PATH_LEN];
    int count = scandir(folder, &list, is_manifest, alphasort);
    enum tacit_err err = count >= 0 ? TACIT_OK : TACIT_IO;

    if (err != TACIT_OK)
        (void)snprintf(why, GPU_TRUST_WHY_LEN, "cannot read the folder of manifests %.150s",
                       folder);
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%.3800s/%s", folder, list[i]->d_name);
        if (err == TACIT_OK)
            err = rim_load(t, path, why);
        free(list[i]);
    }
    free(list);
    return err;
}

static enum tacit_err rims_load(struct gpu_trust *t, const struct gpu_trust_opts *o,
                                char why[static GPU_TRUST_WHY_LEN])
{
    enum tacit_err err = TACIT_OK;

    for (size_t i = 0; i < o->rim_path_count && err == TACIT_OK; i++) {
        struct stat st;
        bool is_folder = stat(o->rim_paths[i], &st) == 0 && S_ISDIR(st.st_mode);

        err = is_folder ? folder_load(t, o->rim_paths[i], why) : rim_load(t, o->rim_paths[i], why);
    }
    return err;
}

static enum tacit_err policy_load(struct gpu_trust *t, const struct gpu_trust_opts *o,
                                  char why[static GPU_TRUST_WHY_LEN])
{
    char fault[256] = "";
    enum tacit_err err = file_load(&t->policy_file, POLICY_MAX, o->policy_path, "GPU policy", why);

    t->has_policy = o->policy_path != NULL || o->ocsp_url != NULL;
    t->policy.is_ocsp_required = o->ocsp_url != NULL;
    if (err != TACIT_OK || o->policy_path == NULL)
        return err;
    err = tacit_gpu_policy_parse(&t->policy, buf_bytes(&t->policy_file), fault);
    if (err != TACIT_OK)
        (void)snprintf(why, GPU_TRUST_WHY_LEN, "the GPU policy %.100s: %.130s", o->policy_path,
                       fault);
    return err;
}

static enum tacit_err refs_open(struct gpu_trust *t, const struct gpu_trust_opts *o,
                                char why[static GPU_TRUST_WHY_LEN])
{
    struct gpu_refs_opts opts = {.rim_url = o->rim_url,
                                 .ocsp_url = o->ocsp_url,
                                 .proxy = o->proxy,
                                 .device_root = buf_bytes(&t->root),
                                 .rim_root = buf_bytes(&t->rim_root),
                                 .cache_dir = o->cache_dir,
                                 .rim_expired_days = t->policy.rim_expired_days,
                                 .now_unix_s = o->now_unix_s};
    enum tacit_err err = gpu_refs_new(&t->refs, &opts);

    if (err == TACIT_USAGE)
        (void)snprintf(why, GPU_TRUST_WHY_LEN, "the GPU root or the RIM root is no certificate");
    else if (err != TACIT_OK)
        (void)snprintf(why, GPU_TRUST_WHY_LEN, "GPU references cannot be kept in %.150s: %s",
                       o->cache_dir == NULL ? "memory" : o->cache_dir, tacit_err_text(err));
    if (err == TACIT_OK && o->rim_url == NULL && o->ocsp_url == NULL) {
        gpu_refs_free(t->refs); /* the roots were worth checking */
        t->refs = NULL;
    }
    return err;
}

enum tacit_err gpu_trust_load(struct gpu_trust **out, const struct gpu_trust_opts *opts,
                              char why[static GPU_TRUST_WHY_LEN])
{
    struct gpu_trust *t = calloc(1, sizeof(*t));
    enum tacit_err err;

    *out = NULL;
    (void)snprintf(why, GPU_TRUST_WHY_LEN, "%s", tacit_err_text(TACIT_NOMEM));
    if (t == NULL)
        return TACIT_NOMEM;
    err = file_load(&t->root, LIMIT_PEM_BYTES, opts->root_path, "GPU root", why);
    if (err == TACIT_OK)
        err = file_load(&t->rim_root, LIMIT_PEM_BYTES, opts->rim_root_path, "RIM root", why);
    if (err == TACIT_OK)
        err = rims_load(t, opts, why);
    if (err == TACIT_OK)
        err = policy_load(t, opts, why);
    if (err == TACIT_OK)
        err = refs_open(t, opts, why);
    if (err == TACIT_OK)
        *out = t;
    else
        gpu_trust_free(t);
    return err;
}

void gpu_trust_free(struct gpu_trust *t)
{
    if (t == NULL)
        return;
    gpu_refs_free(t->refs);
    for (size_t i = 0; i < t->rim_count; i++)
        buf_done(&t->rim_files[i]);
    buf_done(&t->root);
    buf_done(&t->rim_root);
    buf_done(&t->policy_file);
    free(t);
}

static enum tacit_err references_get(struct tacit_gpu_opts *opts, char *why, struct bytes evidence,
                                     void *ctx)
{
    struct gpu_trust_use *use = ctx;
    enum tacit_err err = gpu_refs_loan_get(opts, why, evidence, &use->loan);

    if (use->refs_err == TACIT_OK)
        use->refs_err = err;
    return err;
}

void gpu_trust_apply(const struct gpu_trust *t, struct gpu_trust_use *use,
                     struct tacit_report_opts *opts)
{
    *use = (struct gpu_trust_use){.loan = {.refs = t->refs}};
    use->opts.device_root = buf_bytes(&t->root);
    use->opts.rim_root = buf_bytes(&t->rim_root);
    use->opts.rims = t->rims;
    use->opts.rim_count = t->rim_count;
    use->opts.policy = t->has_policy ? &t->policy : NULL;
    opts->gpu = &use->opts;
    opts->gpu_refs = references_get;
    opts->gpu_refs_ctx = use;
}

void gpu_trust_done(struct gpu_trust_use *use)
{
    gpu_refs_loan_done(&use->loan);
}
