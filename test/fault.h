/* Faults for unit tests: calls of malloc, calloc and realloc (and of what a test wraps itself) fail
 * one after the other, then at random from a seed that is printed. Needs fault_dep in the test's
 * dependencies; FAULT_SEED repeats a run. */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include <stdatomic.h>

#include "cmocka_all.h"

#include "base/bytes.h"

enum { FAULT_CALLS_MAX = 5000, FAULT_ROUNDS = 150 };

static atomic_uint fault_calls;
static atomic_uint fault_at;     /* this call fails, from 1; 0: none */
static atomic_uint fault_one_in; /* each fails with this chance; 0: none */
static atomic_uint_fast64_t fault_state;

static bool fault_now(void)
{
    unsigned call = atomic_fetch_add(&fault_calls, 1) + 1;
    unsigned at = atomic_load(&fault_at);
    unsigned one_in = atomic_load(&fault_one_in);
    uint64_t x;

    if (at != 0)
        return call == at;
    if (one_in == 0)
        return false;
    x = atomic_fetch_add(&fault_state, UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) % one_in == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);

void *__wrap_malloc(size_t size)
{
    return fault_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fault_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    return fault_now() ? NULL : __real_realloc(ptr, size);
}

static void faults_off(void)
{
    atomic_store(&fault_at, 0);
    atomic_store(&fault_one_in, 0);
}

static uint64_t fault_seed(void)
{
    static uint64_t seed; /* of this run */
    const char *given = getenv("FAULT_SEED");

    if (seed == 0)
        seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)(uintptr_t)&seed >> 4;
    return seed;
}

/* Runs `work` under faults. It returns whether all went well, having asserted that whatever was
 * reported as done is right; without a fault all must go well, also after any fault. `reset`, if
 * not NULL, runs without faults before each round. */
static void faults_run(bool (*work)(void *ctx), void (*reset)(void *ctx), void *ctx)
{
    unsigned calls = 0;
    unsigned failed = 0;

    faults_off(); /* a test that failed may have left one */
    for (unsigned n = 0; n < FAULT_CALLS_MAX && calls >= n; n++) {
        bool is_well;

        if (reset != NULL)
            reset(ctx);
        atomic_store(&fault_calls, 0);
        atomic_store(&fault_at, n);
        is_well = work(ctx);
        faults_off();
        calls = n == 0 ? UINT32_MAX : atomic_load(&fault_calls);
        failed += !is_well;
        if ((n == 0 || calls < n) && !is_well)
            fail_msg("fails without a fault");
    }
    assert_true(failed > 0); /* or nothing was injected */
    print_message("seed %llu (FAULT_SEED)\n", (unsigned long long)fault_seed());
    atomic_store(&fault_state, fault_seed());
    for (unsigned round = 0; round < FAULT_ROUNDS; round++) {
        if (reset != NULL)
            reset(ctx);
        atomic_store(&fault_one_in, 2 + round % 37);
        (void)work(ctx);
        faults_off();
    }
    if (reset != NULL)
        reset(ctx);
    assert_true(work(ctx));
}

/* What every good run must give: the first one says. */
static inline void same_as_first(struct bytes now, uint8_t *first, size_t cap, size_t *first_len)
{
    assert_true(now.len <= cap);
    if (*first_len == 0) {
        memcpy(first, now.ptr, now.len);
        *first_len = now.len;
    }
    assert_int_equal(now.len, *first_len);
    assert_memory_equal(now.ptr, first, now.len);
}

#endif
