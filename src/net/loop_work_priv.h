/* Inside net/ only: the threads of one loop on which blocking work runs. */
#ifndef NET_LOOP_WORK_PRIV_H
#define NET_LOOP_WORK_PRIV_H

#include <stdbool.h>

#include "base/attr.h"

struct work_pool;

/* wake(ctx) is called on a pool thread whenever finished work waits for work_pool_deliver. */
struct work_pool *work_pool_new(void (*wake)(void *ctx), void *ctx);
/* Ends the threads; no work may be outstanding. Accepts NULL. */
void work_pool_free(struct work_pool *p);
/* Owner's thread. False: not taken. */
MUST_CHECK bool work_pool_add(struct work_pool *p, void (*work)(void *ctx), void (*done)(void *ctx),
                              void *ctx);
/* Runs the done functions of finished work. Owner's thread. Accepts NULL. */
void work_pool_deliver(struct work_pool *p);
/* Nothing waits, runs or is undelivered. Accepts NULL. */
bool work_pool_is_idle(struct work_pool *p);

#endif
