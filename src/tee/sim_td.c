/* A trust domain of the simulated platform, as dstack would have started it: firmware events in
 * RTMR0-2, the system events of RTMR3, then what the application adds. Its log and its registers
 * move together, so a replay of the log gives the registers. */
#include <stdio.h>
#include <stdlib.h>

#include "attest/event_log.h"
#include "codec/jwrite.h"
#include "crypto/random.h"
#include "tee/sim_td_priv.h"

enum { BOOT_SEPARATOR = 4, LABEL_MAX = 96 };

struct boot_event {
    unsigned imr;
    uint32_t type;
    const char *payload;
};

/* The order and the types of a dstack machine's firmware log; the payloads describe the simulator.
 */
static const struct boot_event boot_events[] = {
    {0, 0x8000000b, "tacit simulator: TD HOB"},
    {0, 0x8000000a, "tacit simulator: configuration firmware volume"},
    {0, 0x80000001, "tacit simulator: SecureBoot"},
    {0, 0x80000001, "tacit simulator: PK"},
    {0, 0x80000001, "tacit simulator: KEK"},
    {0, 0x80000001, "tacit simulator: db"},
    {0, 0x80000001, "tacit simulator: dbx"},
    {0, BOOT_SEPARATOR, NULL},
    {0, 10, "ACPI DATA"},
    {1, 0x80000003, "tacit simulator: kernel image"},
    {0, 0x80000002, "tacit simulator: BootOrder"},
    {1, 0x80000007, "Calling EFI Application from Boot Option"},
    {1, BOOT_SEPARATOR, NULL},
    {2, 6, "LOADED_IMAGE::LoadOptions"},
    {2, 6, "Linux initrd"},
    {1, 0x80000007, "Exit Boot Services Invocation"},
    {1, 0x80000007, "Exit Boot Services Returned with Success"},
};

static enum tacit_err log_append(struct sim_td *td, unsigned imr, uint32_t type,
                                 const uint8_t digest[static 48], const char *event,
                                 struct bytes payload)
{
    struct sim_event *e = &td->events[td->event_count];

    if (td->event_count >= ARRAY_LEN(td->events))
        return TACIT_LIMIT;
    *e = (struct sim_event){.imr = imr,
                            .type = type,
                            .name = arena_dup(&td->arena, bytes_of(event)),
                            .payload = arena_dup(&td->arena, payload)};
    if (e->name.ptr == NULL || e->payload.ptr == NULL)
        return TACIT_LIMIT;
    memcpy(e->digest, digest, sizeof(e->digest));
    td->event_count++;
    event_log_extend(td->regs.rtmr[imr], digest);
    return TACIT_OK;
}

static enum tacit_err boot(struct sim_td *td)
{
    static const uint8_t separator[4] = {0};
    enum tacit_err err = TACIT_OK;

    sha384(td->regs.mrtd, BYTES_LIT("tacit simulated TD firmware"));
    for (size_t i = 0; i < ARRAY_LEN(boot_events) && err == TACIT_OK; i++) {
        const struct boot_event *e = &boot_events[i];
        struct bytes payload = e->payload == NULL ? BYTES_ARRAY(separator) : bytes_of(e->payload);
        uint8_t digest[48];

        sha384(digest, payload);
        err = log_append(td, e->imr, e->type, digest, "", payload);
    }
    return err;
}

enum tacit_err sim_td_event(struct sim_td *td, const char *event, struct bytes payload)
{
    uint8_t digest[48];

    if (event[0] == 0 || strchr(event, ':') != NULL)
        return TACIT_USAGE;
    event_log_digest(digest, bytes_of(event), payload);
    return log_append(td, 3, EVENT_TYPE_RUNTIME, digest, event, payload);
}

/* {"name":"kms","id":"<DER public key of the simulated KMS>"} */
static enum tacit_err key_provider_make(struct sim_td *td)
{
    struct buf spki = buf_make(256);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(td->sim, &pki);

    if (err == TACIT_OK)
        err = signkey_spki(pki->keys[SIM_KEY_KMS], &spki);
    if (err == TACIT_OK) {
        buf_puts(&td->key_provider, "{\"name\":\"kms\",\"id\":\"");
        buf_hex(&td->key_provider, buf_bytes(&spki));
        buf_puts(&td->key_provider, "\"}");
        err = buf_err(&td->key_provider);
    }
    buf_done(&spki);
    return err;
}

static enum tacit_err start_system(struct sim_td *td)
{
    uint8_t kms[32];
    struct bytes none = {NULL, 0};

    sha256(kms, buf_bytes(&td->key_provider));
    const struct {
        const char *event;
        struct bytes payload;
    } events[] = {
        {"system-preparing", none},
        {"app-id", BYTES_ARRAY(td->app_id)},
        {"compose-hash", BYTES_ARRAY(td->compose_hash)},
        {"instance-id", BYTES_ARRAY(td->instance_id)},
        {"boot-mr-done", none},
        {"mr-kms", BYTES_ARRAY(kms)},
        {"os-image-hash", BYTES_ARRAY(td->os_image_hash)},
        {"key-provider", buf_bytes(&td->key_provider)},
        {"system-ready", none},
    };
    enum tacit_err err = TACIT_OK;

    for (size_t i = 0; i < ARRAY_LEN(events) && err == TACIT_OK; i++) {
        err = sim_td_event(td, events[i].event, events[i].payload);
        if (err == TACIT_OK && i == 2 && sim_is(td->sim, SIM_LOG_DUPLICATE))
            err = sim_td_event(td, events[i].event, events[i].payload);
    }
    return err;
}

static bool is_workload_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= SIM_WORKLOAD_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

static void compose_make(struct sim_td *td, const char *workload)
{
    struct buf yaml = buf_make(1024);
    struct jw w = jw_make(&td->app_compose);

    buf_putf(&yaml,
             "services:\n  %s:\n    image: tacit/%s:simulated\n    command: [\"tacit\", \"%s\"]\n",
             workload, workload, workload);
    jw_object(&w);
    jw_key_u64(&w, "manifest_version", 2);
    jw_key_cstr(&w, "name", workload);
    jw_key_cstr(&w, "runner", "docker-compose");
    jw_key_str(&w, "docker_compose_file", buf_bytes(&yaml));
    jw_key(&w, "kms_enabled");
    jw_bool(&w, true);
    jw_key(&w, "public_logs");
    jw_bool(&w, false);
    jw_key(&w, "public_sysinfo");
    jw_bool(&w, true);
    jw_end(&w);
    td->app_compose.failed = td->app_compose.failed || yaml.failed;
    buf_done(&yaml);
}

/* MRCONFIGID version 1: 01 ‖ compose hash ‖ zeros. */
static enum tacit_err identity_make(struct sim_td *td, const char *workload)
{
    uint8_t instance_seed[32];
    uint8_t digest[32];
    struct sha256 s;
    enum tacit_err err = TACIT_OK;

    compose_make(td, workload);
    sha256(td->compose_hash, buf_bytes(&td->app_compose));
    memcpy(td->app_id, td->compose_hash, sizeof(td->app_id));
    td->regs.mrconfigid[0] = 1;
    memcpy(td->regs.mrconfigid + 1, td->compose_hash, sizeof(td->compose_hash));
    sha256(td->os_image_hash, BYTES_LIT("tacit simulated OS image"));
    sim_derive(td->sim, td->device_id, sizeof(td->device_id), "platform/device");
    if (td->sim->is_fixed)
        sim_derive(td->sim, instance_seed, sizeof(instance_seed), "td/instance");
    else
        err = random_fill(instance_seed, sizeof(instance_seed));
    sha256_init(&s);
    sha256_add(&s, BYTES_ARRAY(instance_seed));
    sha256_add(&s, BYTES_ARRAY(td->app_id));
    sha256_final(&s, digest);
    memcpy(td->instance_id, digest, sizeof(td->instance_id));
    return err == TACIT_OK ? buf_err(&td->app_compose) : err;
}

/* Fresh per start; with a given seed, determined by it and the workload. */
static enum tacit_err attestation_key_make(struct sim_td *td)
{
    char label[LABEL_MAX];

    if (!td->sim->is_fixed)
        return signkey_new(&td->ak, SIGNKEY_P256);
    snprintf(label, sizeof(label), "key/attestation/%s", td->workload);
    return signkey_from_seed(&td->ak, SIGNKEY_P256, td->sim->seed, label);
}

enum tacit_err sim_td_new(struct sim_td **out, struct sim *sim, const char *workload)
{
    struct sim_td *td;
    enum tacit_err err;

    *out = NULL;
    if (!is_workload_name(workload))
        return TACIT_USAGE;
    td = calloc(1, sizeof(*td));
    if (td == NULL)
        return TACIT_NOMEM;
    td->sim = sim;
    td->arena = arena_make(LIMIT_EVENT_LOG_BYTES);
    td->app_compose = buf_make(SIM_COMPOSE_MAX);
    td->key_provider = buf_make(SIM_COMPOSE_MAX);
    snprintf(td->workload, sizeof(td->workload), "%s", workload);
    err = attestation_key_make(td);
    if (err == TACIT_OK)
        err = identity_make(td, workload);
    if (err == TACIT_OK)
        err = key_provider_make(td);
    if (err == TACIT_OK)
        err = boot(td);
    if (err == TACIT_OK)
        err = start_system(td);
    if (err != TACIT_OK) {
        sim_td_free(td);
        return err;
    }
    *out = td;
    return TACIT_OK;
}

void sim_td_free(struct sim_td *td)
{
    if (td == NULL)
        return;
    signkey_free(td->ak);
    arena_done(&td->arena);
    buf_done(&td->app_compose);
    buf_done(&td->key_provider);
    free(td);
}

enum tacit_err sim_td_quote(struct sim_td *td, struct buf *quote,
                            const uint8_t report_data[static 64])
{
    return sim_quote(td->sim, quote, &td->regs, td->ak, report_data);
}
