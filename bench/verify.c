/* Quote verification against the floor measured in the same run: cold is nine P-256 verifications,
 * warm (collateral and CA cached) three, hot (platform cached, too) one. Arguments: the quote, its
 * collateral, the time, and a root in PEM if it is not Intel's. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <tacit/quote.h>

#include "attest/dcap.h"
#include "attest/quote.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/x509.h"

enum { ROUNDS = 400, ROUND_US = 2000, FILE_MAX = 1 << 22 };

struct bench {
    struct tacit_quote_input in;
    struct tacit_quote quote;
    struct pubkey *att_key;
    struct tacit_verdict *verdict;
    struct tacit_quote_result *result;
    unsigned refused;
};

typedef void step(struct bench *b);

static void die(const char *what)
{
    fprintf(stderr, "bench verify: %s\n", what);
    exit(2);
}

static void step_floor(struct bench *b)
{
    if (pubkey_verify_raw(b->att_key, b->quote.signature, b->quote.signed_part) != TACIT_OK)
        b->refused++;
}

static void step_verify(struct bench *b)
{
    b->verdict->count = 0;
    if (tacit_quote_verify(b->verdict, b->result, &b->in) != TACIT_OK ||
        !tacit_verdict_is_trusted(b->verdict))
        b->refused++;
}

static double one_round(struct bench *b, step *run, unsigned n)
{
    uint64_t from = clock_mono_ns();

    for (unsigned i = 0; i < n; i++)
        run(b);
    return (double)(clock_mono_ns() - from) / 1000.0 / n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Microseconds of two things measured in turn in short rounds, so that both see the same machine.
 * The lower quartile: whatever else runs here only ever adds time. */
static void measure(struct bench *b, struct bench *fb, step *run, double *us, double *floor_us)
{
    double runs[ROUNDS], floors[ROUNDS];
    unsigned n = (unsigned)((double)ROUND_US / (one_round(b, run, 20) + 1)) + 1;
    unsigned m = (unsigned)((double)ROUND_US / (one_round(fb, step_floor, 20) + 1)) + 1;

    for (int i = 0; i < ROUNDS; i++) {
        runs[i] = one_round(b, run, n);
        floors[i] = one_round(fb, step_floor, m);
    }
    qsort(runs, ROUNDS, sizeof(runs[0]), by_value);
    qsort(floors, ROUNDS, sizeof(floors[0]), by_value);
    *us = runs[ROUNDS / 4];
    *floor_us = floors[ROUNDS / 4];
}

/* Warm: the collateral is known, the platform is not. */
static void step_warm(struct bench *b)
{
    dcap_cache_forget_platforms(b->in.cache);
    step_verify(b);
}

static void line(struct bench *b, struct bench *fb, const char *name, step *run, int signatures)
{
    double us, floor_us;

    measure(b, fb, run, &us, &floor_us);
    printf("%-5s %8.1f us   floor (%d x %5.1f us) %7.1f us   ratio %.3f   %s\n", name, us,
           signatures, floor_us, floor_us * signatures, us / (floor_us * signatures),
           us <= 1.25 * floor_us * signatures ? "goal 1.25 met" : "goal 1.25 MISSED");
}

struct worker {
    struct bench b;
    uint64_t until_ns;
    uint64_t count;
};

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    while (clock_mono_ns() < w->until_ns) {
        step_verify(&w->b);
        w->count++;
    }
    return NULL;
}

static void bench_clone(struct bench *to, const struct bench *from, bool is_cached)
{
    *to = *from;
    to->verdict = calloc(1, sizeof(*to->verdict));
    to->result = calloc(1, sizeof(*to->result));
    to->in.cache = is_cached ? tacit_quote_cache_new() : NULL;
    if (to->verdict == NULL || to->result == NULL || (is_cached && to->in.cache == NULL))
        die("out of memory");
}

static void bench_close(struct bench *b)
{
    tacit_quote_cache_free(b->in.cache);
    free(b->verdict);
    free(b->result);
}

static void two_threads(const struct bench *b, bool is_cached)
{
    enum { SECONDS = 2 };
    struct worker w[2] = {0};
    pthread_t threads[2];
    uint64_t until = clock_mono_ns() + SECONDS * UINT64_C(1000000000);

    for (int i = 0; i < 2; i++) {
        bench_clone(&w[i].b, b, is_cached);
        w[i].until_ns = until;
        if (pthread_create(&threads[i], NULL, worker_main, &w[i]) != 0)
            die("no thread");
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        if (w[i].b.refused > 0)
            die("a verification failed");
        bench_close(&w[i].b);
    }
    printf("2 threads, %s: %.0f verifications/s\n", is_cached ? "hot " : "cold",
           (double)(w[0].count + w[1].count) / (double)SECONDS);
}

static void root_load(struct bench *b, const char *path, struct buf *file, struct arena *arena)
{
    struct x509_cert root;
    size_t count;

    if (path == NULL)
        return;
    if (file_read(file, path) != TACIT_OK ||
        x509_parse_pem(&root, 1, &count, buf_bytes(file), arena) != TACIT_OK)
        die("cannot read the root");
    b->in.root_der = root.der;
}

int main(int argc, char **argv)
{
    struct buf quote = buf_make(FILE_MAX), collateral = buf_make(FILE_MAX),
               pem = buf_make(FILE_MAX);
    struct arena arena = arena_make(1 << 16);
    struct bench base = {0}, cold, cached;
    uint64_t now = 0;

    if (argc < 4 || !bytes_to_u64(&now, bytes_of(argv[3]), INT64_MAX))
        die("usage: bench-verify QUOTE COLLATERAL UNIX_TIME [ROOT_PEM]");
    if (file_read(&quote, argv[1]) != TACIT_OK || file_read(&collateral, argv[2]) != TACIT_OK)
        die("cannot read the quote or its collateral");
    base.in = (struct tacit_quote_input){.quote = buf_bytes(&quote),
                                         .collateral = buf_bytes(&collateral),
                                         .now_unix_s = (int64_t)now};
    root_load(&base, argc > 4 ? argv[4] : NULL, &pem, &arena);
    if (tacit_quote_parse(&base.quote, base.in.quote, NULL) != TACIT_OK ||
        pubkey_from_point(&base.att_key, PUBKEY_P256, base.quote.att_key, NULL) != TACIT_OK)
        die("not a quote");
    bench_clone(&cold, &base, false);
    bench_clone(&cached, &base, true);
    step_verify(&cached);
    line(&cold, &base, "cold", step_verify, 9);
    line(&cached, &base, "warm", step_warm, 3);
    line(&cached, &base, "hot", step_verify, 1);
    if (cold.refused + cached.refused + base.refused > 0)
        die("a verification failed");
    two_threads(&base, false);
    two_threads(&base, true);
    bench_close(&cold);
    bench_close(&cached);
    pubkey_free(base.att_key);
    arena_done(&arena);
    buf_done(&pem);
    buf_done(&quote);
    buf_done(&collateral);
    return 0;
}
