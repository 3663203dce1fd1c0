/* One exchange as bytes: what was sent, what came back, what was signed; kept so that every byte
 * can be verified, at once or later. Building the request, reading the answer out of the reply, the
 * rows of the verdict, and the folder in which an exchange is saved. */
#ifndef CLI_CONVO_H
#define CLI_CONVO_H

#include <tacit/report.h>

#include "base/buf.h"
#include "openai/sse.h"

enum { CONVO_ID_MAX = 256 };

struct convo {
    const char *model; /* as asked for; NULL before convo_load: the one in the request */
    char model_text[CONVO_ID_MAX];
    const char *system; /* NULL: none */
    const char *prompt;
    const char *max_tokens;  /* decimal, checked; NULL: the server's */
    const char *temperature; /* JSON number, checked; NULL: the server's */
    bool is_stream;
    struct buf request;   /* exact body sent */
    struct buf response;  /* exact body received */
    struct buf signature; /* body of /v1/signature/{id} */
    struct buf answer;    /* text of the first choice, UTF-8 */
    char id[CONVO_ID_MAX];
    unsigned status;
    struct sse sse;
    bool is_done;  /* the stream said [DONE], or the whole reply was read */
    bool is_error; /* the reply is, or holds, an error */
};

void convo_init(struct convo *c);
void convo_done(struct convo *c); /* erases */

/* Writes c->request from the fields above. TACIT_FORMAT: prompt or numbers are not what they should
 * be. */
MUST_CHECK enum tacit_err convo_make_request(struct convo *c);
/* Takes the next bytes of the reply: kept, and read as far as they go. Text that became readable is
 * handed to on_text (NULL: only kept in `answer`). TACIT_LIMIT, TACIT_NOMEM. */
MUST_CHECK enum tacit_err convo_take(struct convo *c, struct bytes chunk,
                                     void (*on_text)(struct bytes text, void *ctx), void *ctx);
/* The reply has ended: reads what could only be read whole. */
void convo_end(struct convo *c);

/* Rows on the exchange, subject "reply": the reply is whole, and everything near_signature.h
 * checks. facts: proven by the attestation report; signer overrides (20 or 32 octets, len 0: by
 * facts). */
void convo_check(struct tacit_verdict *v, const struct convo *c,
                 const struct tacit_report_facts *facts, struct bytes signer);

/* Request, reply and signature as files request.json, response, signature.json in a folder (0700).
 */
MUST_CHECK enum tacit_err convo_save(const struct convo *c, const char *folder);
/* TACIT_FORMAT: the request names no model. Other errors: which file could not be read is errno's.
 */
MUST_CHECK enum tacit_err convo_load(struct convo *c, const char *request_path,
                                     const char *response_path, const char *signature_path);

#endif
