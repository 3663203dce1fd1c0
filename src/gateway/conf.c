/* The gateway's configuration schema and the checks that a schema cannot express. */
#include "gateway/conf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "net/gpu_refs.h"

static const char *const providers[] = {"auto", "configfs", "qgs", "dstack", "simulator", NULL};
static const char *const gpu_demands[] = {"if-present", "required", NULL};

static const struct conf_key gateway_keys[] = {
    {.key = "listen", .kind = CONF_STRING, .fallback = "127.0.0.1:8443"},
    {.key = "admin", .kind = CONF_STRING},
    {.key = "host", .kind = CONF_STRING, .fallback = "localhost"},
    {.key = "state", .kind = CONF_PATH, .is_required = true},
    {.key = "workers", .kind = CONF_U64, .fallback = "2", .min = 1, .max = GATEWAY_WORKERS_MAX},
    {.key = "max_connections", .kind = CONF_U64, .fallback = "4096", .min = 1, .max = 1000000},
    {.key = "max_outstanding", .kind = CONF_U64, .fallback = "256", .min = 1, .max = 100000},
    {.key = "grace", .kind = CONF_DURATION, .fallback = "60s", .min = 0, .max = 3600000},
};

static const struct conf_key tee_keys[] = {
    {.key = "provider", .kind = CONF_ENUM, .fallback = "auto", .choices = providers},
    {.key = "path", .kind = CONF_PATH},
};

static const struct conf_key trust_keys[] = {
    {.key = "root", .kind = CONF_PATH},
    {.key = "collateral", .kind = CONF_PATH},
    {.key = "pccs", .kind = CONF_STRING},
    {.key = "lease", .kind = CONF_DURATION, .fallback = "10m", .min = 1000, .max = 86400000},
    {.key = "gpu", .kind = CONF_ENUM, .fallback = "if-present", .choices = gpu_demands},
    {.key = "gpu_root", .kind = CONF_PATH},
    {.key = "gpu_rim_root", .kind = CONF_PATH},
    {.key = "gpu_rims", .kind = CONF_PATH},
    {.key = "gpu_rim_url", .kind = CONF_STRING},
    {.key = "gpu_ocsp_url", .kind = CONF_STRING},
    {.key = "gpu_policy", .kind = CONF_PATH},
};

static const struct conf_key node_keys[] = {
    {.key = "url", .kind = CONF_STRING, .is_required = true},
    {.key = "token_file", .kind = CONF_PATH, .is_required = true},
    {.key = "model", .kind = CONF_STRING, .is_required = true},
};

static const struct conf_section sections[] = {
    {.name = "gateway",
     .is_required = true,
     .keys = gateway_keys,
     .key_count = ARRAY_LEN(gateway_keys)},
    {.name = "tee", .keys = tee_keys, .key_count = ARRAY_LEN(tee_keys)},
    {.name = "trust", .keys = trust_keys, .key_count = ARRAY_LEN(trust_keys)},
    {.name = "node",
     .is_repeated = true,
     .is_required = true,
     .keys = node_keys,
     .key_count = ARRAY_LEN(node_keys)},
};

static const struct conf_schema schema = {sections, ARRAY_LEN(sections)};

static bool is_loopback(const struct net_addr *addr)
{
    return addr->is_unix || strcmp(addr->host, "127.0.0.1") == 0 ||
           strcmp(addr->host, "::1") == 0 || strcmp(addr->host, "localhost") == 0;
}

static bool token_is_fine(struct bytes token)
{
    if (token.len < 16 || token.len > GATEWAY_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
            return false;
    return true;
}

static enum tacit_err token_read(struct gateway_node_conf *node, const char *path,
                                 char why[static CONF_MESSAGE_MAX])
{
    struct buf raw = buf_make_secret(GATEWAY_TOKEN_MAX + 2);
    enum tacit_err err = file_read(&raw, path);
    struct bytes token = bytes_trim(buf_bytes(&raw));

    if (err == TACIT_OK && !token_is_fine(token))
        err = TACIT_FORMAT;
    if (err == TACIT_OK)
        memcpy(node->token, token.ptr, token.len);
    else
        snprintf(why, CONF_MESSAGE_MAX,
                 "[node %s] token_file %s: must hold one line of 16 to %d visible characters (%s)",
                 node->name, path, GATEWAY_TOKEN_MAX, tacit_err_text(err));
    buf_done(&raw);
    return err == TACIT_OK ? TACIT_OK : TACIT_CONFIG;
}

static enum tacit_err node_read(struct gateway_conf *c, size_t i, char why[static CONF_MESSAGE_MAX])
{
    struct gateway_node_conf *node = &c->nodes[i];

    node->name = conf_instance_name(c->file, "node", i);
    node->url = conf_str(c->file, "node", i, "url");
    node->model = conf_str(c->file, "node", i, "model");
    if (url_parse(&node->parsed, bytes_of(node->url)) != TACIT_OK || !node->parsed.is_tls ||
        node->parsed.base[0] != 0) {
        snprintf(why, CONF_MESSAGE_MAX, "[node %s] url must be https://host[:port], nothing behind",
                 node->name);
        return TACIT_CONFIG;
    }
    if (strchr(node->model, ':') != NULL || strlen(node->model) > 128) {
        snprintf(why, CONF_MESSAGE_MAX,
                 "[node %s] model must have at most 128 characters and no ':'", node->name);
        return TACIT_CONFIG;
    }
    return token_read(node, conf_str(c->file, "node", i, "token_file"), why);
}

static enum tacit_err nodes_read(struct gateway_conf *c, char why[static CONF_MESSAGE_MAX])
{
    c->node_count = conf_count(c->file, "node");
    if (c->node_count > GATEWAY_NODES_MAX) {
        snprintf(why, CONF_MESSAGE_MAX, "more than %d [node] sections", GATEWAY_NODES_MAX);
        return TACIT_CONFIG;
    }
    for (size_t i = 0; i < c->node_count; i++)
        if (node_read(c, i, why) != TACIT_OK)
            return TACIT_CONFIG;
    return TACIT_OK;
}

static enum tacit_err listeners_read(struct gateway_conf *c, char why[static CONF_MESSAGE_MAX])
{
    const char *admin = conf_str(c->file, "gateway", 0, "admin");

    if (addr_parse(&c->listen, bytes_of(conf_str(c->file, "gateway", 0, "listen"))) != TACIT_OK) {
        snprintf(why, CONF_MESSAGE_MAX, "[gateway] listen must be ADDRESS:PORT or unix:/PATH");
        return TACIT_CONFIG;
    }
    c->has_admin = admin != NULL;
    if (admin == NULL)
        return TACIT_OK;
    if (addr_parse(&c->admin, bytes_of(admin)) == TACIT_OK && is_loopback(&c->admin))
        return TACIT_OK;
    snprintf(why, CONF_MESSAGE_MAX,
             "[gateway] admin must be a loopback ADDRESS:PORT or unix:/PATH");
    return TACIT_CONFIG;
}

/* NVIDIA's service unless another is named, or none: "none", or a folder instead. */
static enum tacit_err service_read(const char **out, const struct gateway_conf *c, const char *key,
                                   const char *usual, char why[static CONF_MESSAGE_MAX])
{
    const char *url = conf_str(c->file, "trust", 0, key);

    *out = NULL;
    if (url == NULL)
        *out = c->gpu_rims == NULL ? usual : NULL;
    else if (bytes_starts_with(bytes_of(url), BYTES_LIT("https://")) ||
             bytes_starts_with(bytes_of(url), BYTES_LIT("http://")))
        *out = url;
    else if (strcmp(url, "none") != 0) {
        snprintf(why, CONF_MESSAGE_MAX, "[trust] %s must be https://…, http://… or none", key);
        return TACIT_CONFIG;
    }
    return TACIT_OK;
}

static enum tacit_err gpu_read(struct gateway_conf *c, char why[static CONF_MESSAGE_MAX])
{
    c->gpu_demand = (enum gateway_gpu_demand)conf_u64(c->file, "trust", 0, "gpu");
    c->gpu_root = conf_str(c->file, "trust", 0, "gpu_root");
    c->gpu_rim_root = conf_str(c->file, "trust", 0, "gpu_rim_root");
    c->gpu_rims = conf_str(c->file, "trust", 0, "gpu_rims");
    c->gpu_policy = conf_str(c->file, "trust", 0, "gpu_policy");
    if (service_read(&c->gpu_rim_url, c, "gpu_rim_url", GPU_REFS_RIM_URL, why) != TACIT_OK)
        return TACIT_CONFIG;
    return service_read(&c->gpu_ocsp_url, c, "gpu_ocsp_url", GPU_REFS_OCSP_URL, why);
}

static enum tacit_err rest_read(struct gateway_conf *c, char why[static CONF_MESSAGE_MAX])
{
    const struct conf *f = c->file;

    c->host = conf_str(f, "gateway", 0, "host");
    c->state = conf_str(f, "gateway", 0, "state");
    c->workers = (unsigned)conf_u64(f, "gateway", 0, "workers");
    c->max_connections = conf_u64(f, "gateway", 0, "max_connections");
    c->max_outstanding = conf_u64(f, "gateway", 0, "max_outstanding");
    c->grace_ms = conf_u64(f, "gateway", 0, "grace");
    c->lease_ms = conf_u64(f, "trust", 0, "lease");
    c->tee = (struct tee_opts){(enum tee_kind)conf_u64(f, "tee", 0, "provider"),
                               conf_str(f, "tee", 0, "path"), "gateway"};
    c->root = conf_str(f, "trust", 0, "root");
    c->collateral = conf_str(f, "trust", 0, "collateral");
    c->pccs = conf_str(f, "trust", 0, "pccs");
    if (gpu_read(c, why) != TACIT_OK || listeners_read(c, why) != TACIT_OK)
        return TACIT_CONFIG;
    return nodes_read(c, why);
}

enum tacit_err gateway_conf_load(struct gateway_conf **out, const char *path,
                                 char why[static CONF_MESSAGE_MAX])
{
    struct gateway_conf *c = calloc(1, sizeof(*c));
    enum tacit_err err;

    *out = NULL;
    if (c == NULL)
        return TACIT_NOMEM;
    err = conf_load(&c->file, why, path, &schema);
    if (err == TACIT_OK)
        err = rest_read(c, why);
    if (err == TACIT_OK)
        *out = c;
    else
        gateway_conf_free(c);
    return err;
}

void gateway_conf_free(struct gateway_conf *conf)
{
    if (conf == NULL)
        return;
    conf_free(conf->file);
    explicit_bzero(conf, sizeof(*conf));
    free(conf);
}
