/* The log's single sink. The level and the descriptor are the one piece of process state outside
 * main.c: set at start, before threads, and read atomically. */
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utc.h"

enum { LOG_LINE_MAX = 1024 };

static atomic_int log_level_min = LOG_INFO;
static atomic_int log_fd = STDERR_FILENO;

void log_set_level(enum log_level level)
{
    atomic_store(&log_level_min, (int)level);
}

void log_set_fd(int fd)
{
    atomic_store(&log_fd, fd);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    }
    return "error";
}

/* Literals are ours, but a quote in one must still not break the line. */
static void put_literal(struct buf *b, const char *text)
{
    buf_putc(b, '"');
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(b, '\\');
        if ((unsigned char)*text >= 0x20)
            buf_putc(b, (uint8_t)*text);
    }
    buf_putc(b, '"');
}

static void put_field(struct buf *b, const struct log_field *f)
{
    buf_putc(b, ',');
    put_literal(b, f->key);
    buf_putc(b, ':');
    switch (f->kind) {
    case LOG_KIND_NUM:
        buf_putf(b, "%lld", (long long)f->num);
        break;
    case LOG_KIND_ID:
        buf_putc(b, '"');
        buf_hex(b, BYTES_ARRAY(f->id->bytes));
        buf_putc(b, '"');
        break;
    case LOG_KIND_LIT:
        put_literal(b, f->lit);
        break;
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    uint8_t mem[LOG_LINE_MAX];
    struct buf b = buf_over(mem, sizeof(mem));
    char time_text[UTC_TEXT_LEN + 1];
    int64_t now_ms = clock_unix_ms();

    if ((int)level < atomic_load(&log_level_min))
        return;
    utc_format(time_text, now_ms / 1000);
    buf_putf(&b, "{\"time\":\"%.19s.%03dZ\",\"level\":\"%s\",\"event\":", time_text,
             (int)(now_ms % 1000), level_name(level));
    put_literal(&b, event);
    for (size_t i = 1; i < count; i++)
        put_field(&b, &fields[i]);
    buf_puts(&b, "}\n");
    if (!b.failed && write(atomic_load(&log_fd), b.ptr, b.len) < 0)
        return; /* nobody to tell */
}
