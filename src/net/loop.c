/* The loop over libuv, its timers, its mailbox and the stop signals; blocking work is in
 * loop_work.c. Invariant: what loop_post or loop_work accepted runs before loop_run returns. */
#include "net/loop_work_priv.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "net/loop_priv.h"

struct post {
    void (*fn)(void *ctx);
    void *ctx;
    struct post *next;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_signal_t signals[2];
    bool has_signals;
    void (*on_signal)(void *ctx);
    void *signal_ctx;
    pthread_mutex_t mutex; /* guards posts, last_post and is_stopped */
    struct post *posts;
    struct post *last_post; /* of posts, when there are any */
    bool is_stopped;
    struct work_pool *pool; /* made with the first job */
};

struct timer {
    uv_timer_t uv;
    void (*fn)(void *ctx);
    void *ctx;
};

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

static void posts_run(struct loop *loop)
{
    struct post *list;

    pthread_mutex_lock(&loop->mutex);
    list = loop->posts;
    loop->posts = NULL;
    pthread_mutex_unlock(&loop->mutex);
    while (list != NULL) {
        struct post *post = list;

        list = post->next;
        post->fn(post->ctx);
        free(post);
    }
}

static bool has_ended(struct loop *loop)
{
    bool is_idle;

    pthread_mutex_lock(&loop->mutex);
    is_idle = loop->is_stopped && loop->posts == NULL;
    pthread_mutex_unlock(&loop->mutex);
    return is_idle && work_pool_is_idle(loop->pool);
}

static void on_wake(uv_async_t *wake)
{
    struct loop *loop = wake->data;

    posts_run(loop);
    work_pool_deliver(loop->pool);
    if (has_ended(loop))
        uv_stop(&loop->uv);
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return NULL;
    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&loop->uv) != 0)
        goto no_loop;
    if (pthread_mutex_init(&loop->mutex, NULL) != 0)
        goto no_mutex;
    if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0)
        goto no_async;
    loop->wake.data = loop;
    return loop;
no_async:
    pthread_mutex_destroy(&loop->mutex);
no_mutex:
    uv_loop_close(&loop->uv);
no_loop:
    free(loop);
    return NULL;
}

static void note_closing(uv_handle_t *handle, void *arg)
{
    bool *any = arg;

    *any |= uv_is_closing(handle) != 0;
}

static void closing_finish(struct loop *loop)
{
    bool any = true;

    while (any) {
        uv_run(&loop->uv, UV_RUN_NOWAIT);
        any = false;
        uv_walk(&loop->uv, note_closing, &any);
    }
}

void loop_run(struct loop *loop)
{
    while (!has_ended(loop))
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    closing_finish(loop);
}

void loop_stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    loop->is_stopped = true;
    uv_async_send(&loop->wake); /* under the mutex, as in loop_post */
    pthread_mutex_unlock(&loop->mutex);
}

static void note_left_over(uv_handle_t *handle, void *arg)
{
    bool *any = arg;

    *any |= uv_is_closing(handle) == 0;
}

void loop_free(struct loop *loop)
{
    bool is_left_over = false;

    if (loop == NULL)
        return;
    loop_stop(loop);
    loop_run(loop);
    work_pool_free(loop->pool);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    for (size_t i = 0; loop->has_signals && i < ARRAY_LEN(loop->signals); i++)
        uv_close((uv_handle_t *)&loop->signals[i], NULL);
    uv_walk(&loop->uv, note_left_over, &is_left_over);
    assert(!is_left_over);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    pthread_mutex_destroy(&loop->mutex);
    free(loop);
}

/* With the mutex held. Waking under it too: once the loop is stopped and the mutex is released,
 * loop_free may follow. */
static bool post_take(struct loop *loop, struct post *post)
{
    if (loop->is_stopped)
        return false;
    if (loop->posts == NULL)
        loop->posts = post;
    else
        loop->last_post->next = post;
    loop->last_post = post;
    uv_async_send(&loop->wake);
    return true;
}

bool loop_post(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
    struct post *post = malloc(sizeof(*post));

    if (post == NULL)
        return false;
    *post = (struct post){.fn = fn, .ctx = ctx};
    pthread_mutex_lock(&loop->mutex);
    if (post_take(loop, post)) {
        pthread_mutex_unlock(&loop->mutex);
        return true;
    }
    pthread_mutex_unlock(&loop->mutex);
    free(post);
    return false;
}

static void pool_wake(void *ctx)
{
    struct loop *loop = ctx;

    uv_async_send(&loop->wake);
}

bool loop_work(struct loop *loop, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
    bool is_stopped;

    pthread_mutex_lock(&loop->mutex);
    is_stopped = loop->is_stopped;
    pthread_mutex_unlock(&loop->mutex);
    if (is_stopped)
        return false;
    if (loop->pool == NULL)
        loop->pool = work_pool_new(pool_wake, loop);
    return loop->pool != NULL && work_pool_add(loop->pool, work, done, ctx);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct loop *loop = handle->data;

    UNUSED(number);
    loop->on_signal(loop->signal_ctx);
}

enum tacit_err loop_on_stop_signal(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
    static const int numbers[] = {SIGINT, SIGTERM};

    if (loop->has_signals)
        return TACIT_STATE;
    loop->on_signal = fn;
    loop->signal_ctx = ctx;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uv_signal_init(&loop->uv, &loop->signals[i]); /* cannot fail on unix */
        loop->signals[i].data = loop;
    }
    loop->has_signals = true;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (uv_signal_start(&loop->signals[i], on_signal, numbers[i]) != 0)
            return TACIT_IO;
    return TACIT_OK;
}

static void on_timer(uv_timer_t *handle)
{
    struct timer *timer = handle->data;

    timer->fn(timer->ctx);
}

struct timer *timer_new(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
    struct timer *timer = calloc(1, sizeof(*timer));

    if (timer == NULL)
        return NULL;
    uv_timer_init(&loop->uv, &timer->uv); /* cannot fail */
    timer->uv.data = timer;
    timer->fn = fn;
    timer->ctx = ctx;
    return timer;
}

void timer_start(struct timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
    uv_timer_start(&timer->uv, on_timer, delay_ms, repeat_ms);
}

void timer_stop(struct timer *timer)
{
    uv_timer_stop(&timer->uv);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void timer_free(struct timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->uv, on_timer_closed);
}
