/* dstack event logs. Invariant: a runtime event enters the replay only with a digest that we
 * computed from its name and payload, so that a matching RTMR3 proves both. */
#include "attest/event_log.h"

#include "base/limits.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "codec/jwrite.h"
#include "crypto/sha2.h"

/* Who, what and by whom keys are given: each of them once, or a reader could pick another. */
static const char *const identity_names[] = {"system-preparing", "app-id",       "compose-hash",
                                             "instance-id",      "boot-mr-done", "mr-kms",
                                             "os-image-hash",    "key-provider", "system-ready"};

enum { IMR_RUNTIME = 3 };

struct entry {
    struct jval imr, type, digest, name, payload, version;
};

void event_log_digest(uint8_t out[static 48], struct bytes name, struct bytes payload)
{
    static const uint8_t type_le[4] = {0x01, 0x00, 0x00, 0x08};
    struct sha512 s;

    sha384_init(&s);
    sha384_add(&s, BYTES_ARRAY(type_le));
    sha384_add(&s, BYTES_LIT(":"));
    sha384_add(&s, name);
    sha384_add(&s, BYTES_LIT(":"));
    sha384_add(&s, payload);
    sha384_final(&s, out);
}

void event_log_extend(uint8_t rtmr[static RTMR_LEN], const uint8_t digest[static 48])
{
    struct sha512 s;

    sha384_init(&s);
    sha384_add(&s, bytes_make(rtmr, RTMR_LEN));
    sha384_add(&s, bytes_make(digest, 48));
    sha384_final(&s, rtmr);
}

/* Version 2: SHA-384 of the canonical JSON {"name","payload","type"}. */
static enum tacit_err digest_v2(uint8_t out[static 48], struct bytes name, struct bytes payload)
{
    struct buf text = buf_make(LIMIT_EVENT_LOG_BYTES);
    enum tacit_err err;

    buf_puts(&text, "{\"name\":");
    jw_put_str(&text, name);
    buf_puts(&text, ",\"payload\":\"");
    buf_hex(&text, payload);
    buf_putf(&text, "\",\"type\":%u}", (unsigned)EVENT_TYPE_RUNTIME);
    err = buf_err(&text);
    if (err == TACIT_OK)
        sha384(out, buf_bytes(&text));
    buf_done(&text);
    return err;
}

static enum tacit_err refuse(struct event_log *log, enum event_log_fault fault)
{
    log->fault = fault;
    log->fault_index = log->event_count;
    return fault == EVENT_LOG_TOO_MANY ? TACIT_LIMIT : TACIT_FORMAT;
}

static bool entry_open(struct entry *out, struct jval item)
{
    struct jscan_field f[] = {{"imr", JVAL_ABSENT},           {"event_type", JVAL_ABSENT},
                              {"digest", JVAL_ABSENT},        {"event", JVAL_ABSENT},
                              {"event_payload", JVAL_ABSENT}, {"version", JVAL_ABSENT}};

    if (jscan_fields(item, f, ARRAY_LEN(f)) == SIZE_MAX)
        return false;
    *out = (struct entry){f[0].val, f[1].val, f[2].val, f[3].val, f[4].val, f[5].val};
    return out->digest.type == JVAL_STRING && out->name.type == JVAL_STRING &&
           out->payload.type == JVAL_STRING;
}

static bool is_identity(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(identity_names); i++)
        if (bytes_eq_cstr(name, identity_names[i]))
            return true;
    return false;
}

static bool is_known(const struct event_log *log, struct bytes name)
{
    for (size_t i = 0; i < log->runtime_count; i++)
        if (bytes_eq(log->runtime[i].name, name))
            return true;
    return false;
}

static enum tacit_err payload_decode(struct bytes *out, struct jval text, struct arena *arena)
{
    struct bytes view;
    uint8_t *mem;

    if (!jscan_str_view(&view, text) || view.len % 2 != 0)
        return TACIT_FORMAT;
    mem = arena_alloc(arena, view.len / 2 + 1);
    if (mem == NULL)
        return TACIT_NOMEM;
    if (hex_decode_fixed(mem, view.len / 2, view) != TACIT_OK)
        return TACIT_FORMAT;
    *out = bytes_make(mem, view.len / 2);
    return TACIT_OK;
}

/* The version of the digest: 1 unless the entry says 2. */
static enum tacit_err digest_compute(struct event_log_event *e, struct jval version)
{
    uint64_t number = 1;

    if (!jscan_is_nothing(version) && !jscan_u64(&number, version, 2))
        return TACIT_FORMAT;
    if (number == 2)
        return digest_v2(e->digest, e->name, e->payload);
    event_log_digest(e->digest, e->name, e->payload);
    return TACIT_OK;
}

/* A given digest must be ours; an empty one was stripped to save room. */
static enum tacit_err digest_compare(struct event_log *log, const struct event_log_event *e,
                                     struct jval given)
{
    uint8_t digest[48];
    struct bytes text;

    if (!jscan_str_view(&text, given))
        return refuse(log, EVENT_LOG_PARSE);
    if (text.len == 0)
        return TACIT_OK;
    if (hex_decode_fixed(digest, sizeof(digest), text) != TACIT_OK)
        return refuse(log, EVENT_LOG_PARSE);
    if (!bytes_eq(BYTES_ARRAY(digest), BYTES_ARRAY(e->digest)))
        return refuse(log, EVENT_LOG_DIGEST);
    return TACIT_OK;
}

static bool system_is_over(const struct event_log *log)
{
    return is_known(log, BYTES_LIT("system-ready"));
}

static enum tacit_err runtime_add(struct event_log *log, const struct entry *in,
                                  struct arena *arena)
{
    struct event_log_event *e = &log->runtime[log->runtime_count];
    enum tacit_err err;

    e->name = jscan_str_dup(arena, in->name);
    if (e->name.ptr == NULL)
        return TACIT_NOMEM;
    if (e->name.len == 0 || bytes_find_byte(e->name, ':') != SIZE_MAX)
        return refuse(log, EVENT_LOG_NAME);
    err = payload_decode(&e->payload, in->payload, arena);
    if (err == TACIT_OK)
        err = digest_compute(e, in->version);
    if (err != TACIT_OK)
        return err == TACIT_FORMAT ? refuse(log, EVENT_LOG_PARSE) : err;
    err = digest_compare(log, e, in->digest);
    if (err != TACIT_OK)
        return err;
    e->is_system = !system_is_over(log);
    if (e->is_system && is_identity(e->name) && is_known(log, e->name))
        return refuse(log, EVENT_LOG_DUPLICATE);
    event_log_extend(log->rtmr[IMR_RUNTIME], e->digest);
    log->runtime_count++;
    return TACIT_OK;
}

static enum tacit_err boot_add(struct event_log *log, uint64_t imr, struct jval given)
{
    uint8_t digest[48];
    struct bytes text;

    if (!jscan_str_view(&text, given) || hex_decode_fixed(digest, sizeof(digest), text) != TACIT_OK)
        return refuse(log, EVENT_LOG_PARSE);
    event_log_extend(log->rtmr[imr], digest);
    return TACIT_OK;
}

static enum tacit_err entry_add(struct event_log *log, struct jval item, struct arena *arena)
{
    struct entry e;
    uint64_t imr;
    uint64_t type;

    if (log->event_count >= LIMIT_EVENT_LOG_EVENTS)
        return refuse(log, EVENT_LOG_TOO_MANY);
    if (!entry_open(&e, item) || !jscan_u64(&imr, e.imr, RTMR_COUNT - 1) ||
        !jscan_u64(&type, e.type, UINT32_MAX))
        return refuse(log, EVENT_LOG_PARSE);
    if ((imr == IMR_RUNTIME) != (type == EVENT_TYPE_RUNTIME))
        return refuse(log, EVENT_LOG_TYPE);
    return imr == IMR_RUNTIME ? runtime_add(log, &e, arena) : boot_add(log, imr, e.digest);
}

/* Without system-ready nobody knows where the system's events end: none is taken for one. */
static void system_settle(struct event_log *log)
{
    if (system_is_over(log))
        return;
    for (size_t i = 0; i < log->runtime_count; i++)
        log->runtime[i].is_system = false;
}

static enum tacit_err entries_add(struct event_log *log, struct jval root, struct arena *arena)
{
    struct jiter it = jscan_iter(root);
    size_t count = jscan_count(root);
    struct jval item;

    if (count > LIMIT_EVENT_LOG_EVENTS)
        return refuse(log, EVENT_LOG_TOO_MANY);
    log->runtime = arena_alloc(arena, (count + 1) * sizeof(*log->runtime));
    if (log->runtime == NULL)
        return TACIT_NOMEM;
    while (jscan_next(&it, NULL, &item)) {
        enum tacit_err err = entry_add(log, item, arena);

        if (err != TACIT_OK)
            return err;
        log->event_count++;
    }
    system_settle(log);
    return TACIT_OK;
}

enum tacit_err event_log_read(struct event_log *out, struct bytes json, struct arena *arena)
{
    struct event_log log = {0};
    struct jval root;
    enum tacit_err err;

    *out = (struct event_log){0};
    if (json.len > LIMIT_EVENT_LOG_BYTES)
        err = refuse(&log, EVENT_LOG_TOO_MANY);
    else if (jscan_validate(&root, NULL, json) != TACIT_OK)
        err = refuse(&log, EVENT_LOG_JSON);
    else if (root.type != JVAL_ARRAY)
        err = refuse(&log, EVENT_LOG_PARSE);
    else
        err = entries_add(&log, root, arena);
    if (err == TACIT_OK)
        *out = log;
    else
        *out = (struct event_log){.fault = log.fault, .fault_index = log.fault_index};
    return err;
}

bool event_log_prove(struct event_log *log, const struct bytes rtmr[static RTMR_COUNT])
{
    log->proven_mask = 0;
    for (unsigned i = 0; i < RTMR_COUNT; i++)
        if (bytes_eq(bytes_make(log->rtmr[i], RTMR_LEN), rtmr[i]))
            log->proven_mask |= BIT(i);
    return log->proven_mask == BIT(RTMR_COUNT) - 1;
}

static const struct event_log_event *find(const struct event_log *log, const char *name,
                                          bool is_system, size_t skip)
{
    if ((log->proven_mask & BIT(IMR_RUNTIME)) == 0)
        return NULL;
    for (size_t i = 0; i < log->runtime_count; i++) {
        const struct event_log_event *e = &log->runtime[i];

        if (e->is_system != is_system || !bytes_eq_cstr(e->name, name))
            continue;
        if (skip == 0)
            return e;
        skip--;
    }
    return NULL;
}

const struct event_log_event *event_log_system(const struct event_log *log, const char *name)
{
    return find(log, name, true, 0);
}

const struct event_log_event *event_log_app(const struct event_log *log, const char *name, size_t n)
{
    return find(log, name, false, n);
}

const char *event_log_fault_name(enum event_log_fault fault)
{
    switch (fault) {
    case EVENT_LOG_FINE:
        return "none";
    case EVENT_LOG_JSON:
        return "json";
    case EVENT_LOG_PARSE:
        return "parse";
    case EVENT_LOG_NAME:
        return "event_name";
    case EVENT_LOG_TYPE:
        return "event_type";
    case EVENT_LOG_DIGEST:
        return "event_digest";
    case EVENT_LOG_DUPLICATE:
        return "event_duplicate";
    case EVENT_LOG_TOO_MANY:
        return "too_many";
    }
    return "none";
}
