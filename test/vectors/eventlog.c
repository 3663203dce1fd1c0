/* Event log vectors: manifest.json of dstack logs (each with its quote) and raw CCEL tables, with
 * the verdict of a strict verifier and what replay yields. */
#include "vectors.h"

#include "attest/ccel.h"
#include "attest/event_log.h"
#include "base/limits.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "crypto/sha2.h"

enum { FILE_MAX = 64 * 1024 * 1024, BODY_V4 = 48, BODY_V5 = 54, MRCONFIGID = 184, RTMR0 = 328 };

struct outcome {
    bool is_accepted;
    const char *why;
};

static bool member_str(struct bytes *out, struct jval obj, const char *name)
{
    return jscan_str_view(out, jscan_member(obj, name));
}

static bool quote_open(struct buf *quote, struct jval file, size_t *body)
{
    struct bytes hex;

    if (!member_str(&hex, file, "quote") || hex_decode(quote, hex) != TACIT_OK ||
        quote->len < BODY_V5 + 584)
        return false;
    *body = quote->ptr[0] == 5 ? BODY_V5 : BODY_V4;
    return true;
}

static struct bytes log_text(struct jval log, struct arena *arena)
{
    return log.type == JVAL_STRING ? jscan_str_dup(arena, log) : log.raw;
}

static bool compose_fits(const struct event_log *log, struct jval file, struct arena *arena)
{
    struct jval text = jscan_member(file, "app_compose");
    const struct event_log_event *e = event_log_system(log, "compose-hash");
    uint8_t hash[32];

    if (jscan_is_nothing(text))
        return true;
    sha256(hash, jscan_str_dup(arena, text));
    return e != NULL && bytes_eq(e->payload, BYTES_ARRAY(hash));
}

static bool events_fit(const struct event_log *log, struct jval expect, struct buf *scratch)
{
    struct jiter it = jscan_iter(jscan_member(expect, "rtmr3_events"));
    struct jval item;
    size_t i = 0;

    for (; jscan_next(&it, NULL, &item); i++) {
        if (i >= log->runtime_count || !jscan_str_eq(jscan_item(item, 0), log->runtime[i].name))
            return false;
        buf_reset(scratch);
        buf_hex(scratch, log->runtime[i].payload);
        if (!jscan_str_eq(jscan_item(item, 1), buf_bytes(scratch)))
            return false;
    }
    return i == 0 || i == log->runtime_count;
}

static struct outcome dstack_judge(struct jval file, struct jval expect, struct arena *arena,
                                   struct buf *quote, struct buf *scratch)
{
    struct bytes rtmr[RTMR_COUNT];
    struct event_log log;
    size_t body;

    if (!quote_open(quote, file, &body))
        return (struct outcome){false, "quote"};
    for (size_t i = 0; i < RTMR_COUNT; i++)
        rtmr[i] = bytes_make(quote->ptr + body + RTMR0 + i * RTMR_LEN, RTMR_LEN);
    if (event_log_read(&log, log_text(jscan_member(file, "event_log"), arena), arena) != TACIT_OK)
        return (struct outcome){false, event_log_fault_name(log.fault)};
    if (!event_log_prove(&log, rtmr))
        return (struct outcome){false, "rtmr"};
    if (!compose_fits(&log, file, arena))
        return (struct outcome){false, "compose_hash"};
    if (!events_fit(&log, expect, scratch))
        return (struct outcome){false, "events differ from those expected"};
    return (struct outcome){true, "accept"};
}

static struct outcome dstack_run(struct bytes file, struct jval expect)
{
    struct arena arena = arena_make(FILE_MAX);
    struct buf quote = buf_make(FILE_MAX);
    struct buf scratch = buf_make(FILE_MAX);
    struct outcome out = {false, "json"};
    struct jval root;

    if (jscan_object(&root, file) == TACIT_OK)
        out = dstack_judge(root, expect, &arena, &quote, &scratch);
    arena_done(&arena);
    buf_done(&quote);
    buf_done(&scratch);
    return out;
}

static bool ccel_fits(const struct ccel *log, struct jval vector)
{
    struct jval replayed = jscan_member(vector, "replayed");
    uint64_t events;
    char hex[97];

    if (jscan_u64(&events, jscan_member(vector, "events"), UINT32_MAX) &&
        events != log->event_count)
        return false;
    for (size_t i = 0; i < CCEL_RTMRS && replayed.type == JVAL_ARRAY; i++) {
        hex_encode(hex, sizeof(hex), BYTES_ARRAY(log->rtmr[i]));
        if (!jscan_str_eq_cstr(jscan_item(replayed, i), hex))
            return false;
    }
    return true;
}

static struct outcome ccel_run(struct bytes file, struct jval vector)
{
    struct ccel log;

    if (ccel_read(&log, file) != TACIT_OK)
        return (struct outcome){false, "parse"};
    if (!ccel_fits(&log, vector))
        return (struct outcome){false, "replay differs from the one expected"};
    return (struct outcome){true, "accept"};
}

static void run_one(struct vectors *v, const char *dir, struct jval vector)
{
    struct buf file = buf_make(FILE_MAX);
    struct outcome out = {false, "file"};
    struct bytes id, name, verdict, level, kind;
    char text[128], path[256];

    if (!member_str(&id, vector, "id") || !member_str(&name, vector, "file") ||
        !member_str(&verdict, vector, "verdict") || !member_str(&level, vector, "level") ||
        !member_str(&kind, vector, "kind") || !tsv_str(text, sizeof(text), id) ||
        !tsv_str(path, sizeof(path), name) || !vector_load(&file, dir, path)) {
        vector_report(v, "manifest", false, "a vector cannot be used");
        buf_done(&file);
        return;
    }
    if (bytes_eq_cstr(kind, "ccel"))
        out = ccel_run(buf_bytes(&file), vector);
    else
        out = dstack_run(buf_bytes(&file), jscan_member(vector, "expect"));
    vector_report(v, text,
                  bytes_eq_cstr(level, "either") ||
                      out.is_accepted == bytes_starts_with(verdict, BYTES_LIT("accept")),
                  "expected %.*s, got %s", BYTES_FMT(verdict), out.why);
    buf_done(&file);
}

static bool manifest_open(struct jval *vectors, struct buf *b, const char *dir)
{
    struct jval root;

    if (!vector_load(b, dir, "manifest.json") || jscan_object(&root, buf_bytes(b)) != TACIT_OK)
        return false;
    *vectors = jscan_member(root, "vectors");
    return vectors->type == JVAL_ARRAY;
}

/* Its own manifest has kinds; those of quotes and reports have none. */
static bool eventlog_applies(const char *dir)
{
    struct buf b = buf_make(FILE_MAX);
    struct bytes kind = {NULL, 0};
    struct jval vectors;
    bool does = manifest_open(&vectors, &b, dir) &&
                member_str(&kind, jscan_item(vectors, 0), "kind") &&
                (bytes_eq_cstr(kind, "dstack") || bytes_eq_cstr(kind, "ccel"));

    buf_done(&b);
    return does;
}

static void eventlog_run(struct vectors *v, const char *dir)
{
    struct buf b = buf_make(FILE_MAX);
    struct jval vectors = JVAL_ABSENT;
    struct jiter it;
    struct jval item;

    if (!manifest_open(&vectors, &b, dir))
        vector_report(v, "manifest", false, "cannot be read");
    it = jscan_iter(vectors);
    while (jscan_next(&it, NULL, &item))
        run_one(v, dir, item);
    buf_done(&b);
}

const struct suite suite_eventlog = {"eventlog", eventlog_applies, eventlog_run};
