/* Rows of a verdict: adding, judging, printing. Invariant: a row is complete when it is counted. */
#include "attest/verdict.h"

#include <stdarg.h>
#include <stdio.h>

bool tacit_verdict_is_trusted(const struct tacit_verdict *v)
{
    bool any_required = false;

    if (v->is_overflowed || v->count > TACIT_VERDICT_ROWS_MAX)
        return false;
    for (size_t i = 0; i < v->count; i++) {
        if (!v->rows[i].is_required)
            continue;
        any_required = true;
        if (v->rows[i].result != TACIT_ROW_PASSED)
            return false;
    }
    return any_required;
}

const struct tacit_row *tacit_verdict_row(const struct tacit_verdict *v, const char *id,
                                          const char *subject)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->rows[i].id, id) == 0 &&
            (subject == NULL || strcmp(v->rows[i].subject, subject) == 0))
            return &v->rows[i];
    return NULL;
}

const struct tacit_row *tacit_verdict_first_refusal(const struct tacit_verdict *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->rows[i].is_required && v->rows[i].result != TACIT_ROW_PASSED)
            return &v->rows[i];
    return NULL;
}

const char *tacit_row_result_name(enum tacit_row_result result)
{
    switch (result) {
    case TACIT_ROW_NOT_RUN:
        return "not_run";
    case TACIT_ROW_PASSED:
        return "passed";
    case TACIT_ROW_FAILED:
        return "failed";
    }
    return "not_run";
}

const char *tacit_row_cause_name(enum tacit_row_cause cause)
{
    switch (cause) {
    case TACIT_CAUSE_NONE:
        return "none";
    case TACIT_CAUSE_UNPARSABLE:
        return "unparsable";
    case TACIT_CAUSE_FORGED:
        return "forged";
    case TACIT_CAUSE_UNTRUSTED:
        return "untrusted";
    case TACIT_CAUSE_MISMATCH:
        return "mismatch";
    case TACIT_CAUSE_OUT_OF_DATE:
        return "out_of_date";
    case TACIT_CAUSE_REVOKED:
        return "revoked";
    case TACIT_CAUSE_UNOBTAINABLE:
        return "unobtainable";
    case TACIT_CAUSE_POLICY:
        return "policy";
    }
    return "none";
}

enum tacit_err row_cause_err(enum tacit_row_cause cause)
{
    switch (cause) {
    case TACIT_CAUSE_NONE:
    case TACIT_CAUSE_UNPARSABLE:
        return TACIT_FORMAT;
    case TACIT_CAUSE_OUT_OF_DATE:
        return TACIT_EXPIRED;
    case TACIT_CAUSE_REVOKED:
        return TACIT_REVOKED;
    case TACIT_CAUSE_MISMATCH:
        return TACIT_MISMATCH;
    case TACIT_CAUSE_UNOBTAINABLE:
        return TACIT_IO;
    case TACIT_CAUSE_FORGED:
    case TACIT_CAUSE_UNTRUSTED:
    case TACIT_CAUSE_POLICY:
        return TACIT_UNTRUSTED;
    }
    return TACIT_UNTRUSTED;
}

static void text_copy(char *out, size_t cap, const char *text)
{
    size_t len = text == NULL ? 0 : strlen(text);

    if (len >= cap)
        len = cap - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    out[len] = 0;
}

static struct tacit_row *row_add(const struct row_scope *s, const char *id,
                                 enum tacit_row_result result, enum tacit_row_cause cause)
{
    struct tacit_row *row;

    if (s->v->count >= TACIT_VERDICT_ROWS_MAX) {
        s->v->is_overflowed = true;
        return NULL;
    }
    row = &s->v->rows[s->v->count];
    *row = (struct tacit_row){.result = result, .cause = cause, .is_required = !s->is_optional};
    text_copy(row->id, sizeof(row->id), id);
    text_copy(row->subject, sizeof(row->subject), s->subject);
    text_copy(row->authority, sizeof(row->authority), s->authority);
    s->v->count++;
    return row;
}

static void reason_set(struct tacit_row *row, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

static void reason_set(struct tacit_row *row, const char *fmt, va_list args)
{
    char text[TACIT_ROW_REASON_MAX];

    if (row == NULL || vsnprintf(text, sizeof(text), fmt, args) < 0)
        return;
    text_copy(row->reason, sizeof(row->reason), text);
}

void row_pass(const struct row_scope *s, const char *id)
{
    row_add(s, id, TACIT_ROW_PASSED, TACIT_CAUSE_NONE);
}

void row_fail(const struct row_scope *s, const char *id, enum tacit_row_cause cause,
              const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    reason_set(row_add(s, id, TACIT_ROW_FAILED, cause), fmt, args);
    va_end(args);
}

void row_not_run(const struct row_scope *s, const char *id, enum tacit_row_cause cause,
                 const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    reason_set(row_add(s, id, TACIT_ROW_NOT_RUN, cause), fmt, args);
    va_end(args);
}

void row_note(const struct row_scope *s, const char *id, const char *fmt, ...)
{
    struct row_scope optional = *s;
    va_list args;

    optional.is_optional = true;
    va_start(args, fmt);
    reason_set(row_add(&optional, id, TACIT_ROW_PASSED, TACIT_CAUSE_NONE), fmt, args);
    va_end(args);
}

const char *row_text(char out[static ROW_TEXT_MAX], struct bytes text)
{
    size_t len = text.len < ROW_TEXT_MAX - 1 ? text.len : ROW_TEXT_MAX - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f ? (char)text.ptr[i] : '?';
    out[len] = 0;
    return out;
}

/* Row texts are printable ASCII, so only two characters need escaping. */
static void json_text(struct buf *out, const char *name, const char *text)
{
    buf_putf(out, "\"%s\":\"", name);
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, (uint8_t)*text);
    }
    buf_putc(out, '"');
}

static void row_json(struct buf *out, const struct tacit_row *row)
{
    buf_putc(out, '{');
    json_text(out, "id", row->id);
    buf_putc(out, ',');
    json_text(out, "subject", row->subject);
    buf_putf(out, ",\"result\":\"%s\",\"cause\":\"%s\",\"required\":%s,",
             tacit_row_result_name(row->result), tacit_row_cause_name(row->cause),
             row->is_required ? "true" : "false");
    json_text(out, "reason", row->reason);
    buf_putc(out, ',');
    json_text(out, "authority", row->authority);
    buf_putc(out, '}');
}

void verdict_json(struct buf *out, const struct tacit_verdict *v, bool bare)
{
    if (!bare)
        buf_putc(out, '{');
    buf_putf(out, "\"verdict\":\"%s\",\"simulated\":%s,\"rows\":[",
             tacit_verdict_is_trusted(v) ? "trusted" : "refused",
             v->is_simulated ? "true" : "false");
    for (size_t i = 0; i < v->count; i++) {
        if (i > 0)
            buf_putc(out, ',');
        row_json(out, &v->rows[i]);
    }
    buf_puts(out, bare ? "]" : "]}");
}
