/* One accepted quote vector with its collateral, for unit tests: read in place from the shared
 * vectors. A test whose vector is absent is skipped. */
#ifndef TEST_TDX_VECTOR_H
#define TEST_TDX_VECTOR_H

#include <stdio.h>

#include <tacit/quote.h>
#include <tacit/report.h>

#include "base/file.h"
#include "crypto/x509.h"

#define TDX_DIR TEST_VECTORS_DIR "/tdx/"
#define TDX_REAL_V4 "real-b0c06f000000-v4-b6370194-tcb20260813"
#define TDX_REAL_V5 "real-90c06f000000-v5-d21a11db-tcb20250605"
#define TDX_SYN_V4 "syn-v4-uptodate"

struct tdx_vector {
    struct buf quote, collateral, root_pem;
    struct arena arena;
    struct bytes root_der;
    int64_t now_unix_s;
};

static inline bool tdx_file(struct buf *out, const char *name)
{
    char path[1024];

    *out = buf_make(1 << 24);
    return (size_t)snprintf(path, sizeof(path), "%s%s", TDX_DIR, name) < sizeof(path) &&
           file_read(out, path) == TACIT_OK;
}

static inline void tdx_vector_done(struct tdx_vector *v)
{
    buf_done(&v->quote);
    buf_done(&v->collateral);
    buf_done(&v->root_pem);
    arena_done(&v->arena);
}

/* Cells of the line that starts with `id`: quote, collateral, root, time. */
static inline bool tdx_cells(char cells[static 4][128], const char *id)
{
    struct buf table;
    char *line, *rest;
    bool found = false;

    if (!tdx_file(&table, "manifest.tsv")) {
        buf_done(&table);
        return false;
    }
    buf_putc(&table, 0);
    for (rest = (char *)table.ptr; !found && (line = strsep(&rest, "\n")) != NULL;) {
        char *name = strsep(&line, "\t");

        if (strcmp(name, id) != 0)
            continue;
        found = true;
        for (size_t i = 0; i < 4; i++)
            found &= snprintf(cells[i], 128, "%s", line == NULL ? "" : strsep(&line, "\t")) > 0;
    }
    buf_done(&table);
    return found;
}

static inline bool tdx_vector_load(struct tdx_vector *v, const char *id)
{
    struct x509_cert root;
    char cells[4][128];
    uint64_t now;
    size_t count;

    *v = (struct tdx_vector){.arena = arena_make(1 << 16)};
    if (!tdx_cells(cells, id) || !bytes_to_u64(&now, bytes_of(cells[3]), INT64_MAX))
        return false;
    v->now_unix_s = (int64_t)now;
    if (!tdx_file(&v->quote, cells[0]) || !tdx_file(&v->collateral, cells[1]) ||
        !tdx_file(&v->root_pem, cells[2]) ||
        x509_parse_pem(&root, 1, &count, buf_bytes(&v->root_pem), &v->arena) != TACIT_OK)
        return false;
    v->root_der = root.der;
    return true;
}

/* Loads, or skips the test with the reason. */
#define TDX_NEED(v, id)                                                  \
    do {                                                                 \
        if (!tdx_vector_load(v, id)) {                                   \
            tdx_vector_done(v);                                          \
            print_message("skipped: no vector %s in %s\n", id, TDX_DIR); \
            skip();                                                      \
        }                                                                \
    } while (0)

static inline struct tacit_quote_input tdx_input(const struct tdx_vector *v)
{
    return (struct tacit_quote_input){.quote = buf_bytes(&v->quote),
                                      .collateral = buf_bytes(&v->collateral),
                                      .root_der = v->root_der,
                                      .now_unix_s = v->now_unix_s};
}

#endif
