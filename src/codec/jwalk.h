/* One walk over JSON that jscan_validate has accepted: each octet is looked at once, in the order
 * of the text. For documents with many small members, where jscan's random access would walk nested
 * containers again and again. Lenient about commas and the like, since validation has judged them:
 * never use it on unvalidated text for a decision (it stays within bounds even there).
 *
 *     struct jwalk w = jwalk_over(root);
 *     struct bytes name;
 *     if (jwalk_enter(&w, '{'))
 *         while (jwalk_member(&w, &name)) {
 *             if (bytes_eq_cstr(name, "svn"))
 *                 svn = jwalk_u64(&w, 255);
 *             else
 *                 jwalk_skip(&w);
 *         }
 *     if (w.is_bad) ...
 *
 * Every member or item must be consumed by exactly one call before the next. Goes bad on the first
 * surprise and then reads as empty. Allocates nothing; pure, any thread. */
#ifndef CODEC_JWALK_H
#define CODEC_JWALK_H

#include "codec/jscan.h"

struct jwalk {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad;
};

struct jwalk jwalk_over(struct jval root);
/* Goes into the object ('{') or array ('[') that comes next; false and bad if it is none. */
bool jwalk_enter(struct jwalk *w, uint8_t open);
/* To the next member of the object entered: its name without quotes. A name that is written with
 * escapes makes the walk bad. False at the object's end, which is consumed. */
bool jwalk_member(struct jwalk *w, struct bytes *name);
/* To the next item of the array entered; false at its end, which is consumed. */
bool jwalk_item(struct jwalk *w);
/* A string without escapes; empty and bad for anything else. */
struct bytes jwalk_str(struct jwalk *w);
/* An integer written plainly, at most `max`; 0 and bad for anything else. */
uint64_t jwalk_u64(struct jwalk *w, uint64_t max);
/* Passes over one value of any kind and gives its exact octets. */
struct bytes jwalk_skip(struct jwalk *w);

#endif
