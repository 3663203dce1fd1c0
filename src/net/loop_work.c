/* Blocking work: a few threads of the loop's own, made when all others are busy and kept. Jobs go
 * from waiting to finished under one mutex; done functions run on the loop's thread. */
#include "net/loop_work_priv.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/limits.h"

struct job {
    void (*work)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
    struct job *next;
};

struct work_pool {
    void (*wake)(void *ctx);
    void *wake_ctx;
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t has_job;
    struct job *waiting;
    struct job **waiting_end;
    struct job *finished;
    struct job **finished_end;
    size_t waiting_count;
    size_t outstanding; /* accepted and not yet delivered */
    size_t idle_threads;
    size_t thread_count;
    bool is_ending;
    pthread_t threads[LIMIT_WORK_THREADS];
};

struct work_pool *work_pool_new(void (*wake)(void *ctx), void *ctx)
{
    struct work_pool *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->wake = wake;
    p->wake_ctx = ctx;
    p->waiting_end = &p->waiting;
    p->finished_end = &p->finished;
    if (pthread_mutex_init(&p->mutex, NULL) != 0)
        goto no_mutex;
    if (pthread_cond_init(&p->has_job, NULL) != 0)
        goto no_cond;
    return p;
no_cond:
    pthread_mutex_destroy(&p->mutex);
no_mutex:
    free(p);
    return NULL;
}

static struct job *job_take(struct work_pool *p)
{
    struct job *job;

    while (p->waiting == NULL && !p->is_ending) {
        p->idle_threads++;
        pthread_cond_wait(&p->has_job, &p->mutex);
        p->idle_threads--;
    }
    job = p->waiting;
    if (job == NULL)
        return NULL;
    p->waiting = job->next;
    if (p->waiting == NULL)
        p->waiting_end = &p->waiting;
    p->waiting_count--;
    job->next = NULL;
    return job;
}

static void *thread_main(void *arg)
{
    struct work_pool *p = arg;
    struct job *job;

    pthread_mutex_lock(&p->mutex);
    while ((job = job_take(p)) != NULL) {
        pthread_mutex_unlock(&p->mutex);
        job->work(job->ctx);
        pthread_mutex_lock(&p->mutex);
        *p->finished_end = job;
        p->finished_end = &job->next;
        p->wake(p->wake_ctx);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* With the mutex held. Signals belong to the loop: the new thread blocks them all. */
static bool thread_add(struct work_pool *p)
{
    sigset_t all;
    sigset_t before;
    bool is_made;

    if (p->thread_count == LIMIT_WORK_THREADS)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    is_made = pthread_create(&p->threads[p->thread_count], NULL, thread_main, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->thread_count += is_made;
    return is_made;
}

bool work_pool_add(struct work_pool *p, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
    struct job *job = malloc(sizeof(*job));
    bool is_taken;

    if (job == NULL)
        return false;
    *job = (struct job){.work = work, .done = done, .ctx = ctx};
    pthread_mutex_lock(&p->mutex);
    if (p->idle_threads <= p->waiting_count)
        (void)thread_add(p);
    is_taken = p->thread_count > 0 && p->waiting_count < LIMIT_WORK_QUEUE;
    if (is_taken) {
        *p->waiting_end = job;
        p->waiting_end = &job->next;
        p->waiting_count++;
        p->outstanding++;
        pthread_cond_signal(&p->has_job);
    }
    pthread_mutex_unlock(&p->mutex);
    if (!is_taken)
        free(job);
    return is_taken;
}

void work_pool_deliver(struct work_pool *p)
{
    struct job *list;

    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    list = p->finished;
    p->finished = NULL;
    p->finished_end = &p->finished;
    pthread_mutex_unlock(&p->mutex);
    while (list != NULL) {
        struct job *job = list;

        list = job->next;
        job->done(job->ctx);
        free(job);
        pthread_mutex_lock(&p->mutex);
        p->outstanding--;
        pthread_mutex_unlock(&p->mutex);
    }
}

bool work_pool_is_idle(struct work_pool *p)
{
    bool is_idle;

    if (p == NULL)
        return true;
    pthread_mutex_lock(&p->mutex);
    is_idle = p->outstanding == 0;
    pthread_mutex_unlock(&p->mutex);
    return is_idle;
}

void work_pool_free(struct work_pool *p)
{
    if (p == NULL)
        return;
    assert(p->outstanding == 0);
    pthread_mutex_lock(&p->mutex);
    p->is_ending = true;
    pthread_cond_broadcast(&p->has_job);
    pthread_mutex_unlock(&p->mutex);
    for (size_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->has_job);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
