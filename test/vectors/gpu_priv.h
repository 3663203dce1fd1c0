/* The GPU suite's own: one case of manifest.json with its files, and what running it gave. */
#ifndef TEST_VECTORS_GPU_PRIV_H
#define TEST_VECTORS_GPU_PRIV_H

#include "vectors.h"

#include "attest/gpu_priv.h"
#include "codec/jscan.h"

enum { GPU_WHY_LEN = 512 };

struct gpu_case {
    const char *dir;
    struct jval json;
    struct jval files;
    uint8_t nonce[32];
    bool has_nonce;
    int64_t now_unix_s;
    enum tacit_gpu_arch arch;
    struct arena *arena;     /* holds the files */
    struct tacit_verdict *v; /* zeroed */
    char why[GPU_WHY_LEN];   /* what was refused, for messages */
    const char *verdict;     /* "accept", "reject", "good" … */
};

/* Content of the case's file of that name, or empty. */
struct bytes gpu_file(struct gpu_case *c, const char *name);

/* Each sets c->verdict and c->why. */
void gpu_kind_claims(struct gpu_case *c);
void gpu_kind_parse_golden(struct gpu_case *c);
void gpu_kind_binding(struct gpu_case *c);
void gpu_kind_nras(struct gpu_case *c);
void gpu_kind_nras_parse(struct gpu_case *c);
void gpu_kind_ocsp(struct gpu_case *c);

/* Sets verdict and why from a sentence: NULL accepts. */
void gpu_conclude(struct gpu_case *c, const char *why);
/* The same from c->v. */
void gpu_conclude_rows(struct gpu_case *c);

#endif
