/* One libuv loop on one thread, its timers, messages from other threads, and blocking work. An
 * object made on a loop belongs to that loop's thread and is touched by no other. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct timer;

/* Ignores SIGPIPE for the whole process, as every writer to sockets must.
 *
 * Memory    heap; NULL when out of memory or descriptors. */
struct loop *loop_new(void);
/* After loop_run has returned and after the objects made on the loop are freed (it is an error of
 * ours, and asserted, if one is left). Waits for blocking work. Accepts NULL. */
void loop_free(struct loop *loop);
/* Runs until loop_stop, until every message and every piece of work accepted before it is done, and
 * until everything closing has closed. Call on the owning thread, once. */
void loop_run(struct loop *loop);
/* Ends loop_run. Threads: any. */
void loop_stop(struct loop *loop);
/* Runs fn(ctx) on the loop's thread, in the order posted; false when out of memory or when the loop
 * has stopped (fn will not run). What was accepted runs, at the latest in loop_free. Threads: any.
 */
MUST_CHECK bool loop_post(struct loop *loop, void (*fn)(void *ctx), void *ctx);

/* A timer of the loop; fires fn(ctx) after delay_ms, then every repeat_ms if that is not 0. */
struct timer *timer_new(struct loop *loop, void (*fn)(void *ctx), void *ctx);
void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void timer_stop(struct timer *timer);
/* Accepts NULL; fn will not run any more. */
void timer_free(struct timer *timer);

/* Runs work(ctx) on a thread where blocking is allowed, then done(ctx) on the loop's thread. done
 * always runs if this returned true; false when LIMIT_WORK_QUEUE jobs wait, when out of memory or
 * threads, or when the loop has stopped. The threads are the loop's own (at most
 * LIMIT_WORK_THREADS), so that name look-ups never wait behind a job. Call on the loop's thread. */
MUST_CHECK bool loop_work(struct loop *loop, void (*work)(void *ctx), void (*done)(void *ctx),
                          void *ctx);

/* Calls fn(ctx) on the loop each time SIGINT or SIGTERM arrives. One per process. */
MUST_CHECK enum tacit_err loop_on_stop_signal(struct loop *loop, void (*fn)(void *ctx), void *ctx);

#endif
