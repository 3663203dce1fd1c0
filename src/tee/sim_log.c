/* The event log of a simulated trust domain as dstack writes it, and the lies about it. */
#include "attest/event_log.h"
#include "codec/jwrite.h"
#include "tee/sim_td_priv.h"

enum { OTHER_TYPE = 4 };

static void event_put(struct jw *w, const struct sim_event *e)
{
    jw_object(w);
    jw_key_u64(w, "imr", e->imr);
    jw_key_u64(w, "event_type", e->type);
    jw_key(w, "digest");
    jw_hex(w, BYTES_ARRAY(e->digest));
    jw_key_str(w, "event", e->name);
    jw_key(w, "event_payload");
    jw_hex(w, e->payload);
    jw_end(w);
}

/* name ':' payload, split at the first ':' of the payload instead: the same octets, the same
 * digest. */
static void separator_shift(struct sim_event *e, uint8_t *mem, size_t cap)
{
    struct buf joined = buf_over(mem, cap);
    size_t cut = bytes_find_byte(e->payload, ':');

    buf_put(&joined, e->name);
    buf_putc(&joined, ':');
    buf_put(&joined, bytes_slice(e->payload, 0, cut));
    if (joined.failed || cut == SIZE_MAX)
        return;
    e->name = buf_bytes(&joined);
    e->payload = bytes_slice(e->payload, cut + 1, e->payload.len);
}

/* One event as the log shows it. mem is scratch that lives until the event is written. */
static struct sim_event event_spoil(const struct sim *sim, const struct sim_event *real,
                                    uint8_t *mem, size_t cap)
{
    struct sim_event e = *real;

    if (sim_is(sim, SIM_LOG_PAYLOAD) && bytes_eq_cstr(e.name, "compose-hash")) {
        memcpy(mem, e.payload.ptr, e.payload.len);
        mem[0] ^= 1;
        e.payload.ptr = mem;
    }
    if (sim_is(sim, SIM_LOG_SEPARATOR) && bytes_eq_cstr(e.name, "key-provider"))
        separator_shift(&e, mem, cap);
    if (sim_is(sim, SIM_LOG_TYPE) && bytes_eq_cstr(e.name, "system-ready"))
        e.type = OTHER_TYPE;
    if (sim_is(sim, SIM_LOG_BOOT) && e.imr == 0)
        e.digest[0] ^= 1;
    return e;
}

static void event_invent(struct jw *w)
{
    struct sim_event e = {.imr = 3,
                          .type = EVENT_TYPE_RUNTIME,
                          .name = BYTES_LIT("invented"),
                          .payload = BYTES_LIT("by nobody")};

    event_log_digest(e.digest, e.name, e.payload);
    event_put(w, &e);
}

enum tacit_err sim_td_event_log(struct sim_td *td, struct buf *json)
{
    struct jw w = jw_make(json);

    jw_array(&w);
    for (size_t i = 0; i < td->event_count; i++) {
        uint8_t mem[512];
        struct sim_event e = event_spoil(td->sim, &td->events[i], mem, sizeof(mem));

        if (!sim_is(td->sim, SIM_LOG_DROPPED) || !bytes_eq_cstr(e.name, "mr-kms"))
            event_put(&w, &e);
    }
    if (sim_is(td->sim, SIM_LOG_ADDED))
        event_invent(&w);
    jw_end(&w);
    return buf_err(json);
}
