/* Structured log of the programs: one JSON object a line on standard error. A field is a number, a
 * random id, an error, or a string literal; the interface takes nothing else, so that prompts,
 * completions, headers and keys cannot reach a log. Libraries return errors; only programs log.
 *
 *     log_info("stream_end", L_ID("req", req->id), L_NUM("status", 200), L_LIT("why", "client
 * left"));
 *
 * Event and key names are string literals of letters, digits and '_'. Threads: any; one write(2) a
 * line, so lines of several threads do not mix. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_DEBUG = 0, LOG_INFO, LOG_WARN, LOG_ERROR };

/* 16 random bytes, made by us, that stand for a request, stream or node in logs. */
struct log_id {
    uint8_t bytes[16];
};

enum log_kind { LOG_KIND_NUM, LOG_KIND_ID, LOG_KIND_LIT };

struct log_field {
    enum log_kind kind;
    const char *key;
    int64_t num;
    const struct log_id *id;
    const char *lit;
};

/* "" makes the compiler insist on literals for keys, events and L_LIT. */
#define L_NUM(k, v) ((struct log_field){LOG_KIND_NUM, "" k, (int64_t)(v), NULL, NULL})
#define L_ID(k, v) ((struct log_field){LOG_KIND_ID, "" k, 0, &(v), NULL})
#define L_LIT(k, v) ((struct log_field){LOG_KIND_LIT, "" k, 0, NULL, "" v})
/* The name of an error comes from a static table, hence counts as a literal. */
#define L_ERR(k, e) ((struct log_field){LOG_KIND_LIT, "" k, 0, NULL, tacit_err_name(e)})

#define LOG_AT(level, event, ...)                                              \
    log_write(level, "" event, (const struct log_field[]){{0}, ##__VA_ARGS__}, \
              sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field))
#define log_debug(event, ...) LOG_AT(LOG_DEBUG, event, ##__VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_INFO, event, ##__VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_WARN, event, ##__VA_ARGS__)
#define log_error(event, ...) LOG_AT(LOG_ERROR, event, ##__VA_ARGS__)

/* Writes one line. fields[0] is a placeholder and skipped. Use the macros. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);
/* Lines below `level` are dropped; the start value is LOG_INFO. Set once, in main. */
void log_set_level(enum log_level level);
/* Where lines go; the start value is standard error. For tests and for `tacit up`. */
void log_set_fd(int fd);

#endif
