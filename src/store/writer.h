/* The ledger's writer: one thread that commits replies in groups, so that a busy gateway pays
 * for one fsync per group, not per reply. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/store.h"

struct writer;

/* The store must outlive the writer. NULL when out of memory or threads. */
struct writer *writer_new(struct store *s);
/* Commits what is queued, then ends the thread. Accepts NULL. */
void writer_free(struct writer *w);
/* Queues a reply; done(ctx, err) runs on the writer's thread when it is durable (TACIT_OK) or could
 * not be confirmed; submitting the same reply again is then safe, it is recorded once. TACIT_BUSY
 * when WRITER_QUEUE_MAX entries wait: done will not run. Threads: any. */
MUST_CHECK enum tacit_err writer_submit(struct writer *w, const struct store_reply *reply,
                                        void (*done)(void *ctx, enum tacit_err err), void *ctx);
enum { WRITER_QUEUE_MAX = 65536 };

#endif
