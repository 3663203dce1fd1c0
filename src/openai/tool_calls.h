/* Tool calls of history messages in the form that engines take: every call's arguments a string
 * that holds a JSON object. Clients replay other things (nothing, an object, a string encoded
 * twice, a text cut short), and one of them makes an engine refuse all later turns. */
#ifndef OPENAI_TOOL_CALLS_H
#define OPENAI_TOOL_CALLS_H

#include "base/buf.h"
#include "codec/jscan.h"

/* Write a tool_calls array with the arguments of its calls repaired: nothing, null or a blank
 * string becomes an empty object, an object its text, a text encoded twice is decoded once, and
 * whatever else is no object goes into one, as its member "value", so that the model still sees
 * it. All else is copied byte for byte; what has no function object is left alone.
 *
 * out       appended to, at most 2 * calls.raw.len octets and some, if anything changes; fails
 *           if there is no room
 * calls     value of a validated text; anything that is no array changes nothing
 *
 * Returns   whether there was a change; if not, nothing is written.
 * Threads   pure, any thread. Spec: near.md 2.3 */
bool tool_calls_repair(struct buf *out, struct jval calls);

#endif
