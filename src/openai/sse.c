/* Splitting of event streams. Invariants: taken <= last_end <= line_at <= scanned <= pending.len;
 * octets before last_end form whole events; line_at begins the line that is still open. */
#include "openai/sse.h"

void sse_init(struct sse *s)
{
    memset(s, 0, sizeof(*s));
    /* One unfinished event, and whatever the caller feeds at once. */
    s->pending = buf_make_secret(LIMIT_SSE_EVENT_BYTES + LIMIT_REPLY_BYTES);
    s->joined = buf_make_secret(LIMIT_SSE_EVENT_BYTES);
}

void sse_done(struct sse *s)
{
    if (s == NULL)
        return;
    buf_done(&s->pending);
    buf_done(&s->joined);
    s->taken = s->last_end = s->line_at = s->scanned = 0;
}

/* The line that begins at `at`, without its end; false if it is not complete. Its end is looked
 * for from `from` on (at least `at`). */
static bool line_next(struct bytes *line, size_t *next, struct bytes in, size_t at, size_t from)
{
    size_t end = bytes_find_byte(bytes_slice(in, from, SIZE_MAX), '\n');

    if (end == SIZE_MAX)
        return false;
    end += from;
    *next = end + 1;
    if (end > at && in.ptr[end - 1] == '\r')
        end--;
    *line = bytes_slice(in, at, end - at);
    return true;
}

static enum tacit_err fail(struct sse *s, enum tacit_err err)
{
    s->is_failed = true;
    buf_reset(&s->pending);
    s->taken = s->last_end = s->line_at = s->scanned = 0;
    return err;
}

enum tacit_err sse_feed(struct sse *s, struct bytes chunk)
{
    struct bytes line;
    size_t next;

    if (s->is_failed)
        return TACIT_STATE;
    buf_consume(&s->pending, s->taken);
    s->last_end -= s->taken;
    s->line_at -= s->taken;
    s->scanned -= s->taken;
    s->taken = 0;
    buf_put(&s->pending, chunk);
    if (s->pending.failed)
        return fail(s, TACIT_NOMEM);
    while (line_next(&line, &next, buf_bytes(&s->pending), s->line_at, s->scanned)) {
        if (next - s->last_end > LIMIT_SSE_EVENT_BYTES)
            return fail(s, TACIT_LIMIT);
        s->line_at = s->scanned = next;
        if (line.len == 0)
            s->last_end = next;
    }
    s->scanned = s->pending.len;
    return s->pending.len - s->last_end > LIMIT_SSE_EVENT_BYTES ? fail(s, TACIT_LIMIT) : TACIT_OK;
}

/* "data: x" or "data:x"; one space is not part of the value. */
static bool data_of(struct bytes *data, struct bytes line)
{
    if (!bytes_starts_with(line, BYTES_LIT("data:"))) {
        *data = (struct bytes){NULL, 0};
        return bytes_eq(line, BYTES_LIT("data"));
    }
    *data = bytes_slice(line, 5, SIZE_MAX);
    if (data->len > 0 && data->ptr[0] == ' ')
        *data = bytes_slice(*data, 1, SIZE_MAX);
    return true;
}

/* One data line stays where it is; several are joined. */
static void data_add(struct sse *s, struct sse_event *event, struct bytes data)
{
    if (!event->has_data) {
        event->has_data = true;
        event->data = data;
        return;
    }
    if (s->joined.len == 0)
        buf_put(&s->joined, event->data);
    buf_putc(&s->joined, '\n');
    buf_put(&s->joined, data);
    event->data = buf_bytes(&s->joined);
}

bool sse_next(struct sse *s, struct sse_event *event)
{
    size_t at = s->taken;
    struct bytes data;
    struct bytes line;

    *event = (struct sse_event){.has_data = false};
    buf_reset(&s->joined);
    if (s->is_failed || s->taken >= s->last_end)
        return false;
    while (line_next(&line, &at, buf_bytes(&s->pending), at, at) && line.len > 0)
        if (data_of(&data, line))
            data_add(s, event, data);
    event->raw = bytes_slice(buf_bytes(&s->pending), s->taken, at - s->taken);
    event->is_done = bytes_eq_cstr(bytes_trim(event->data), "[DONE]");
    s->taken = at;
    return true;
}

bool sse_is_between(const struct sse *s)
{
    return !s->is_failed && s->taken == s->pending.len;
}
