/* The simulator's state on disk: one file that holds the seed. Whoever creates it first wins, so
 * that several processes may open the same folder at once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "codec/hex.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"
#include "tee/sim_priv.h"

enum { STATE_FILE_MAX = 256, DIR_MODE = 0700, SECRET_MODE = 0600, PUBLIC_MODE = 0644 };

static const char state_magic[] = "tacit simulator 1";
static const char seed_file[] = "seed";
static const char fault_file[] = "fault";

static char *path_in(const char *dir, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* "tacit simulator 1 fixed|random <64 hex>\n" */
static enum tacit_err state_parse(struct sim *sim, struct bytes text)
{
    static const char fixed[] = " fixed ";
    static const char any[] = " random ";

    text = bytes_trim(text);
    if (!bytes_starts_with(text, bytes_of(state_magic)))
        return TACIT_FORMAT;
    text = bytes_slice(text, sizeof(state_magic) - 1, text.len);
    sim->is_fixed = bytes_starts_with(text, bytes_of(fixed));
    if (!sim->is_fixed && !bytes_starts_with(text, bytes_of(any)))
        return TACIT_FORMAT;
    text = bytes_slice(text, sim->is_fixed ? sizeof(fixed) - 1 : sizeof(any) - 1, text.len);
    return hex_decode_fixed(sim->seed, SIM_SEED_LEN, text);
}

static enum tacit_err state_read(struct sim *sim, const char *path)
{
    struct buf text = buf_make_secret(STATE_FILE_MAX);
    enum tacit_err err = file_read(&text, path);

    if (err == TACIT_OK)
        err = state_parse(sim, buf_bytes(&text));
    buf_done(&text);
    return err;
}

/* Writes a file of its own and links it to the final name, which fails if that exists. */
static enum tacit_err state_create(const char *dir, const char *path, const uint8_t *seed)
{
    struct buf text = buf_make_secret(STATE_FILE_MAX);
    uint8_t fresh[SIM_SEED_LEN];
    char name[64];
    char *mine = NULL;
    enum tacit_err err = random_fill(fresh, sizeof(fresh));

    if (err == TACIT_OK) {
        buf_putf(&text, "%s %s ", state_magic, seed != NULL ? "fixed" : "random");
        buf_hex(&text, bytes_make(seed != NULL ? seed : fresh, SIM_SEED_LEN));
        buf_putc(&text, '\n');
        snprintf(name, sizeof(name), ".seed.%ld.%llu", (long)getpid(),
                 (unsigned long long)clock_mono_ns());
        mine = path_in(dir, name);
        err = mine == NULL || text.failed ? TACIT_NOMEM : TACIT_OK;
    }
    if (err == TACIT_OK)
        err = file_write(mine, buf_bytes(&text), SECRET_MODE);
    if (err == TACIT_OK && link(mine, path) != 0)
        err = errno == EEXIST ? TACIT_EXISTS : TACIT_IO;
    if (mine != NULL)
        unlink(mine);
    free(mine);
    explicit_bzero(fresh, sizeof(fresh));
    buf_done(&text);
    return err;
}

static enum tacit_err explain(enum tacit_err err, const char *dir, char why[static SIM_WHY_LEN])
{
    if (err == TACIT_EXISTS)
        snprintf(why, SIM_WHY_LEN, "%s already holds a simulator's state", dir);
    else if (err == TACIT_FORMAT)
        snprintf(why, SIM_WHY_LEN, "%s holds a seed or fault that this simulator cannot read", dir);
    else if (err != TACIT_OK)
        snprintf(why, SIM_WHY_LEN, "the simulator cannot use the folder %s: %s", dir,
                 tacit_err_text(err));
    return err;
}

enum tacit_err sim_init(const char *dir, const uint8_t *seed, char why[static SIM_WHY_LEN])
{
    char *path = path_in(dir, seed_file);
    enum tacit_err err = TACIT_NOMEM;

    why[0] = 0;
    if (path != NULL)
        err = dir_make(dir, DIR_MODE);
    if (err == TACIT_OK)
        err = state_create(dir, path, seed);
    free(path);
    return explain(err, dir, why);
}

/* The fault that sim_keep_fault left in the folder, if any. */
static enum tacit_err fault_read(struct sim *sim, const char *dir)
{
    struct buf name = buf_make(STATE_FILE_MAX);
    char *path = path_in(dir, fault_file);
    enum tacit_err err = path == NULL ? TACIT_NOMEM : file_read(&name, path);

    if (err == TACIT_NOT_FOUND)
        err = TACIT_OK;
    else if (err == TACIT_OK &&
             (buf_cstr(&name) == NULL || sim_set_fault(sim, buf_cstr(&name)) != TACIT_OK))
        err = TACIT_FORMAT;
    free(path);
    buf_done(&name);
    return err;
}

static bool is_fault(const char *name)
{
    size_t count;
    const struct sim_fault_info *list = sim_faults(&count);

    while (count > 0 && strcmp(list[count - 1].name, name) != 0)
        count--;
    return count > 0;
}

enum tacit_err sim_keep_fault(const char *dir, const char *name, char why[static SIM_WHY_LEN])
{
    char *path = path_in(dir, fault_file);
    char *seed_path = path_in(dir, seed_file);
    enum tacit_err err = TACIT_NOMEM;

    why[0] = 0;
    if (path == NULL || seed_path == NULL)
        goto out;
    err = file_exists(seed_path) ? TACIT_OK : TACIT_NOT_FOUND;
    if (err != TACIT_OK) {
        snprintf(why, SIM_WHY_LEN, "%s holds no simulator's state", dir);
        goto out;
    }
    if (name != NULL && !is_fault(name)) {
        err = TACIT_NOT_FOUND;
        snprintf(why, SIM_WHY_LEN, "there is no fault of that name");
    } else if (name != NULL) {
        err = file_write(path, bytes_of(name), SECRET_MODE);
    } else if (unlink(path) != 0 && errno != ENOENT) {
        err = TACIT_IO;
    }
out:
    free(path);
    free(seed_path);
    return why[0] != 0 ? err : explain(err, dir, why);
}

static enum tacit_err open_in(struct sim *sim, const char *dir)
{
    char *path = path_in(dir, seed_file);
    enum tacit_err err = TACIT_NOMEM;

    sim->dir = strdup(dir);
    if (path != NULL && sim->dir != NULL)
        err = state_read(sim, path);
    if (err == TACIT_NOT_FOUND) {
        err = dir_make(dir, DIR_MODE);
        if (err == TACIT_OK)
            err = state_create(dir, path, NULL);
        if (err == TACIT_OK || err == TACIT_EXISTS)
            err = state_read(sim, path);
    }
    if (err == TACIT_OK)
        err = fault_read(sim, dir);
    free(path);
    return err;
}

enum tacit_err sim_open(struct sim **out, const char *dir, char why[static SIM_WHY_LEN])
{
    struct sim *sim = calloc(1, sizeof(*sim));
    enum tacit_err err = TACIT_NOMEM;

    *out = NULL;
    why[0] = 0;
    if (sim != NULL) {
        sim->plan.shape = sim_shape_default();
        err = open_in(sim, dir);
    }
    if (err != TACIT_OK) {
        sim_free(sim);
        return explain(err, dir, why);
    }
    *out = sim;
    return TACIT_OK;
}

enum tacit_err sim_open_seed(struct sim **out, const uint8_t seed[static SIM_SEED_LEN])
{
    struct sim *sim = calloc(1, sizeof(*sim));

    *out = sim;
    if (sim == NULL)
        return TACIT_NOMEM;
    memcpy(sim->seed, seed, SIM_SEED_LEN);
    sim->is_fixed = true;
    sim->plan.shape = sim_shape_default();
    return TACIT_OK;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL)
        return;
    sim_pki_done(&sim->pki);
    free(sim->dir);
    explicit_bzero(sim, sizeof(*sim));
    free(sim);
}

void sim_derive(const struct sim *sim, uint8_t *out, size_t len, const char *label)
{
    /* Never longer than a few octets: HKDF's limit cannot be reached. */
    if (hkdf_sha256(out, len, BYTES_ARRAY(sim->seed), BYTES_LIT("tacit simulator"),
                    bytes_of(label)) != TACIT_OK)
        memset(out, 0, len);
}

static enum tacit_err export_one(struct sim *sim, const char *name, const struct buf *content)
{
    char *path = path_in(sim->dir, name);
    enum tacit_err err = path == NULL || content->failed
                             ? TACIT_NOMEM
                             : file_write(path, buf_bytes(content), PUBLIC_MODE);

    free(path);
    return err;
}

enum tacit_err sim_export(struct sim *sim, int64_t now_unix_s)
{
    struct buf pem = buf_make(16384);
    struct buf json = buf_make(1 << 20);
    enum tacit_err err;

    if (sim->dir == NULL)
        return TACIT_STATE;
    err = sim_root_pem(sim, &pem);
    if (err == TACIT_OK)
        err = sim_collateral(sim, &json, now_unix_s);
    if (err == TACIT_OK)
        err = export_one(sim, "root.pem", &pem);
    if (err == TACIT_OK)
        err = export_one(sim, "collateral.json", &json);
    buf_done(&pem);
    buf_done(&json);
    return err;
}
