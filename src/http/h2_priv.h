/* Inside http/ only: assembling one HTTP/2 request head from its fields, without nghttp2. */
#ifndef HTTP_H2_PRIV_H
#define HTTP_H2_PRIV_H

#include "base/limits.h"
#include "http/h2.h"

struct h2_field {
    size_t name_at;
    size_t name_len;
    size_t value_len; /* the value follows the name */
};

/* Fields as they arrive. Too many of them set is_too_large, and the rest is dropped. */
struct h2_fields {
    struct buf text;
    struct h2_field list[LIMIT_HEADERS + 8]; /* pseudo-headers and cookie crumbs on top */
    size_t count;
    bool is_too_large;
};

struct h2_fields *h2_fields_new(void);
void h2_fields_free(struct h2_fields *f);
void h2_fields_add(struct h2_fields *f, struct bytes name, struct bytes value);
/* Fills head from the fields; headers has room for LIMIT_HEADERS + 9. Views borrow from f. */
void h2_fields_head(struct h2_head *head, struct header *headers, const struct h2_fields *f,
                    bool has_body);

#endif
