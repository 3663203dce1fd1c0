/* Claims about the loop: messages arrive in order from any thread, accepted work is always
 * delivered, timers fire and stop, and an ended loop takes nothing more. */
#include "cmocka_all.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/attr.h"
#include "net/loop.h"

enum { THREADS = 4, POSTS = 500 };

struct sender {
    struct loop *loop;
    pthread_t thread;
    int seen; /* on the loop's thread: posts of this sender so far */
    int *arrived;
};

struct message {
    struct sender *from;
    int number;
};

static void message_arrive(void *ctx)
{
    struct message *m = ctx;

    assert_int_equal(m->number, m->from->seen);
    m->from->seen++;
    (*m->from->arrived)++;
    if (*m->from->arrived == THREADS * POSTS)
        loop_stop(m->from->loop);
    free(m);
}

static void *sender_main(void *arg)
{
    struct sender *s = arg;

    for (int i = 0; i < POSTS; i++) {
        struct message *m = malloc(sizeof(*m));

        if (m == NULL)
            abort();
        *m = (struct message){s, i};
        if (!loop_post(s->loop, message_arrive, m))
            abort();
    }
    return NULL;
}

static void posts_of_each_thread_arrive_in_order(void **state)
{
    struct loop *loop = loop_new();
    struct sender senders[THREADS];
    int arrived = 0;

    UNUSED(state);
    assert_non_null(loop);
    for (int i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){.loop = loop, .arrived = &arrived};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_main, &senders[i]), 0);
    }
    loop_run(loop);
    for (int i = 0; i < THREADS; i++)
        pthread_join(senders[i].thread, NULL);
    assert_int_equal(arrived, THREADS * POSTS);
    loop_free(loop);
}

static void count(void *ctx)
{
    int *n = ctx;

    (*n)++;
}

static void a_stopped_loop_takes_nothing_more(void **state)
{
    struct loop *loop = loop_new();
    int n = 0;

    UNUSED(state);
    assert_true(loop_post(loop, count, &n));
    loop_stop(loop);
    assert_false(loop_post(loop, count, &n));
    assert_false(loop_work(loop, count, count, &n));
    loop_run(loop);
    assert_int_equal(n, 1);
    loop_free(loop);
}

static void *run_thread(void *arg)
{
    struct loop *loop = arg;

    loop_run(loop);
    return NULL;
}

static void stopping_races_with_posting_safely(void **state)
{
    UNUSED(state);
    for (int i = 0; i < 50; i++) {
        struct loop *loop = loop_new();
        pthread_t thread;
        int n = 0;
        int taken = 0;

        assert_int_equal(pthread_create(&thread, NULL, run_thread, loop), 0);
        for (int k = 0; k < i; k++)
            taken += loop_post(loop, count, &n);
        loop_stop(loop);
        pthread_join(thread, NULL);
        assert_int_equal(n, taken);
        loop_free(loop);
    }
}

struct jobs {
    struct loop *loop;
    pthread_t owner;
    pthread_mutex_t mutex;
    int worked;
    int delivered;
    int wanted;
};

static void job_work(void *ctx)
{
    struct jobs *j = ctx;

    assert_false(pthread_equal(pthread_self(), j->owner));
    usleep(2000);
    pthread_mutex_lock(&j->mutex);
    j->worked++;
    pthread_mutex_unlock(&j->mutex);
}

static void job_done(void *ctx)
{
    struct jobs *j = ctx;

    assert_true(pthread_equal(pthread_self(), j->owner));
    if (++j->delivered == j->wanted)
        loop_stop(j->loop);
}

static void work_runs_elsewhere_and_is_delivered_here(void **state)
{
    struct jobs j = {.loop = loop_new(), .owner = pthread_self(), .wanted = 40};

    UNUSED(state);
    pthread_mutex_init(&j.mutex, NULL);
    for (int i = 0; i < j.wanted; i++)
        assert_true(loop_work(j.loop, job_work, job_done, &j));
    loop_run(j.loop);
    assert_int_equal(j.worked, j.wanted);
    loop_free(j.loop);
    pthread_mutex_destroy(&j.mutex);
}

static void work_is_delivered_even_when_stopped_early(void **state)
{
    struct jobs j = {.loop = loop_new(), .owner = pthread_self(), .wanted = -1};

    UNUSED(state);
    pthread_mutex_init(&j.mutex, NULL);
    for (int i = 0; i < 10; i++)
        assert_true(loop_work(j.loop, job_work, job_done, &j));
    loop_stop(j.loop);
    loop_run(j.loop);
    assert_int_equal(j.delivered, 10);
    loop_free(j.loop);
    pthread_mutex_destroy(&j.mutex);
}

struct ticks {
    struct loop *loop;
    struct timer *timer;
    struct timer *never;
    int n;
};

static void on_tick(void *ctx)
{
    struct ticks *t = ctx;

    if (++t->n == 1)
        timer_stop(t->never);
    if (t->n < 3)
        return;
    timer_free(t->timer);
    loop_stop(t->loop);
}

static void on_never(void *ctx)
{
    UNUSED(ctx);
    fail_msg("a stopped timer fired");
}

static void timers_repeat_and_stop(void **state)
{
    struct ticks t = {.loop = loop_new()};

    UNUSED(state);
    t.timer = timer_new(t.loop, on_tick, &t);
    t.never = timer_new(t.loop, on_never, &t);
    timer_start(t.timer, 1, 1);
    timer_start(t.never, 60, 0);
    loop_run(t.loop);
    assert_int_equal(t.n, 3);
    timer_free(t.never);
    timer_free(NULL);
    loop_free(t.loop);
}

static void on_stop(void *ctx)
{
    loop_stop(ctx);
}

static void raise_term(void *ctx)
{
    UNUSED(ctx);
    raise(SIGTERM);
}

static void sigterm_reaches_the_loop(void **state)
{
    struct loop *loop = loop_new();

    UNUSED(state);
    assert_ok(loop_on_stop_signal(loop, on_stop, loop));
    assert_err(loop_on_stop_signal(loop, on_stop, loop), TACIT_STATE);
    assert_true(loop_post(loop, raise_term, NULL));
    loop_run(loop);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_each_thread_arrive_in_order),
        cmocka_unit_test(a_stopped_loop_takes_nothing_more),
        cmocka_unit_test(stopping_races_with_posting_safely),
        cmocka_unit_test(work_runs_elsewhere_and_is_delivered_here),
        cmocka_unit_test(work_is_delivered_even_when_stopped_early),
        cmocka_unit_test(timers_repeat_and_stop),
        cmocka_unit_test(sigterm_reaches_the_loop),
    };

    alarm(120);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
