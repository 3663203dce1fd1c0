/* Header fields as both HTTP versions share them, and the rules of RFC 9110 section 5 on what may
 * stand in a name and in a value. */
#ifndef HTTP_HEADER_H
#define HTTP_HEADER_H

#include "base/bytes.h"

struct header {
    struct bytes name;  /* lower case */
    struct bytes value; /* no CR, LF or NUL; no white space at the ends */
};

/* First value under that lower-case name; an empty view with ptr NULL if absent.
 * Threads: pure, any thread. */
struct bytes header_find(const struct header *headers, size_t count, const char *name);
/* RFC 9110 5.6.2: one or more of the token characters. Pure. */
bool http_is_token(struct bytes b);
/* As http_is_token, and without upper-case letters. Pure. */
bool http_is_lower_token(struct bytes b);
/* RFC 9110 5.5: visible characters, bytes above 127, and inner spaces and tabs. May be empty. */
bool http_is_field_value(struct bytes b);
/* Whether the comma-separated list holds this lower-case token, ASCII case ignored. Pure. */
bool http_list_has(struct bytes list, const char *token);
/* Origin-form of RFC 9112 3.2.1: begins with '/', characters of RFC 3986, valid percent-encoding,
 * optional query, no fragment. Pure. */
bool http_is_origin_form(struct bytes target);
/* RFC 9110 7.2: what a Host field or an authority may hold; not empty, no user information. */
bool http_is_authority(struct bytes b);
/* Reason phrase, "" for codes without a registered one. Static. */
const char *http_reason(unsigned status);

#endif
