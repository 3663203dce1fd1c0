/* GPU verification against the floor measured in the same run: as many P-384 verifications as it
 * takes, times what one costs the library. The evidence is the simulator's: one and eight
 * GPUs with their manifests, without services. The link wraps the library's verification to count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tacit/gpu.h>

#include "attest/gpu_chain.h"
#include "attest/gpu_evidence.h"
#include "tee/sim_gpu.h"

enum { DOC_MAX = 1 << 20, ROUNDS = 40, NOW = 1767225600, RIMS = 2 };

/* P-384 verifications that one run makes: for each GPU its report and the two certificates of its
 * own; once the two above them, three of the manifests' signer, and both manifests. */
static unsigned verifications(unsigned gpus)
{
    return 3 * gpus + 2 + 3 + RIMS;
}

struct bench {
    struct buf payload, device_root, rim_root, rims[RIMS];
    struct tacit_gpu_rim rim_list[RIMS];
    struct tacit_gpu_opts opts;
    struct tacit_verdict *verdict;
    struct tacit_gpu_facts facts;
    struct gpu_report report;
    struct pubkey *key;
};

static void die(const char *what)
{
    fprintf(stderr, "bench gpu: %s\n", what);
    exit(2);
}

static void must(enum tacit_err err, const char *what)
{
    if (err != TACIT_OK)
        die(what);
}

/* The report and key of device 0, for the floor. */
static void floor_prepare(struct bench *b, struct arena *arena)
{
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    struct gpu_chain chain;
    const char *why;
    size_t count;

    must(gpu_evidence_read(items, &count, &why, buf_bytes(&b->payload), arena), "evidence");
    must(gpu_report_parse(&b->report, &why, items[0].report, false), "report");
    must(gpu_chain_parse(&chain, &why, items[0].chain_pem, arena), "chain");
    must(x509_key(&b->key, &chain.certs[0], NULL), "key");
}

static void prepare(struct bench *b, unsigned count, struct arena *arena)
{
    struct sim_gpu_opts opts = {.count = count, .now_unix_s = NOW};
    char ids[3][SIM_GPU_ID_LEN];
    struct sim_gpu *g;

    *b = (struct bench){.payload = buf_make(DOC_MAX),
                        .device_root = buf_make(DOC_MAX),
                        .rim_root = buf_make(DOC_MAX)};
    must(sim_gpu_new(&g, &opts), "simulator");
    must(sim_gpu_payload(g, &b->payload, b->opts.nonce), "payload");
    must(sim_gpu_root(g, &b->device_root, SIM_GPU_ROOT_DEVICE), "root");
    must(sim_gpu_root(g, &b->rim_root, SIM_GPU_ROOT_RIM), "root");
    sim_gpu_rim_ids(g, ids, 3);
    for (size_t i = 0; i < RIMS; i++) {
        b->rims[i] = buf_make(DOC_MAX);
        must(sim_gpu_rim(g, &b->rims[i], ids[i]), "manifest");
        b->rim_list[i].xml = buf_bytes(&b->rims[i]);
    }
    sim_gpu_free(g);
    b->opts.now_unix_s = NOW;
    b->opts.device_root = buf_bytes(&b->device_root);
    b->opts.rim_root = buf_bytes(&b->rim_root);
    b->opts.rims = b->rim_list;
    b->opts.rim_count = RIMS;
    b->verdict = calloc(1, sizeof(*b->verdict));
    if (b->verdict == NULL)
        die("out of memory");
    floor_prepare(b, arena);
}

static void release(struct bench *b)
{
    buf_done(&b->payload);
    buf_done(&b->device_root);
    buf_done(&b->rim_root);
    for (size_t i = 0; i < RIMS; i++)
        buf_done(&b->rims[i]);
    free(b->verdict);
    pubkey_free(b->key);
}

/* Processor time of this thread: what else runs on the machine does not count. */
static uint64_t cpu_ns(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        die("no clock");
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double verify_us(struct bench *b)
{
    uint64_t from = cpu_ns();

    b->verdict->count = 0;
    must(tacit_gpu_verify(b->verdict, &b->facts, buf_bytes(&b->payload), &b->opts), "verify");
    if (!tacit_verdict_is_trusted(b->verdict))
        die("the evidence is refused");
    return (double)(cpu_ns() - from) / 1000.0;
}

static double floor_us(struct bench *b)
{
    enum { EACH = 8 };
    uint64_t from = cpu_ns();

    for (int i = 0; i < EACH; i++)
        must(pubkey_verify_raw(b->key, b->report.signature, b->report.signed_part), "signature");
    return (double)(cpu_ns() - from) / 1000.0 / (double)EACH;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Measured in turn, so that both see the same machine; the lower quartile of each, in processor
 * time. */
static void measure(unsigned count)
{
    struct arena arena = arena_make(DOC_MAX);
    double runs[ROUNDS], floors[ROUNDS], us, one;
    struct bench b;
    unsigned made = verifications(count);

    prepare(&b, count, &arena);
    verify_us(&b); /* libraries set themselves up */
    for (int i = 0; i < ROUNDS; i++) {
        runs[i] = verify_us(&b);
        floors[i] = floor_us(&b);
    }
    qsort(runs, ROUNDS, sizeof(runs[0]), by_value);
    qsort(floors, ROUNDS, sizeof(floors[0]), by_value);
    us = runs[ROUNDS / 4];
    one = floors[ROUNDS / 4];
    printf("%u GPU%s %8.1f us   floor (%u x %6.1f us) %8.1f us   ratio %.3f   %s\n", count,
           count == 1 ? " " : "s", us, made, one, one * made, us / (one * made),
           us <= 1.2 * one * made ? "goal 1.2 met" : "goal 1.2 MISSED");
    release(&b);
    arena_done(&arena);
}

int main(void)
{
    printf("GPU verification, processor time\n");
    measure(1);
    measure(8);
    return 0;
}
