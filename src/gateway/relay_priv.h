/* One relayed request, from its first byte to its record in the ledger. All of it happens on one
 * worker's loop, except the ledger's writing. A relay lives while anything of it is under way: the
 * exchange, a call, the receipt, the ledger; relay_release frees it when nothing is left. */
#ifndef GATEWAY_RELAY_PRIV_H
#define GATEWAY_RELAY_PRIV_H

#include "gateway/gateway_priv.h"
#include "gateway/usage.h"
#include "openai/request.h"
#include "openai/sse.h"

enum relay_state {
    RELAY_BODY,     /* the request is arriving */
    RELAY_UPSTREAM, /* a node works on it */
    RELAY_SETTLE,   /* the reply is complete; its receipt is being asked for */
    RELAY_LEDGER,   /* its record is being written */
    RELAY_ENDED,    /* nothing more will be sent */
};

struct relay {
    struct worker *worker;
    struct exchange *x;   /* NULL once the client is gone or served */
    struct call *call;    /* NULL when none runs */
    struct call *receipt; /* likewise */
    bool is_in_ledger;
    enum relay_state state;

    struct store_key key;
    bool is_chat;
    struct buf body; /* the client's bytes; erased at the end */
    struct openai_request req;
    char body_hash[65];
    char request_id[REQUEST_ID_LEN + 1];
    int64_t started_unix_ms;
    uint64_t started_mono_ms;

    size_t node;
    bool is_counted; /* among the node's outstanding requests */
    uint64_t tried;  /* bit per node */

    unsigned status; /* the node's */
    bool is_sse;
    bool is_head_sent;
    bool is_broken; /* the node ended the stream with an error event */
    struct sse sse;
    struct buf whole; /* reply that is not streamed; for streams, the held terminating event */
    char chat_id[OPENAI_ID_MAX + 1];
    uint64_t chunk_count;
    uint64_t first_byte_ms;
    struct openai_usage usage;
    const char *stop_reason;

    struct buf receipt_body;
    unsigned receipt_status;
    struct store_reply record;
    enum tacit_err ledger_err;
};

/* relay.c: the request side */
void relay_release(struct relay *r);
/* Chooses a node not tried yet and sends the request; replies with an error if there is none. */
void relay_dispatch(struct relay *r);
void relay_uncount(struct relay *r);

/* relay_reply.c: the reply side. Events of the call to the node. */
extern const struct call_events relay_call_events;

/* relay_settle.c: the end. Asks for the receipt, then writes the record, then lets the end go. */
void relay_settle(struct relay *r);
/* Writes the record without a receipt: the reply was cut. */
void relay_record_cut(struct relay *r, const char *stop_reason);

#endif
