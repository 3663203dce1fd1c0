/* What dstack's guest agent would say of a simulated trust domain, and the keys its KMS would give:
 * the same for every instance of an application on every machine that shares the seed. */
#include <stdio.h>

#include "codec/jwrite.h"
#include "crypto/hkdf.h"
#include "tee/sim_td_priv.h"

enum { CERT_DER_MAX = 4096, CERT_LIFE_DAYS = 3650, INFO_TEXT_MAX = 16384, DAY_S = 86400 };

static const int64_t app_cert_not_before = 1704067200; /* 2024-01-01 */

/* SHA-256 over all measurement registers (tdx.md 5.1). */
static void aggregate(const struct sim_td *td, uint8_t out[static 32])
{
    static const uint8_t owners[2 * 48] = {0};
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, BYTES_ARRAY(td->regs.mrtd));
    for (size_t i = 0; i < ARRAY_LEN(td->regs.rtmr); i++)
        sha256_add(&s, BYTES_ARRAY(td->regs.rtmr[i]));
    sha256_add(&s, BYTES_ARRAY(td->regs.mrconfigid));
    sha256_add(&s, BYTES_ARRAY(owners));
    sha256_final(&s, out);
}

static void hex_member(struct jw *w, const char *name, struct bytes octets)
{
    jw_key(w, name);
    jw_hex(w, octets);
}

/* The application's certificate, issued by the simulated KMS. */
static enum tacit_err app_cert(struct sim_td *td, struct buf *pem)
{
    const struct cert_rdn ca[] = {{"2.5.4.10", DER_UTF8_STRING, "SIMULATED"},
                                  {"2.5.4.3", DER_UTF8_STRING, "tacit simulator app CA"}};
    const struct cert_rdn app[] = {{"2.5.4.3", DER_UTF8_STRING, td->workload}};
    struct buf issuer = buf_make(512), subject = buf_make(512), spki = buf_make(256);
    struct buf der = buf_make(CERT_DER_MAX);
    struct cert_spec spec;
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(td->sim, &pki);

    cert_name(&issuer, ca, ARRAY_LEN(ca));
    cert_name(&subject, app, ARRAY_LEN(app));
    if (err == TACIT_OK)
        err = signkey_spki(td->ak, &spki);
    spec = (struct cert_spec){.serial = BYTES_ARRAY(td->instance_id),
                              .issuer_name = buf_bytes(&issuer),
                              .subject_name = buf_bytes(&subject),
                              .not_before_unix_s = app_cert_not_before,
                              .not_after_unix_s =
                                  app_cert_not_before + (int64_t)CERT_LIFE_DAYS * DAY_S,
                              .spki = buf_bytes(&spki)};
    if (err == TACIT_OK)
        err = cert_make(&der, &spec, pki->keys[SIM_KEY_KMS]);
    if (err == TACIT_OK)
        pem_put(pem, "CERTIFICATE", buf_bytes(&der));
    buf_done(&issuer);
    buf_done(&subject);
    buf_done(&spki);
    buf_done(&der);
    return err == TACIT_OK ? buf_err(pem) : err;
}

static void vm_config(const struct sim_td *td, struct buf *json)
{
    struct jw w = jw_make(json);

    jw_object(&w);
    jw_key_u64(&w, "spec_version", 1);
    hex_member(&w, "os_image_hash", BYTES_ARRAY(td->os_image_hash));
    jw_key_u64(&w, "cpu_count", 4);
    jw_key_u64(&w, "memory_size", UINT64_C(8) << 30);
    jw_key_cstr(&w, "qemu_version", "9.2.1");
    jw_key_u64(&w, "pci_hole64_size", 0);
    jw_key(&w, "hugepages");
    jw_bool(&w, false);
    jw_key_u64(&w, "num_gpus", 0);
    jw_key_u64(&w, "num_nvswitches", 0);
    jw_key(&w, "hotplug_off");
    jw_bool(&w, true);
    jw_key_cstr(&w, "image", "tacit-simulated");
    jw_end(&w);
}

/* The composition as shown: measured, unless the plan says otherwise. */
static void app_compose_put(const struct sim_td *td, struct jw *w)
{
    struct buf text = buf_make(SIM_COMPOSE_MAX);

    buf_put(&text, buf_bytes(&td->app_compose));
    if (sim_is(td->sim, SIM_COMPOSE_TEXT))
        buf_putc(&text, '\n');
    jw_key_str(w, "app_compose", buf_bytes(&text));
    w->out->failed = w->out->failed || text.failed;
    buf_done(&text);
}

static void tcb_info(struct sim_td *td, struct jw *w, struct bytes event_log)
{
    static const char *const names[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    uint8_t aggregated[32];

    aggregate(td, aggregated);
    jw_key(w, "tcb_info");
    jw_object(w);
    hex_member(w, "mrtd", BYTES_ARRAY(td->regs.mrtd));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        hex_member(w, names[i], BYTES_ARRAY(td->regs.rtmr[i]));
    hex_member(w, "mr_aggregated", BYTES_ARRAY(aggregated));
    hex_member(w, "os_image_hash", BYTES_ARRAY(td->os_image_hash));
    hex_member(w, "compose_hash", BYTES_ARRAY(td->compose_hash));
    hex_member(w, "device_id", BYTES_ARRAY(td->device_id));
    app_compose_put(td, w);
    jw_key_raw(w, "event_log", event_log);
    jw_end(w);
}

enum tacit_err sim_td_info(struct sim_td *td, struct buf *json)
{
    struct buf cert = buf_make(INFO_TEXT_MAX);
    struct buf config = buf_make(INFO_TEXT_MAX);
    struct buf log = buf_make(LIMIT_EVENT_LOG_BYTES);
    struct jw w = jw_make(json);
    uint8_t aggregated[32];
    uint8_t image[32];
    enum tacit_err err = app_cert(td, &cert);

    if (err == TACIT_OK)
        err = sim_td_event_log(td, &log);
    memcpy(image, td->os_image_hash, sizeof(image));
    image[0] ^= sim_is(td->sim, SIM_INFO_IMAGE);
    vm_config(td, &config);
    aggregate(td, aggregated);
    jw_object(&w);
    hex_member(&w, "app_id", BYTES_ARRAY(td->app_id));
    hex_member(&w, "instance_id", BYTES_ARRAY(td->instance_id));
    jw_key_str(&w, "app_cert", buf_bytes(&cert));
    tcb_info(td, &w, buf_bytes(&log));
    jw_key_cstr(&w, "app_name", td->workload);
    hex_member(&w, "device_id", BYTES_ARRAY(td->device_id));
    hex_member(&w, "mr_aggregated", BYTES_ARRAY(aggregated));
    hex_member(&w, "os_image_hash", BYTES_ARRAY(image));
    jw_key_str(&w, "key_provider_info", buf_bytes(&td->key_provider));
    hex_member(&w, "compose_hash", BYTES_ARRAY(td->compose_hash));
    jw_key_str(&w, "vm_config", buf_bytes(&config));
    jw_end(&w);
    if (err == TACIT_OK && (cert.failed || config.failed || log.failed || json->failed))
        err = TACIT_NOMEM;
    buf_done(&cert);
    buf_done(&config);
    buf_done(&log);
    return err;
}

enum tacit_err sim_td_key(struct sim_td *td, uint8_t out[static 32], const char *path,
                          const char *purpose)
{
    struct buf info = buf_make_secret(4096);
    enum tacit_err err;

    buf_put(&info, BYTES_ARRAY(td->app_id));
    buf_u32be(&info, (uint32_t)strlen(path));
    buf_puts(&info, path);
    buf_puts(&info, purpose);
    err = buf_err(&info);
    if (err == TACIT_OK)
        err = hkdf_sha256(out, 32, BYTES_ARRAY(td->sim->seed), BYTES_LIT("tacit simulated KMS"),
                          buf_bytes(&info));
    buf_done(&info);
    return err;
}
