/* Evidence, manifests and answers of one simulated machine, for tests that need genuine-looking
 * input: everything that a verifier is given, in one structure. */
#ifndef TEST_GPU_WORLD_H
#define TEST_GPU_WORLD_H

#include "cmocka_all.h"

#include <tacit/gpu.h>

#include "attest/gpu_evidence.h"
#include "attest/verdict.h"
#include "tee/sim_gpu.h"

enum { WORLD_NOW = 1767225600, WORLD_DOC_MAX = 512 * 1024 };

struct world {
    struct sim_gpu *g;
    uint8_t nonce[32];
    uint8_t ocsp_nonce[32];
    struct buf payload, device_root, rim_root, nras_root, jwks, nras;
    struct buf rims[2], ocsp[SIM_GPU_ASK_COUNT];
    struct tacit_gpu_rim rim_list[2];
    struct tacit_gpu_ocsp ocsp_list[SIM_GPU_ASK_COUNT];
    struct tacit_gpu_nras answer;
    struct tacit_gpu_policy policy;
    struct tacit_gpu_opts opts;
    struct arena arena;
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    size_t count;
    struct tacit_verdict v;
    struct tacit_gpu_facts facts;
};

static inline void world_documents(struct world *w)
{
    char ids[3][SIM_GPU_ID_LEN];

    assert_ok(sim_gpu_payload(w->g, &w->payload, w->nonce));
    assert_ok(sim_gpu_root(w->g, &w->device_root, SIM_GPU_ROOT_DEVICE));
    assert_ok(sim_gpu_root(w->g, &w->rim_root, SIM_GPU_ROOT_RIM));
    assert_ok(sim_gpu_root(w->g, &w->nras_root, SIM_GPU_ROOT_NRAS));
    assert_ok(sim_gpu_jwks(w->g, &w->jwks));
    assert_ok(sim_gpu_nras(w->g, &w->nras, w->nonce));
    assert_int_equal(sim_gpu_rim_ids(w->g, ids, 3), 2);
    for (size_t i = 0; i < 2; i++) {
        w->rims[i] = buf_make(WORLD_DOC_MAX);
        assert_ok(sim_gpu_rim(w->g, &w->rims[i], ids[i]));
        w->rim_list[i].xml = buf_bytes(&w->rims[i]);
    }
    for (size_t i = 0; i < SIM_GPU_ASK_COUNT; i++) {
        w->ocsp[i] = buf_make(WORLD_DOC_MAX);
        assert_ok(
            sim_gpu_ocsp(w->g, &w->ocsp[i], (enum sim_gpu_asked)i, BYTES_ARRAY(w->ocsp_nonce)));
        w->ocsp_list[i].der = buf_bytes(&w->ocsp[i]);
        w->ocsp_list[i].nonce = BYTES_ARRAY(w->ocsp_nonce);
    }
}

/* A machine of Hoppers with everything given; OCSP is demanded of a single GPU. */
static inline struct world *world_make(unsigned count)
{
    struct sim_gpu_opts opts = {.count = count, .now_unix_s = WORLD_NOW};
    struct world *w = calloc(1, sizeof(*w));
    const char *why;

    assert_non_null(w);
    memset(opts.seed, 3, sizeof(opts.seed));
    memset(w->nonce, 0x5b, sizeof(w->nonce));
    memset(w->ocsp_nonce, 0x77, sizeof(w->ocsp_nonce));
    w->payload = w->device_root = w->rim_root = buf_make(WORLD_DOC_MAX);
    w->nras_root = w->jwks = w->nras = buf_make(WORLD_DOC_MAX);
    w->arena = arena_make(8 * WORLD_DOC_MAX);
    assert_ok(sim_gpu_new(&w->g, &opts));
    world_documents(w);
    w->answer = (struct tacit_gpu_nras){.response = buf_bytes(&w->nras),
                                        .jwks = buf_bytes(&w->jwks),
                                        .intermediate = buf_bytes(&w->nras_root),
                                        .issuer = SIM_GPU_ISSUER};
    memcpy(w->opts.nonce, w->nonce, sizeof(w->nonce));
    w->opts.now_unix_s = WORLD_NOW;
    w->opts.device_root = buf_bytes(&w->device_root);
    w->opts.rim_root = buf_bytes(&w->rim_root);
    w->opts.rims = w->rim_list;
    w->opts.rim_count = 2;
    w->opts.ocsp = w->ocsp_list;
    w->opts.ocsp_count = SIM_GPU_ASK_COUNT;
    w->opts.nras = &w->answer;
    w->opts.policy = &w->policy;
    w->policy.is_rim_required = true;
    w->policy.is_ocsp_required = count == 1;
    assert_ok(gpu_evidence_read(w->items, &w->count, &why, buf_bytes(&w->payload), &w->arena));
    return w;
}

static inline void world_free(struct world *w)
{
    struct buf *all[] = {&w->payload,   &w->device_root, &w->rim_root,
                         &w->nras_root, &w->jwks,        &w->nras};

    sim_gpu_free(w->g);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        buf_done(all[i]);
    for (size_t i = 0; i < 2; i++)
        buf_done(&w->rims[i]);
    for (size_t i = 0; i < SIM_GPU_ASK_COUNT; i++)
        buf_done(&w->ocsp[i]);
    arena_done(&w->arena);
    free(w);
}

static inline bool world_judge(struct world *w)
{
    w->v.count = 0;
    w->v.is_overflowed = w->v.is_simulated = false;
    assert_ok(tacit_gpu_verify_items(&w->v, &w->facts, w->items, w->count, &w->opts));
    return tacit_verdict_is_trusted(&w->v);
}

/* Whether the view's octets, changed in bit `bit` of octet `at`, are still accepted. */
static inline bool world_judge_flipped(struct world *w, struct bytes *view, size_t at, unsigned bit)
{
    struct bytes good = *view;
    uint8_t *copy = malloc(good.len);
    bool trusted;

    assert_non_null(copy);
    memcpy(copy, good.ptr, good.len);
    copy[at] = (uint8_t)(copy[at] ^ 1U << bit);
    view->ptr = copy;
    trusted = world_judge(w);
    *view = good;
    free(copy);
    return trusted;
}

/* Whether the first `len` octets, in memory of exactly that size, are accepted. */
static inline bool world_judge_prefix(struct world *w, struct bytes *view, size_t len)
{
    struct bytes good = *view;
    uint8_t *copy = malloc(len > 0 ? len : 1);
    bool trusted;

    assert_non_null(copy);
    memcpy(copy, good.ptr, len);
    *view = (struct bytes){copy, len};
    trusted = world_judge(w);
    *view = good;
    free(copy);
    return trusted;
}

#endif
