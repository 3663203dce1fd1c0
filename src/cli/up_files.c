/* The folder of `tacit up`: where engine and model are, and what is written down. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/args.h"
#include "cli/up_priv.h"
#include "cli/upfile.h"
#include "codec/jwrite.h"
#include "crypto/random.h"
#include "tee/sim.h"
#include "tee/sim_gpu.h"

enum { CONF_LIMIT = 64 * 1024, DEFAULT_NODES = 2, RUN_DIR_MAX = 80, UP_GPUS_MAX = 8 };

static const char default_model[] = "pebble-q8_0.gguf";

static bool say(struct up *up, const char *what, const char *detail)
{
    (void)snprintf(up->why, sizeof up->why, "%s%s", what, detail);
    return false;
}

bool up_path(const struct up *up, char out[static UP_PATH_MAX], const char *name)
{
    int len = snprintf(out, UP_PATH_MAX, "%s/%s", up->folder, name);

    return len > 0 && len < UP_PATH_MAX;
}

/* Absolute and without links, because children and other commands read it from elsewhere. */
static bool find_folder(struct up *up)
{
    char path[UP_PATH_MAX];
    char *real;

    if (up->folder_option != NULL)
        (void)snprintf(path, sizeof path, "%s", up->folder_option);
    else if (upfile_default_folder(path, sizeof path) != TACIT_OK)
        return say(up, "there is no home folder; give --dir DIR", "");
    if (dir_make(path, 0700) != TACIT_OK)
        return say(up, "cannot make the folder ", path);
    real = realpath(path, NULL);
    if (real == NULL)
        return say(up, "cannot find the folder ", path);
    (void)snprintf(up->folder, sizeof up->folder, "%s", real);
    free(real);
    if (!up_path(up, path, "lock"))
        return say(up, "the folder's name is too long", "");
    up->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (up->lock_fd >= 0 && flock(up->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (up->lock_fd >= 0)
        (void)close(up->lock_fd);
    up->lock_fd = -1; /* without the lock nothing in the folder is ours to remove */
    return say(up, "another `tacit up` runs in ", up->folder);
}

/* The newest llama-server that tools/engine.sh has built. */
static bool find_engine(struct up *up)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char folder[UP_PATH_MAX / 2];
    struct timespec newest = {0};
    DIR *dir;

    if (up->engine_url != NULL)
        return true;
    if (up->engine != NULL) {
        (void)snprintf(up->engine_path, sizeof up->engine_path, "%s", up->engine);
        return access(up->engine, X_OK) == 0 || say(up, "cannot run the engine ", up->engine);
    }
    if (cache != NULL && cache[0] == '/')
        (void)snprintf(folder, sizeof folder, "%s/tacit/engine", cache);
    else
        (void)snprintf(folder, sizeof folder, "%s/.cache/tacit/engine", home != NULL ? home : "");
    dir = opendir(folder);
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        char path[UP_PATH_MAX];
        struct stat st;
        int len = snprintf(path, sizeof path, "%s/%s/llama-server", folder, e->d_name);

        if (e->d_name[0] == '.' || len >= (int)sizeof path || stat(path, &st) != 0 ||
            access(path, X_OK) != 0 || st.st_mtim.tv_sec < newest.tv_sec)
            continue;
        newest = st.st_mtim;
        memcpy(up->engine_path, path, (size_t)len + 1);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return up->engine_path[0] != '\0' ||
           say(up, "there is no engine in the cache; run `make engine`, or give --engine FILE", "");
}

/* Beside the installed program, or in the source tree of a built one. */
static bool find_model(struct up *up)
{
    static const char *const places[] = {"../share/tacit/models", "../../../share/models"};
    char exe[UP_PATH_MAX / 2];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    char *slash;

    if (up->engine_url != NULL)
        return true;
    if (up->model_file != NULL) {
        char *real = realpath(up->model_file, NULL);

        (void)snprintf(up->model_path, sizeof up->model_path, "%s", real != NULL ? real : "");
        free(real);
        return up->model_path[0] != '\0' || say(up, "there is no model file ", up->model_file);
    }
    exe[len > 0 ? len : 0] = '\0';
    slash = strrchr(exe, '/');
    for (size_t i = 0; slash != NULL && i < ARRAY_LEN(places); i++) {
        *slash = '\0';
        (void)snprintf(up->model_path, sizeof up->model_path, "%s/%s/%s", exe, places[i],
                       default_model);
        if (file_exists(up->model_path))
            return true;
    }
    return say(up, "the demo model is not where it should be; give --model FILE", "");
}

/* "pebble" for the demo model, else the file's name without what is behind the last dot. */
static bool name_model(struct up *up)
{
    const char *file = strrchr(up->model_path, '/');
    size_t len = file != NULL ? strlen(file + 1) : 0;

    if (up->model_name != NULL)
        return true;
    if (up->engine_url != NULL)
        return say(up, "--engine-url needs --model-name", "");
    if (up->model_file == NULL) {
        up->model_name = "pebble";
        return true;
    }
    if (len > 5 && strcmp(file + 1 + len - 5, ".gguf") == 0)
        len -= 5;
    if (len == 0 || len >= sizeof up->model_name_text)
        return say(up, "give --model-name NAME", "");
    memcpy(up->model_name_text, file + 1, len);
    up->model_name = up->model_name_text;
    return true;
}

/* All are held open until all are found, so that no two are the same. */
static bool find_ports(struct up *up)
{
    uint16_t *wanted[UP_NODES_MAX + 1] = {&up->gateway_port};
    int fds[UP_NODES_MAX + 1];
    size_t count = 0;
    bool is_found = true;

    for (size_t i = 0; i < up->node_count; i++)
        wanted[i + 1] = &up->node_ports[i];
    for (; count < up->node_count + 1 && is_found; count++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(*wanted[count])};
        socklen_t len = sizeof a;

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fds[count] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        is_found = fds[count] >= 0 && bind(fds[count], (struct sockaddr *)&a, sizeof a) == 0 &&
                   getsockname(fds[count], (struct sockaddr *)&a, &len) == 0;
        if (is_found)
            *wanted[count] = ntohs(a.sin_port);
    }
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    return is_found || say(up, "a port is taken: ", strerror(errno));
}

bool up_find(struct up *up)
{
    uint64_t number = DEFAULT_NODES;

    if (up->nodes_option != NULL &&
        (!cli_number(&number, up->nodes_option, UP_NODES_MAX) || number == 0))
        return say(up, "--nodes wants 1 to 8", "");
    up->node_count = (size_t)number;
    number = 1;
    if (up->gpus_option != NULL && !cli_number(&number, up->gpus_option, UP_GPUS_MAX))
        return say(up, "--gpus wants 0 to 8", "");
    up->gpu_count = (unsigned)number;
    number = 0;
    if (up->port_option != NULL && !cli_number(&number, up->port_option, UINT16_MAX))
        return say(up, "--port wants 0 to 65535", "");
    up->gateway_port = (uint16_t)number;
    return find_folder(up) && find_engine(up) && find_model(up) && name_model(up) && find_ports(up);
}

static bool write_text(struct up *up, const char *name, struct buf *text)
{
    char path[UP_PATH_MAX];
    bool is_written = buf_err(text) == TACIT_OK && up_path(up, path, name) &&
                      file_write(path, buf_bytes(text), 0600) == TACIT_OK;

    buf_done(text);
    return is_written || say(up, "cannot write ", name);
}

/* Roots and manifests of the simulated GPUs, beside those of the platform. */
static enum tacit_err write_gpus(const struct up *up, struct sim *sim, const char *folder)
{
    struct sim_gpu *g = NULL;
    enum tacit_err err = TACIT_OK;

    if (up->gpu_count > 0)
        err = sim_gpu_open(&g, sim, up->gpu_count, clock_unix_s());
    if (err == TACIT_OK && g != NULL)
        err = sim_gpu_export(g, folder);
    sim_gpu_free(g);
    return err;
}

static bool write_platform(struct up *up)
{
    char path[UP_PATH_MAX];
    char why[SIM_WHY_LEN] = "";
    struct sim *sim = NULL;
    bool is_written = false;

    if (!up_path(up, path, "sim"))
        return say(up, "the folder's name is too long", "");
    if (sim_open(&sim, path, why) != TACIT_OK)
        return say(up, "the simulated platform: ", why);
    is_written =
        sim_export(sim, clock_unix_s()) == TACIT_OK && write_gpus(up, sim, path) == TACIT_OK;
    sim_free(sim);
    return is_written ||
           say(up, "cannot write the simulator's roots, collateral and manifests to ", path);
}

static bool write_token(struct up *up, const char *name)
{
    uint8_t octets[UP_TOKEN_HEX / 2];
    struct buf text = buf_make_secret(UP_TOKEN_HEX + 1);

    if (random_fill(octets, sizeof octets) != TACIT_OK)
        return say(up, "the kernel gives no randomness", "");
    buf_hex(&text, BYTES_ARRAY(octets));
    buf_putc(&text, '\n');
    explicit_bzero(octets, sizeof octets);
    return write_text(up, name, &text);
}

static bool write_node(struct up *up, size_t i)
{
    char name[32];
    char run_dir[UP_PATH_MAX];
    struct buf t = buf_make(CONF_LIMIT);
    /* A killed node cannot clean up a folder of its own choice. Too long for a socket's address:
     * its own choice it is. */
    bool has_run_dir = up->engine_url == NULL;

    (void)snprintf(name, sizeof name, "node-%zu.run", i + 1);
    has_run_dir = has_run_dir && up_path(up, run_dir, name) && strlen(run_dir) < RUN_DIR_MAX &&
                  dir_make(run_dir, 0700) == TACIT_OK;
    (void)snprintf(name, sizeof name, "node-%zu.token", i + 1);
    if (!write_token(up, name))
        return false;
    buf_putf(&t, "[node]\nlisten = 127.0.0.1:%u\nhost = localhost\nmodel = %s\ngrace = %s\n\n",
             up->node_ports[i], up->model_name, up->grace);
    if (up->engine_url != NULL)
        buf_putf(&t, "[engine]\nkind = external\nurl = %s\n\n", up->engine_url);
    else
        buf_putf(&t, "[engine]\nkind = llama-server\nbinary = %s\nmodel_file = %s\n%s%s%s\n",
                 up->engine_path, up->model_path, has_run_dir ? "run_dir = " : "",
                 has_run_dir ? run_dir : "", has_run_dir ? "\n" : "");
    buf_putf(&t, "[tee]\nprovider = simulator\npath = %s/sim\n\n[token gateway]\nfile = %s/%s\n",
             up->folder, up->folder, name);
    if (up->gpu_count > 0)
        buf_putf(&t, "\n[gpu]\nprovider = simulator\npath = %s/sim\ncount = %u\n", up->folder,
                 up->gpu_count);
    (void)snprintf(name, sizeof name, "node-%zu.conf", i + 1);
    return write_text(up, name, &t);
}

static bool write_gateway(struct up *up)
{
    struct buf t = buf_make(CONF_LIMIT);

    buf_putf(
        &t,
        "[gateway]\nlisten = 127.0.0.1:%u\nhost = localhost\nstate = %s/gateway\ngrace = %s\n\n",
        up->gateway_port, up->folder, up->grace);
    buf_putf(&t, "[tee]\nprovider = simulator\npath = %s/sim\n\n", up->folder);
    buf_putf(&t, "[trust]\nroot = %s/sim/root.pem\ncollateral = %s/sim/collateral.json\n",
             up->folder, up->folder);
    if (up->gpu_count > 0)
        buf_putf(&t,
                 "gpu = required\ngpu_root = %s/sim/gpu-device-root.pem\n"
                 "gpu_rim_root = %s/sim/gpu-rim-root.pem\ngpu_rims = %s/sim/gpu-rim\n",
                 up->folder, up->folder, up->folder);
    for (size_t i = 0; i < up->node_count; i++)
        buf_putf(&t,
                 "\n[node node-%zu]\nurl = https://127.0.0.1:%u\ntoken_file = %s/node-%zu.token\n"
                 "model = %s\n",
                 i + 1, up->node_ports[i], up->folder, i + 1, up->model_name);
    return write_text(up, "gateway.conf", &t);
}

bool up_write(struct up *up)
{
    if (!write_platform(up))
        return false;
    for (size_t i = 0; i < up->node_count; i++)
        if (!write_node(up, i))
            return false;
    return write_gateway(up);
}

static bool open_store(struct up *up, struct store **out)
{
    char path[UP_PATH_MAX];
    char why[256] = "";

    if (!up_path(up, path, "gateway") || dir_make(path, 0700) != TACIT_OK ||
        !up_path(up, path, "gateway/gateway.db"))
        return say(up, "cannot make the gateway's folder", "");
    return store_open(out, path, why) == TACIT_OK || say(up, "the gateway's store: ", why);
}

bool up_make_key(struct up *up)
{
    struct store *store = NULL;
    struct buf text = buf_make_secret(sizeof up->key_text + 1);

    if (!open_store(up, &store))
        return false;
    up->has_key =
        store_key_create(store, &up->key, up->key_text, "tacit up", clock_unix_s(), 0) == TACIT_OK;
    store_close(store);
    if (!up->has_key)
        return say(up, "cannot make an API key", "");
    buf_puts(&text, up->key_text);
    buf_putc(&text, '\n');
    return write_text(up, "api.key", &text);
}

static void announce_path(struct jw *w, const struct up *up, const char *key, const char *name)
{
    char path[UP_PATH_MAX];

    if (up_path(up, path, name))
        jw_key_cstr(w, key, path);
}

static void announce_proc(struct jw *w, const struct proc *p, uint16_t port)
{
    char url[64];

    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u", port);
    jw_object(w);
    jw_key_cstr(w, "name", p->name);
    jw_key_cstr(w, "url", url);
    jw_key(w, "pid"), jw_i64(w, p->pid);
    jw_key_cstr(w, "log", p->log_path);
    jw_end(w);
}

bool up_announce(struct up *up)
{
    struct buf text = buf_make(CONF_LIMIT);
    struct jw w = jw_make(&text);
    char url[64];

    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u", up->gateway_port);
    jw_object(&w);
    jw_key_cstr(&w, "url", url);
    jw_key_cstr(&w, "model", up->model_name);
    announce_path(&w, up, "api_key_file", "api.key");
    announce_path(&w, up, "trust_root", "sim/root.pem");
    announce_path(&w, up, "collateral", "sim/collateral.json");
    if (up->gpu_count > 0) {
        announce_path(&w, up, "gpu_root", "sim/gpu-device-root.pem");
        announce_path(&w, up, "gpu_rim_root", "sim/gpu-rim-root.pem");
        announce_path(&w, up, "gpu_rims", "sim/gpu-rim");
    }
    jw_key(&w, "tls_spki"), jw_hex(&w, BYTES_ARRAY(up->gateway_spki));
    jw_key(&w, "pid"), jw_i64(&w, getpid());
    jw_key(&w, "gateway");
    announce_proc(&w, &up->gateway, up->gateway_port);
    jw_key(&w, "nodes");
    jw_array(&w);
    for (size_t i = 0; i < up->node_count; i++)
        announce_proc(&w, &up->nodes[i], up->node_ports[i]);
    jw_end(&w);
    jw_end(&w);
    buf_putc(&text, '\n');
    return write_text(up, "up.json", &text);
}

void up_forget(struct up *up)
{
    static const char *const names[] = {"up.json", "api.key"};
    char path[UP_PATH_MAX];
    struct store *store = NULL;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (up->folder[0] != '\0' && up->lock_fd >= 0 && up_path(up, path, names[i]))
            (void)unlink(path);
    if (up->has_key && open_store(up, &store)) {
        if (store_key_revoke(store, up->key.id, clock_unix_s()) != TACIT_OK)
            (void)fprintf(stderr, "tacit up: the API key could not be revoked\n");
        store_close(store);
    }
    explicit_bzero(up->key_text, sizeof up->key_text);
    if (up->lock_fd >= 0)
        (void)close(up->lock_fd);
}
