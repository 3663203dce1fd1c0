/* The log beside RTMR3, in dstack's form. Invariant: an entry stands in the log exactly if the
 * register took it through us; what others extended makes the replay fail, as it should. */
#include <stdlib.h>
#include <string.h>

#include "attest/ccel.h"
#include "attest/event_log.h"
#include "base/file.h"
#include "base/limits.h"
#include "tee/rtlog_priv.h"

enum { EVENT_NAME_MAX = 64 };

struct rtlog {
    struct rtmr_paths paths;
    struct buf entries; /* JSON objects, each with a comma in front */
};

struct rtlog *rtlog_new(struct rtmr_paths paths)
{
    struct rtlog *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return NULL;
    log->paths = paths;
    log->entries = buf_make(LIMIT_EVENT_LOG_BYTES / 2);
    return log;
}

void rtlog_free(struct rtlog *log)
{
    if (log == NULL)
        return;
    buf_done(&log->entries);
    free(log);
}

static bool name_is_plain(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > EVENT_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (name[i] <= 0x20 || name[i] >= 0x7f || strchr(":\"\\", name[i]) != NULL)
            return false;
    return true;
}

static void entry_put(struct buf *out, unsigned imr, uint32_t type, struct bytes digest,
                      const char *name, struct bytes payload)
{
    buf_putf(out, ",{\"imr\":%u,\"event_type\":%u,\"digest\":\"", imr, type);
    buf_hex(out, digest);
    buf_putf(out, "\",\"event\":\"%s\",\"event_payload\":\"", name);
    buf_hex(out, payload);
    buf_puts(out, "\"}");
}

/* The entry is made before the register is touched, so that nothing measured goes unlogged. */
enum tacit_err rtlog_event(struct rtlog *log, const char *event, struct bytes payload)
{
    struct buf entry = buf_make(LIMIT_EVENT_LOG_BYTES / 2);
    uint8_t digest[48];
    enum tacit_err err;

    if (!name_is_plain(event))
        return TACIT_FORMAT;
    event_log_digest(digest, bytes_of(event), payload);
    entry_put(&entry, 3, EVENT_TYPE_RUNTIME, BYTES_ARRAY(digest), event, payload);
    err = buf_err(&entry);
    if (err == TACIT_OK && entry.len > log->entries.limit - log->entries.len)
        err = TACIT_LIMIT;
    if (err == TACIT_OK && buf_reserve(&log->entries, entry.len) == NULL)
        err = TACIT_NOMEM;
    if (err == TACIT_OK)
        err = rtmr_extend(&log->paths, digest);
    if (err == TACIT_OK)
        buf_put(&log->entries, buf_bytes(&entry));
    buf_done(&entry);
    return err;
}

static enum tacit_err boot_put(struct buf *out, struct bytes table)
{
    struct ccel_event e;
    struct reader cursor;
    struct ccel log;

    if (ccel_read(&log, table) != TACIT_OK)
        return TACIT_FORMAT;
    cursor = reader_over(log.events);
    while (ccel_next(&e, &cursor, &log))
        if (e.mr_index > 0 && e.type != 3)
            entry_put(out, e.mr_index - 1, e.type, e.sha384, "", e.data);
    return TACIT_OK;
}

/* A machine without the table has no boot events to show: its log then fails to replay. */
static enum tacit_err boot_read(struct buf *out, const char *path)
{
    struct buf table = buf_make(LIMIT_EVENT_LOG_BYTES);
    enum tacit_err err = path == NULL ? TACIT_NOT_FOUND : file_read(&table, path);

    if (err == TACIT_OK)
        err = boot_put(out, buf_bytes(&table));
    buf_done(&table);
    return err == TACIT_NOT_FOUND ? TACIT_OK : err;
}

enum tacit_err rtlog_json(struct rtlog *log, struct buf *json)
{
    struct buf all = buf_make(LIMIT_EVENT_LOG_BYTES);
    enum tacit_err err = boot_read(&all, log->paths.ccel);

    buf_put(&all, buf_bytes(&log->entries));
    if (err == TACIT_OK)
        err = buf_err(&all);
    if (err == TACIT_OK) {
        buf_putc(json, '[');
        buf_put(json, bytes_slice(buf_bytes(&all), 1, SIZE_MAX));
        buf_putc(json, ']');
        err = buf_err(json);
    }
    buf_done(&all);
    return err;
}
