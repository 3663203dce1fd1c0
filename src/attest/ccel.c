/* CCEL logs: one strict pass that checks every length and replays the registers. Invariant: a log
 * that ccel_read accepted can be walked by ccel_next without another check. */
#include "attest/ccel.h"

#include "attest/event_log.h"
#include "crypto/sha2.h"

/* TCG event types; macros, because an enum cannot hold values above INT_MAX. */
#define EV_NO_ACTION 3U
#define EV_SEPARATOR 4U
#define EV_EVENT_TAG 6U
#define EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001U
#define EV_EFI_GPT 0x80000006U
#define EV_EFI_ACTION 0x80000007U
#define EV_EFI_VARIABLE_AUTHORITY 0x800000e0U

static const uint32_t end_marker = 0xffffffff;

/* The register RTMR0 stands for PCR 1 and PCR 7, and older firmware closes both. */
static const unsigned separators_max[CCEL_MR_MAX + 1] = {1, 2, 1, 1, 1};

static bool spec_algs_read(struct ccel *out, struct reader *r)
{
    uint32_t count = read_u32le(r);
    bool has_sha384 = false;

    if (count == 0 || count > CCEL_ALGS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        out->algs[i].id = read_u16le(r);
        out->algs[i].digest_len = read_u16le(r);
        for (uint32_t k = 0; k < i; k++)
            if (out->algs[k].id == out->algs[i].id)
                return false;
        if (out->algs[i].id == CCEL_ALG_SHA384) {
            if (out->algs[i].digest_len != 48)
                return false;
            has_sha384 = true;
        }
    }
    out->alg_count = count;
    return has_sha384;
}

/* The first entry has the old SHA-1 form and announces the algorithms of the others. */
static bool spec_read(struct ccel *out, struct reader *r)
{
    struct reader spec;

    read_u32le(r);
    if (read_u32le(r) != EV_NO_ACTION)
        return false;
    read_bytes(r, 20);
    spec = reader_over(read_bytes(r, read_u32le(r)));
    if (!bytes_eq(read_bytes(&spec, 16), BYTES_LIT("Spec ID Event03\0")))
        return false;
    read_u32le(&spec);
    read_u32le(&spec);
    if (!spec_algs_read(out, &spec))
        return false;
    read_bytes(&spec, read_u8(&spec));
    return reader_ok(r) && reader_finished(&spec);
}

static size_t alg_len(const struct ccel *log, uint16_t id)
{
    for (size_t i = 0; i < log->alg_count; i++)
        if (log->algs[i].id == id)
            return log->algs[i].digest_len;
    return 0;
}

static void digests_read(struct ccel_event *e, struct reader *r, const struct ccel *log)
{
    uint32_t count = read_u32le(r);

    if (count > log->alg_count)
        reader_fail(r);
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        uint16_t id = read_u16le(r);
        size_t len = alg_len(log, id);
        struct bytes digest = read_bytes(r, len);

        if (len == 0 || (id == CCEL_ALG_SHA384 && e->sha384.len != 0))
            reader_fail(r);
        if (id == CCEL_ALG_SHA384)
            e->sha384 = digest;
    }
}

static bool type_hashes_data(uint32_t type)
{
    switch (type) {
    case EV_SEPARATOR:
    case EV_EVENT_TAG:
    case EV_EFI_VARIABLE_DRIVER_CONFIG:
    case EV_EFI_GPT:
    case EV_EFI_ACTION:
    case EV_EFI_VARIABLE_AUTHORITY:
        return true;
    default:
        return false;
    }
}

static bool event_is_hashed(const struct ccel_event *e)
{
    uint8_t digest[48];

    if (!type_hashes_data(e->type))
        return false;
    sha384(digest, e->data);
    return bytes_eq(e->sha384, BYTES_ARRAY(digest));
}

/* Reads one event; false at the end of the log (marker, zeros, or no byte left) and when bad. */
static bool event_read(struct ccel_event *e, struct reader *r, const struct ccel *log)
{
    struct reader ahead = *r;

    *e = (struct ccel_event){0};
    if (reader_left(r) == 0)
        return false;
    e->mr_index = read_u32le(&ahead);
    if (reader_ok(&ahead) && e->mr_index == end_marker)
        return false;
    e->type = read_u32le(&ahead);
    if (reader_ok(&ahead) && e->mr_index == 0 && e->type == 0 && read_u32le(&ahead) == 0)
        return false;
    *r = (struct reader){.rest = bytes_slice(r->rest, 8, SIZE_MAX), .is_bad = ahead.is_bad};
    digests_read(e, r, log);
    e->data = read_bytes(r, read_u32le(r));
    if (e->mr_index > CCEL_MR_MAX || (e->type != EV_NO_ACTION && e->sha384.len == 0))
        reader_fail(r);
    return reader_ok(r);
}

bool ccel_next(struct ccel_event *out, struct reader *cursor, const struct ccel *log)
{
    if (!event_read(out, cursor, log))
        return false;
    out->is_data_hashed = event_is_hashed(out);
    return true;
}

static bool events_replay(struct ccel *out, struct reader *r)
{
    unsigned separators[CCEL_MR_MAX + 1] = {0};
    struct bytes whole = r->rest;
    struct ccel_event e;

    while (event_read(&e, r, out)) {
        out->event_count++;
        if (e.type == EV_NO_ACTION)
            continue;
        if (e.type == EV_SEPARATOR && ++separators[e.mr_index] > separators_max[e.mr_index])
            return false;
        if (e.mr_index > 0)
            event_log_extend(out->rtmr[e.mr_index - 1], e.sha384.ptr);
    }
    out->events = bytes_slice(whole, 0, whole.len - r->rest.len);
    return reader_ok(r);
}

enum tacit_err ccel_read(struct ccel *out, struct bytes in)
{
    struct reader r = reader_over(in);

    *out = (struct ccel){0};
    if (spec_read(out, &r) && events_replay(out, &r))
        return TACIT_OK;
    *out = (struct ccel){0};
    return TACIT_FORMAT;
}
