/* What a reply costs and what was signed for it, read from a node's receipt. Pure. */
#ifndef GATEWAY_USAGE_H
#define GATEWAY_USAGE_H

#include "openai/chunk.h"
#include "store/store.h"

/* Reads the body of GET /v1/internal/receipt/{id} (node/node.h): fills usage and the signatures of
 * `reply`. TACIT_FORMAT if it is not one, names another id, or holds text that cannot be stored. */
MUST_CHECK enum tacit_err receipt_read(struct openai_usage *usage, struct store_reply *reply,
                                       struct bytes body, const char *chat_id);

#endif
