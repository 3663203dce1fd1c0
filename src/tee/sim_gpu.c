/* The simulated machine: its devices, their chains, evidence lists and files for verifiers. */
#include "tee/sim_gpu_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "codec/base64.h"

enum { EVIDENCE_MAX = 64 * 1024, RIM_FILE_MAX = 256 * 1024, PATH_LEN = 4096 };

static const struct sim_gpu_fault_info faults[] = {
#define MACHINE_ONE false
#define MACHINE_PPCIE true
#define SIM_GPU_FAULT_INFO(symbol, name, row, machine, does) {name, does, row, MACHINE_##machine},
    SIM_GPU_FAULTS(SIM_GPU_FAULT_INFO)
#undef SIM_GPU_FAULT_INFO
};

const struct sim_gpu_fault_info *sim_gpu_faults(size_t *count)
{
    *count = ARRAY_LEN(faults);
    return faults;
}

static void forget(struct sim_gpu *g)
{
    for (size_t i = 0; i < SIM_CA_COUNT; i++)
        sim_gpu_entity_done(&g->cas[i]);
    for (size_t i = 0; i < SIM_GPU_DEVICES; i++) {
        sim_gpu_entity_done(&g->devices[i].identity);
        sim_gpu_entity_done(&g->devices[i].leaf);
    }
}

enum tacit_err sim_gpu_set_fault(struct sim_gpu *g, const char *name)
{
    enum sim_gpu_fault fault = SIM_GPU_HONEST;

    for (size_t i = 0; name != NULL && i < ARRAY_LEN(faults); i++)
        if (strcmp(faults[i].name, name) == 0)
            fault = (enum sim_gpu_fault)(i + 1);
    if (name != NULL && fault == SIM_GPU_HONEST)
        return TACIT_NOT_FOUND;
    g->fault = fault;
    forget(g);
    return TACIT_OK;
}

void sim_gpu_set_now(struct sim_gpu *g, int64_t now_unix_s)
{
    /* manifest signers are dated by the day, so that a day's manifests are the same octets */
    int64_t day = now_unix_s - now_unix_s % (24 * 60 * 60);

    if (g->now_unix_s - g->now_unix_s % (24 * 60 * 60) != day)
        forget(g);
    g->now_unix_s = now_unix_s;
}

static void device_init(struct sim_gpu *g, struct sim_gpu_device *d, enum tacit_gpu_arch arch,
                        unsigned index)
{
    char label[32];

    d->arch = arch;
    d->index = index;
    snprintf(label, sizeof(label), "pdi %u %u", (unsigned)arch, index);
    sim_gpu_derive(g, d->pdi, sizeof(d->pdi), label);
}

enum tacit_err sim_gpu_new(struct sim_gpu **out, const struct sim_gpu_opts *opts)
{
    struct sim_gpu *g;

    *out = NULL;
    if ((!opts->is_ppcie && (opts->count < 1 || opts->count > SIM_GPU_GPUS)) ||
        (opts->is_ppcie && opts->is_blackwell))
        return TACIT_USAGE;
    g = calloc(1, sizeof(*g));
    if (g == NULL)
        return TACIT_NOMEM;
    memcpy(g->seed, opts->seed, sizeof(g->seed));
    g->now_unix_s = opts->now_unix_s;
    g->arch = opts->is_blackwell ? TACIT_GPU_BLACKWELL : TACIT_GPU_HOPPER;
    g->gpu_count = opts->is_ppcie ? SIM_GPU_GPUS : opts->count;
    g->switch_count = opts->is_ppcie ? SIM_GPU_SWITCHES : 0;
    g->mode = opts->is_ppcie                           ? TACIT_GPU_MODE_PPCIE
              : opts->is_blackwell && g->gpu_count > 1 ? TACIT_GPU_MODE_MPT
                                                       : TACIT_GPU_MODE_SPT;
    for (unsigned i = 0; i < g->gpu_count; i++)
        device_init(g, &g->devices[i], g->arch, i);
    for (unsigned i = 0; i < g->switch_count; i++)
        device_init(g, &g->devices[g->gpu_count + i], TACIT_GPU_LS10, i);
    *out = g;
    return TACIT_OK;
}

void sim_gpu_free(struct sim_gpu *g)
{
    if (g == NULL)
        return;
    forget(g);
    explicit_bzero(g, sizeof(*g));
    free(g);
}

/* The chain as it should be, as pointers: leaf first. */
static enum tacit_err chain_list(struct sim_gpu *g, const struct sim_gpu_entity *list[static 5],
                                 struct sim_gpu_device *d)
{
    enum sim_gpu_ca ca = sim_gpu_device_ca(d->arch);
    enum tacit_err err = sim_gpu_device_make(g, d);

    list[0] = &d->leaf;
    list[1] = &d->identity;
    for (size_t i = 2; i < 5 && err == TACIT_OK; i++) {
        err = sim_gpu_ca_get(g, &list[i], ca);
        ca = sim_gpu_ca_issuer(ca);
    }
    if (err == TACIT_OK && g->fault == SIM_GPU_ROOT_OF_RIM)
        err = sim_gpu_ca_get(g, &list[4], SIM_CA_RIM_ROOT);
    return err;
}

enum tacit_err sim_gpu_chain(struct sim_gpu *g, struct buf *pem, struct sim_gpu_device *d)
{
    const struct sim_gpu_entity *list[5] = {NULL};
    struct sim_gpu_device other = {.arch = d->arch, .index = d->index + 20};
    enum tacit_err err = chain_list(g, list, d);

    if (err == TACIT_OK && g->fault == SIM_GPU_LEAF_OTHER_GPU) {
        device_init(g, &other, d->arch, d->index + 20);
        err = sim_gpu_device_make(g, &other);
        list[1] = &other.identity;
    }
    for (size_t i = 0; i < 5 && err == TACIT_OK; i++) {
        if (i == 1 && g->fault == SIM_GPU_CHAIN_FOUR)
            continue;
        if (i == 2 && g->fault == SIM_GPU_CHAIN_TEXT)
            buf_puts(pem, "subject=an attacker's note\n");
        sim_gpu_pem(pem, list[g->fault == SIM_GPU_CHAIN_REVERSED ? 4 - i : i]);
    }
    if (err == TACIT_OK && g->fault == SIM_GPU_CHAIN_SIX)
        sim_gpu_pem(pem, list[4]);
    sim_gpu_entity_done(&other.identity);
    sim_gpu_entity_done(&other.leaf);
    return err == TACIT_OK ? buf_err(pem) : err;
}

static void base64_member(struct buf *json, const char *name, const struct buf *value)
{
    buf_putf(json, "\"%s\":\"", name);
    base64_encode(json, buf_bytes(value), BASE64_STD);
    buf_putc(json, '"');
}

static enum tacit_err item_put(struct sim_gpu *g, struct buf *json, struct sim_gpu_device *d,
                               const uint8_t nonce[static 32])
{
    struct buf report = buf_make(EVIDENCE_MAX), chain = buf_make(EVIDENCE_MAX);
    enum tacit_err err = sim_gpu_report(g, &report, d, nonce);

    if (err == TACIT_OK)
        err = sim_gpu_chain(g, &chain, d);
    if (err == TACIT_OK) {
        buf_putf(json, "{\"arch\":\"%s\",", tacit_gpu_arch_name(d->arch));
        base64_member(json, "certificate", &chain);
        buf_putc(json, ',');
        base64_member(json, "evidence", &report);
        buf_puts(json, ",\"nonce\":\"");
        buf_hex(json, bytes_make(nonce, 32));
        buf_puts(json, "\"}");
    }
    buf_done(&report);
    buf_done(&chain);
    return err == TACIT_OK ? buf_err(json) : err;
}

static enum tacit_err list_put(struct sim_gpu *g, struct buf *json, unsigned from, unsigned count,
                               const uint8_t nonce[static 32])
{
    enum tacit_err err = TACIT_OK;

    buf_putc(json, '[');
    for (unsigned i = 0; i < count && err == TACIT_OK; i++) {
        bool doubled = g->fault == SIM_GPU_SET_TWICE && i == 7;

        if (i > 0)
            buf_putc(json, ',');
        err = item_put(g, json, &g->devices[from + (doubled ? 0 : i)], nonce);
    }
    buf_putc(json, ']');
    return err;
}

enum tacit_err sim_gpu_payload(struct sim_gpu *g, struct buf *json, const uint8_t nonce[static 32])
{
    unsigned count = g->fault == SIM_GPU_SET_SEVEN ? g->gpu_count - 1 : g->gpu_count;
    enum tacit_err err;

    buf_putf(json, "{\"arch\":\"%s\",\"evidence_list\":", tacit_gpu_arch_name(g->arch));
    err = list_put(g, json, 0, count, nonce);
    buf_puts(json, ",\"nonce\":\"");
    buf_hex(json, bytes_make(nonce, 32));
    buf_puts(json, "\"}");
    return err == TACIT_OK ? buf_err(json) : err;
}

enum tacit_err sim_gpu_switches(struct sim_gpu *g, struct buf *json, const uint8_t nonce[static 32])
{
    unsigned count = g->fault == SIM_GPU_SET_NO_SWITCH ? 0 : g->switch_count;
    enum tacit_err err = list_put(g, json, g->gpu_count, count, nonce);

    return err == TACIT_OK ? buf_err(json) : err;
}

/* Genuine roots whatever the fault: what a verifier was given before anything went wrong. */
enum tacit_err sim_gpu_root(struct sim_gpu *g, struct buf *pem, enum sim_gpu_root which)
{
    enum sim_gpu_fault fault = g->fault;
    const struct sim_gpu_entity *e = NULL;
    enum tacit_err err;

    if (which == SIM_GPU_ROOT_NRAS)
        return sim_gpu_nras_root(g, pem);
    g->fault = SIM_GPU_HONEST;
    forget(g);
    err = sim_gpu_ca_get(g, &e, which == SIM_GPU_ROOT_DEVICE ? SIM_CA_ROOT : SIM_CA_RIM_ROOT);
    if (err == TACIT_OK)
        sim_gpu_pem(pem, e);
    g->fault = fault;
    forget(g);
    return err == TACIT_OK ? buf_err(pem) : err;
}

static enum tacit_err root_export(struct sim_gpu *g, const char *dir, const char *name,
                                  enum sim_gpu_root which)
{
    struct buf pem = buf_make(EVIDENCE_MAX);
    char path[PATH_LEN];
    enum tacit_err err = sim_gpu_root(g, &pem, which);

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
        err = TACIT_LIMIT;
    if (err == TACIT_OK)
        err = file_write(path, buf_bytes(&pem), 0644);
    buf_done(&pem);
    return err;
}

static enum tacit_err rim_export(struct sim_gpu *g, const char *dir, const char *id)
{
    struct buf xml = buf_make(RIM_FILE_MAX);
    char path[PATH_LEN];
    enum tacit_err err = sim_gpu_rim(g, &xml, id);

    if ((size_t)snprintf(path, sizeof(path), "%s/gpu-rim/%s.xml", dir, id) >= sizeof(path))
        err = TACIT_LIMIT;
    if (err == TACIT_OK)
        err = file_write(path, buf_bytes(&xml), 0644);
    buf_done(&xml);
    return err;
}

enum tacit_err sim_gpu_export(struct sim_gpu *g, const char *dir)
{
    char ids[8][SIM_GPU_ID_LEN], path[PATH_LEN];
    size_t count = sim_gpu_rim_ids(g, ids, ARRAY_LEN(ids));
    enum tacit_err err = root_export(g, dir, "gpu-device-root.pem", SIM_GPU_ROOT_DEVICE);

    if (err == TACIT_OK)
        err = root_export(g, dir, "gpu-rim-root.pem", SIM_GPU_ROOT_RIM);
    if (err == TACIT_OK)
        err = root_export(g, dir, "gpu-nras-root.pem", SIM_GPU_ROOT_NRAS);
    if ((size_t)snprintf(path, sizeof(path), "%s/gpu-rim", dir) >= sizeof(path))
        return TACIT_LIMIT;
    if (err == TACIT_OK)
        err = dir_make(path, 0755);
    for (size_t i = 0; i < count && err == TACIT_OK; i++)
        err = rim_export(g, dir, ids[i]);
    return err;
}
