/* What the engine prints. Kept only until it is first ready; then counted, looked at for a few
 * known phrases that hold nothing of a request, and dropped. Not thread-safe: the engine locks
 * around it. */
#ifndef ENGINE_OUTPUT_PRIV_H
#define ENGINE_OUTPUT_PRIV_H

#include "base/buf.h"

enum {
    OUTPUT_KEPT_MAX = 16 * 1024, /* the end of a start-up's text */
    OUTPUT_LINE_MAX = 512,       /* of a line, what is searched for known phrases */
};

struct engine_output {
    uint64_t lines, bytes;
    bool is_sealed; /* a request may have been seen: keep nothing */
    uint8_t line[OUTPUT_LINE_MAX];
    size_t line_len;
    size_t kept_len;
    uint8_t kept[OUTPUT_KEPT_MAX];
};

/* A new process begins: nothing of the old one is kept. */
void output_begin(struct engine_output *o);
/* From now on a request may have been seen: erases what was kept. */
void output_seal(struct engine_output *o);
void output_add(struct engine_output *o, struct bytes text);
/* Appends what is kept, printable. */
void output_text(const struct engine_output *o, struct buf *out);

#endif
