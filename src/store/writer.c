/* Group commit. Invariant: a reply's done() runs exactly once, after its transaction ended. */
#include "store/writer.h"

#include <pthread.h>
#include <stdlib.h>

enum { WRITER_GROUP_MAX = 512 };

struct entry {
    struct entry *next;
    struct store_reply reply;
    void (*done)(void *ctx, enum tacit_err err);
    void *ctx;
};

struct writer {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct entry *first;
    struct entry **last;
    size_t count;
    bool is_ending;
};

/* Waits for work; takes up to a group of entries off the queue. NULL: ending and nothing left. */
static struct entry *group_take(struct writer *w, size_t *count)
{
    struct entry *group;
    struct entry *e;

    pthread_mutex_lock(&w->lock);
    while (w->first == NULL && !w->is_ending)
        pthread_cond_wait(&w->wake, &w->lock);
    group = e = w->first;
    *count = 0;
    for (; e != NULL && ++*count < WRITER_GROUP_MAX && e->next != NULL; e = e->next)
        continue;
    if (e != NULL) {
        w->first = e->next;
        e->next = NULL;
        w->count -= *count;
        if (w->first == NULL)
            w->last = &w->first;
    }
    pthread_mutex_unlock(&w->lock);
    return group;
}

static void group_finish(struct entry *group, enum tacit_err err)
{
    while (group != NULL) {
        struct entry *next = group->next;

        group->done(group->ctx, err);
        free(group);
        group = next;
    }
}

static void *writer_run(void *arg)
{
    struct writer *w = arg;
    struct store_reply *replies = calloc(WRITER_GROUP_MAX, sizeof(*replies));
    struct entry *group;
    size_t count;

    while ((group = group_take(w, &count)) != NULL) {
        size_t i = 0;

        if (replies == NULL) {
            group_finish(group, TACIT_NOMEM);
            continue;
        }
        for (struct entry *e = group; e != NULL; e = e->next)
            replies[i++] = e->reply;
        group_finish(group, store_replies_put(w->store, replies, i));
    }
    free(replies);
    return NULL;
}

struct writer *writer_new(struct store *s)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    w->store = s;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (pthread_create(&w->thread, NULL, writer_run, w) != 0) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return NULL;
    }
    return w;
}

void writer_free(struct writer *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_ending = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

enum tacit_err writer_submit(struct writer *w, const struct store_reply *reply,
                             void (*done)(void *ctx, enum tacit_err err), void *ctx)
{
    struct entry *e = malloc(sizeof(*e));
    enum tacit_err err = TACIT_BUSY;

    if (e == NULL)
        return TACIT_NOMEM;
    *e = (struct entry){NULL, *reply, done, ctx};
    pthread_mutex_lock(&w->lock);
    if (w->count < WRITER_QUEUE_MAX && !w->is_ending) {
        *w->last = e;
        w->last = &e->next;
        w->count++;
        pthread_cond_signal(&w->wake);
        err = TACIT_OK;
    }
    pthread_mutex_unlock(&w->lock);
    if (err != TACIT_OK)
        free(e);
    return err;
}
