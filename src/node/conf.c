/* The schema of the node's configuration and what a schema cannot express: which keys belong to
 * which kind of engine, addresses, tokens. */
#include "node/conf.h"

#include <stdio.h>

#include "base/file.h"
#include "codec/hex.h"
#include "crypto/ct.h"
#include "crypto/sha2.h"

static const char *const engine_kinds[] = {"llama-server", "external", NULL};
static const char *const dialects[] = {"openai", "llama-server", NULL};
static const char *const tee_providers[] = {"auto", "configfs", "qgs", "dstack", "simulator", NULL};
static const char *const gpu_providers[] = {"none", "nvml", "simulator", NULL};

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static const struct conf_key node_keys[] = {
    {.key = "listen", .kind = CONF_STRING, .fallback = "127.0.0.1:8444"},
    {.key = "tls", .kind = CONF_BOOL, .fallback = "true"},
    {.key = "host", .kind = CONF_STRING, .fallback = "localhost"},
    {.key = "model", .kind = CONF_STRING, .is_required = true},
    {.key = "workers", .kind = CONF_U64, .fallback = "1", .min = 1, .max = NODE_WORKERS_MAX},
    {.key = "max_connections", .kind = CONF_U64, .fallback = "4096", .min = 1, .max = 1000000},
    {.key = "max_outstanding", .kind = CONF_U64, .fallback = "64", .min = 1, .max = 100000},
    {.key = "grace", .kind = CONF_DURATION, .fallback = "60s", .min = 0, .max = 3600000},
};

static const struct conf_key engine_keys[] = {
    {.key = "kind", .kind = CONF_ENUM, .is_required = true, .choices = engine_kinds},
    {.key = "model", .kind = CONF_STRING},
    /* llama-server */
    {.key = "binary", .kind = CONF_PATH},
    {.key = "model_file", .kind = CONF_PATH},
    {.key = "run_dir", .kind = CONF_PATH},
    {.key = "threads", .kind = CONF_U64, .fallback = "0", .max = 1024},
    {.key = "parallel", .kind = CONF_U64, .fallback = "4", .min = 1, .max = 256},
    {.key = "context", .kind = CONF_U64, .fallback = "0", .max = 10000000},
    {.key = "prompt_cache", .kind = CONF_BOOL, .fallback = "false"},
    {.key = "start_timeout", .kind = CONF_DURATION, .fallback = "10m", .min = 1000, .max = DAY_MS},
    /* external */
    {.key = "url", .kind = CONF_STRING},
    {.key = "dialect", .kind = CONF_ENUM, .fallback = "openai", .choices = dialects},
    {.key = "trusted_network", .kind = CONF_BOOL, .fallback = "false"},
    {.key = "cache_salt", .kind = CONF_BOOL, .fallback = "false"},
    /* both */
    {.key = "first_byte_timeout", .kind = CONF_DURATION, .fallback = "5m", .min = 1, .max = DAY_MS},
    {.key = "between_timeout", .kind = CONF_DURATION, .fallback = "60s", .min = 1, .max = DAY_MS},
    {.key = "total_timeout", .kind = CONF_DURATION, .fallback = "1h", .min = 1, .max = DAY_MS},
};

static const struct conf_key tee_keys[] = {
    {.key = "provider", .kind = CONF_ENUM, .fallback = "auto", .choices = tee_providers},
    {.key = "path", .kind = CONF_PATH},
    {.key = "workload", .kind = CONF_STRING, .fallback = "node"},
    {.key = "events",
     .kind = CONF_ENUM,
     .fallback = "required",
     .choices = (const char *const[]){"required", "if-possible", NULL}},
};

static const struct conf_key gpu_keys[] = {
    {.key = "provider", .kind = CONF_ENUM, .fallback = "none", .choices = gpu_providers},
    {.key = "path", .kind = CONF_PATH},
    {.key = "count", .kind = CONF_U64, .fallback = "1", .min = 1, .max = 8},
};

static const struct conf_key token_keys[] = {
    {.key = "file", .kind = CONF_PATH},
    {.key = "sha256", .kind = CONF_STRING},
};

#define SECTION(section_name, keys_array) \
    .name = (section_name), .keys = (keys_array), .key_count = ARRAY_LEN(keys_array)

static const struct conf_section sections[] = {
    {SECTION("node", node_keys), .is_required = true},
    {SECTION("engine", engine_keys), .is_required = true},
    {SECTION("tee", tee_keys)},
    {SECTION("gpu", gpu_keys)},
    {SECTION("token", token_keys), .is_repeated = true},
};

static const struct conf_schema schema = {sections, ARRAY_LEN(sections)};

static enum tacit_err fail(char why[static NODE_WHY_MAX], const char *section, const char *key,
                           const char *problem)
{
    (void)snprintf(why, NODE_WHY_MAX, "[%s] %s: %s", section, key, problem);
    return TACIT_CONFIG;
}

/* The name goes into the signed text, where ':' separates, and into key paths. */
static bool is_model_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (name[i] <= 0x20 || name[i] >= 0x7f || name[i] == ':' || name[i] == '"' ||
            name[i] == '\\')
            return false;
    return len > 0 && len <= 128;
}

static enum tacit_err read_node(struct node_conf *out, char why[static NODE_WHY_MAX])
{
    struct conf *f = out->file;

    out->has_tls = conf_bool(f, "node", 0, "tls");
    out->host = conf_str(f, "node", 0, "host");
    out->model = conf_str(f, "node", 0, "model");
    out->workers = (size_t)conf_u64(f, "node", 0, "workers");
    out->max_connections = (size_t)conf_u64(f, "node", 0, "max_connections");
    out->max_outstanding = (unsigned)conf_u64(f, "node", 0, "max_outstanding");
    out->grace_ms = conf_u64(f, "node", 0, "grace");
    if (addr_parse(&out->listen, bytes_of(conf_str(f, "node", 0, "listen"))) != TACIT_OK)
        return fail(why, "node", "listen", "must be ADDRESS:PORT or unix:/path");
    if (!is_model_name(out->model))
        return fail(why, "node", "model",
                    "must be printable ASCII without spaces, quotes and ':', at most 128 long");
    /* Workers share a port, not a path. */
    if (out->listen.is_unix && out->workers > 1)
        return fail(why, "node", "workers", "must be 1 on a unix socket");
    return TACIT_OK;
}

static bool is_loopback(const struct net_addr *a)
{
    return a->is_unix || strncmp(a->host, "127.", 4) == 0 || strcmp(a->host, "::1") == 0 ||
           strcmp(a->host, "localhost") == 0;
}

static enum tacit_err read_external(struct node_conf *out, char why[static NODE_WHY_MAX])
{
    struct conf *f = out->file;
    const char *url = conf_str(f, "engine", 0, "url");

    if (url == NULL)
        return fail(why, "engine", "url", "is needed for an external engine");
    if (conf_is_set(f, "engine", 0, "binary") || conf_is_set(f, "engine", 0, "model_file"))
        return fail(why, "engine", "binary", "belongs to kind = llama-server");
    if (url_parse(&out->engine_url, bytes_of(url)) != TACIT_OK)
        return fail(why, "engine", "url", "must be http://, https:// or unix:/path");
    if (!out->engine_url.is_tls && !is_loopback(&out->engine_url.addr) &&
        !conf_bool(f, "engine", 0, "trusted_network"))
        return fail(why, "engine", "url",
                    "plain http to another address would carry prompts in the clear; set "
                    "trusted_network = true if that network never leaves this machine");
    out->dialect = (enum node_engine_dialect)conf_u64(f, "engine", 0, "dialect");
    out->has_cache_salt = conf_bool(f, "engine", 0, "cache_salt");
    return TACIT_OK;
}

static enum tacit_err read_llama_server(struct node_conf *out, char why[static NODE_WHY_MAX])
{
    struct conf *f = out->file;

    out->binary = conf_str(f, "engine", 0, "binary");
    out->model_file = conf_str(f, "engine", 0, "model_file");
    out->run_dir = conf_str(f, "engine", 0, "run_dir");
    out->threads = (unsigned)conf_u64(f, "engine", 0, "threads");
    out->parallel = (unsigned)conf_u64(f, "engine", 0, "parallel");
    out->context_tokens = (unsigned)conf_u64(f, "engine", 0, "context");
    out->has_prompt_cache = conf_bool(f, "engine", 0, "prompt_cache");
    out->start_timeout_ms = conf_u64(f, "engine", 0, "start_timeout");
    out->dialect = NODE_DIALECT_LLAMA_SERVER;
    if (out->binary == NULL)
        return fail(why, "engine", "binary", "is needed for kind = llama-server");
    if (out->model_file == NULL)
        return fail(why, "engine", "model_file", "is needed for kind = llama-server");
    if (conf_is_set(f, "engine", 0, "url"))
        return fail(why, "engine", "url", "belongs to kind = external");
    return TACIT_OK;
}

static enum tacit_err read_engine(struct node_conf *out, char why[static NODE_WHY_MAX])
{
    struct conf *f = out->file;

    out->engine_kind = (enum node_engine_kind)conf_u64(f, "engine", 0, "kind");
    out->engine_model = conf_str(f, "engine", 0, "model");
    if (out->engine_model == NULL)
        out->engine_model = out->model;
    out->first_byte_timeout_ms = conf_u64(f, "engine", 0, "first_byte_timeout");
    out->between_timeout_ms = conf_u64(f, "engine", 0, "between_timeout");
    out->total_timeout_ms = conf_u64(f, "engine", 0, "total_timeout");
    if (out->engine_kind == NODE_ENGINE_EXTERNAL)
        return read_external(out, why);
    return read_llama_server(out, why);
}

static void read_evidence(struct node_conf *out)
{
    static const enum tee_kind tee_kinds[] = {TEE_AUTO, TEE_CONFIGFS_TSM, TEE_TDX_QGS, TEE_DSTACK,
                                              TEE_SIMULATOR};
    static const enum gpus_kind gpu_kinds[] = {GPUS_NONE, GPUS_NVML, GPUS_SIMULATOR};
    struct conf *f = out->file;

    out->tee = (struct tee_opts){.kind = tee_kinds[conf_u64(f, "tee", 0, "provider")],
                                 .path = conf_str(f, "tee", 0, "path"),
                                 .workload = conf_str(f, "tee", 0, "workload")};
    out->needs_events = conf_u64(f, "tee", 0, "events") == 0;
    out->gpu = (struct gpus_opts){.kind = gpu_kinds[conf_u64(f, "gpu", 0, "provider")],
                                  .path = conf_str(f, "gpu", 0, "path"),
                                  .count = (unsigned)conf_u64(f, "gpu", 0, "count")};
}

static enum tacit_err read_token_file(uint8_t digest[static 32], const char *path,
                                      char why[static NODE_WHY_MAX])
{
    struct buf text = buf_make_secret(NODE_TOKEN_LEN_MAX);
    enum tacit_err err = file_read(&text, path);
    struct bytes token = bytes_trim(buf_bytes(&text));

    if (err != TACIT_OK)
        err = fail(why, "token", "file", "cannot be read, or is longer than a token");
    else if (token.len < 16)
        err = fail(why, "token", "file", "holds a token shorter than 16 characters");
    else
        sha256(digest, token);
    buf_done(&text);
    return err;
}

static enum tacit_err read_tokens(struct node_conf *out, char why[static NODE_WHY_MAX])
{
    struct conf *f = out->file;
    size_t count = conf_count(f, "token");

    if (count > NODE_TOKENS_MAX)
        return fail(why, "token", "NAME", "there are more than 32");
    for (size_t i = 0; i < count; i++) {
        const char *path = conf_str(f, "token", i, "file");
        const char *hex = conf_str(f, "token", i, "sha256");
        enum tacit_err err = TACIT_OK;

        if ((path == NULL) == (hex == NULL))
            return fail(why, "token", "file", "give either file or sha256");
        if (path != NULL)
            err = read_token_file(out->token_digests[i], path, why);
        else if (hex_decode_fixed(out->token_digests[i], 32, bytes_of(hex)) != TACIT_OK)
            err = fail(why, "token", "sha256", "must be 64 hexadecimal digits");
        if (err != TACIT_OK)
            return err;
    }
    out->token_count = count;
    return TACIT_OK;
}

enum tacit_err node_conf_load(struct node_conf *out, char why[static NODE_WHY_MAX],
                              const char *path)
{
    enum tacit_err err;

    *out = (struct node_conf){0};
    err = conf_load(&out->file, why, path, &schema);
    if (err != TACIT_OK)
        return err;
    sha256(out->digest, conf_raw(out->file));
    err = read_node(out, why);
    if (err == TACIT_OK)
        err = read_engine(out, why);
    if (err == TACIT_OK)
        err = read_tokens(out, why);
    if (err == TACIT_OK)
        read_evidence(out);
    return err;
}

void node_conf_done(struct node_conf *c)
{
    conf_free(c->file);
    explicit_bzero(c, sizeof(*c));
}

bool node_conf_has_token(const struct node_conf *c, struct bytes token)
{
    uint8_t digest[32];
    unsigned hits = 0;

    if (token.len == 0 || token.len > NODE_TOKEN_LEN_MAX)
        return false;
    sha256(digest, token);
    for (size_t i = 0; i < c->token_count; i++)
        hits += ct_equal(BYTES_ARRAY(digest), bytes_make(c->token_digests[i], 32)) ? 1U : 0U;
    return hits > 0;
}
