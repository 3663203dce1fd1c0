/* The table-driven program over folders of vectors (tacit-vectors): what its suites share. A suite
 * recognises a folder by its manifest, runs every vector in it and reports each once. */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include <stdbool.h>

#include "base/buf.h"

struct vectors {
    const char *suite;
    bool is_tap; /* one TAP line a vector instead of mismatches only */
    size_t passed, failed;
};

/* Report one vector. detail: expected and actual, shown on failure. */
void vector_report(struct vectors *v, const char *id, bool is_ok, const char *detail, ...)
    PRINTF_LIKE(4, 5);

/* Whole file `dir`/`name` into `out` (reset first); false and empty if it cannot be read. */
bool vector_load(struct buf *out, const char *dir, const char *name);
bool vector_has(const char *dir, const char *name);

/* First line of a TSV manifest begins like this? */
bool manifest_begins(const char *dir, const char *file, const char *text);

/* Next line of a TSV, split at tabs: at most `cap` fields, false at the end. Lines that begin with
 * '#' and empty lines are skipped. */
struct tsv {
    struct bytes rest;
};
bool tsv_next(struct tsv *t, struct bytes *fields, size_t cap, size_t *count);
/* Field as a C string in `out`; false if it does not fit. */
bool tsv_str(char *out, size_t size, struct bytes field);

struct suite {
    const char *name;
    bool (*applies)(const char *dir);
    void (*run)(struct vectors *v, const char *dir);
};

extern const struct suite suite_snp;
extern const struct suite suite_eventlog;
extern const struct suite suite_gpu;
extern const struct suite suite_tdx;
extern const struct suite suite_tdx_parse;

#endif
