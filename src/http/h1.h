/* HTTP/1.1 without I/O, strict as RFC 9112 allows: heads and chunked bodies in, heads and chunks
 * out. Whatever two implementations could read differently is refused: bare CR or LF, folded lines,
 * white space around names, doubled or odd lengths, length together with chunking.
 *
 * A head is found with h1_scan, then parsed in place: header names are turned into lower case in
 * the caller's buffer and every view points into it. */
#ifndef HTTP_H1_H
#define HTTP_H1_H

#include "base/buf.h"
#include "http/header.h"

enum h1_scan_result {
    H1_SCAN_MORE,      /* not complete yet */
    H1_SCAN_DONE,      /* skip, len and lines are set */
    H1_SCAN_BARE_LF,   /* a line ends without CR: not HTTP */
    H1_SCAN_LONG_LINE, /* the first line is longer than any we take: 414 */
    H1_SCAN_LONG_HEAD, /* more than LIMIT_HEAD_BYTES or LIMIT_HEADERS: 431 */
};

/* Incremental search for the end of a head; zero it before the first call. */
struct h1_scan {
    size_t skip;  /* octets before the head: at most one empty line (RFC 9112 2.2) */
    size_t len;   /* octets of the head, the empty line at its end included */
    size_t lines; /* header lines seen */
    size_t line_at;
    size_t seen;
    bool has_first;
};

/* in        everything received since the head began, grown since the last call, never moved on
 *
 * Returns   as listed; after anything but MORE the scan is over. Pure, any thread. */
enum h1_scan_result h1_scan(struct h1_scan *s, struct bytes in);

/* How the end of a body is known (RFC 9112 6.3). */
enum h1_framing {
    H1_BODY_NONE,
    H1_BODY_LENGTH,  /* content_length octets, at least one */
    H1_BODY_CHUNKED, /* struct h1_chunks */
    H1_BODY_CLOSE,   /* replies only: until the connection closes; length cannot be trusted */
};

struct h1_request {
    struct bytes method;
    struct bytes path;  /* begins with '/', percent-encoding untouched */
    struct bytes query; /* after '?', may be empty */
    const struct header *headers;
    size_t header_count;
    enum h1_framing framing;
    int64_t content_length; /* -1 when not known: chunked */
    bool is_keep_alive;
    bool expects_continue;
};

/* Why a head was refused: the status to answer with, and a sentence (a literal) for its sender. */
struct h1_refusal {
    unsigned status;
    const char *why;
};

/* Parses a request head in place.
 *
 * head      skip octets already removed, len as h1_scan said; names become lower case
 * headers   room for `cap` fields; h1_scan's `lines` is enough
 * out       borrows from head and headers; zeroed on failure
 * no        set on failure: 400, 414, 417, 431, 501 or 505
 *
 * Served targets are origin-form and absolute-form with http or https (its authority is checked and
 * dropped). HTTP/1.0 is refused with 505: it can neither be chunked nor told from a cut reply.
 *
 * Returns   TACIT_OK, TACIT_FORMAT, TACIT_LIMIT, TACIT_UNSUPPORTED.
 * Memory    allocates nothing. Threads: pure, any thread. Spec: RFC 9112 2, 3, 5, 6 */
MUST_CHECK enum tacit_err h1_request_parse(struct h1_request *out, struct h1_refusal *no,
                                           uint8_t *head, size_t len, struct header *headers,
                                           size_t cap);

struct h1_reply {
    unsigned status; /* 100..599; 1xx is an interim reply, another head follows */
    const struct header *headers;
    size_t header_count;
    enum h1_framing framing;
    int64_t content_length; /* -1 when not known */
    bool is_keep_alive;
};

/* Parses a reply head in place, as h1_request_parse. HTTP/1.0 replies are taken without
 * keep-alive and without chunking. is_to_head: the request was HEAD, so there is no body.
 * 204, 304 and 1xx have no body; 101 is refused, since nobody here asks for an upgrade.
 *
 * Returns   TACIT_OK, TACIT_FORMAT, TACIT_LIMIT, TACIT_UNSUPPORTED (another transfer coding).
 * Spec      RFC 9112 4, 6.3 */
MUST_CHECK enum tacit_err h1_reply_parse(struct h1_reply *out, uint8_t *head, size_t len,
                                         struct header *headers, size_t cap, bool is_to_head);

/* Chunked decoder; zero it before the first call. Extensions are skipped (RFC 9112 7.1.1), at most
 * 256 octets a chunk line, no white space in them; trailers are checked and dropped, at
 * most LIMIT_HEAD_BYTES. */
struct h1_chunks {
    int state;
    uint64_t left;   /* octets left of the current chunk */
    size_t line_len; /* octets of the current line */
    size_t trailer_len;
    uint8_t name[20]; /* of the trailer being read */
    size_t name_len;
    bool is_done; /* the last chunk and the trailers are through */
};

/* Takes from `in` as much as it can up to the next piece of body.
 *
 * in        advanced past what was used; bytes after the body's end are left there
 * data      a piece of the body, borrowed from `in`; empty when more input is needed or done
 *
 * Returns   TACIT_OK; TACIT_FORMAT, TACIT_LIMIT, after which the decoder must not be used. */
MUST_CHECK enum tacit_err h1_chunks_next(struct h1_chunks *c, struct bytes *in, struct bytes *data);

/* Writers. Names must be lower-case tokens and values legal, so that nothing can be injected:
 * otherwise TACIT_FORMAT and nothing is written. TACIT_NOMEM when the buffer failed. */
MUST_CHECK enum tacit_err h1_put_request(struct buf *b, const char *method, struct bytes target,
                                         const struct header *headers, size_t count);
/* status 100..599. Does not add framing headers: see net/server.h for who does. */
MUST_CHECK enum tacit_err h1_put_reply(struct buf *b, unsigned status, const struct header *headers,
                                       size_t count);
/* One chunk; an empty one writes nothing, for it would end the body. */
void h1_put_chunk(struct buf *b, struct bytes data);
void h1_put_last_chunk(struct buf *b);

#endif
