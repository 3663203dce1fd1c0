/* Bump allocation in blocks. Invariant: the sum of what was handed out never exceeds the limit. */
#include "base/arena.h"

#include <stdlib.h>

enum { ARENA_BLOCK = 4096, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t cap;
    size_t len;
    _Alignas(ARENA_ALIGN) uint8_t mem[];
};

struct arena arena_make(size_t limit)
{
    return (struct arena){.limit = limit};
}

static struct arena_block *block_new(size_t size)
{
    size_t cap = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    size_t total;
    struct arena_block *block;

    if (!size_add(&total, sizeof(*block), cap))
        return NULL;
    block = malloc(total);
    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->cap = cap;
    block->len = 0;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t rounded;
    struct arena_block *block = a->blocks;
    void *out;

    if (!size_add(&rounded, size, ARENA_ALIGN - 1))
        return NULL;
    rounded -= rounded % ARENA_ALIGN;
    if (rounded == 0)
        rounded = ARENA_ALIGN;
    if (rounded > a->limit - a->used)
        return NULL;
    if (block == NULL || block->cap - block->len < rounded) {
        block = block_new(rounded);
        if (block == NULL)
            return NULL;
        block->next = a->blocks;
        a->blocks = block;
    }
    out = block->mem + block->len;
    block->len += rounded;
    a->used += rounded;
    memset(out, 0, rounded);
    return out;
}

struct bytes arena_dup(struct arena *a, struct bytes in)
{
    size_t size;
    uint8_t *out = size_add(&size, in.len, 1) ? arena_alloc(a, size) : NULL;

    if (out == NULL)
        return (struct bytes){NULL, 0};
    if (in.len > 0)
        memcpy(out, in.ptr, in.len);
    return (struct bytes){out, in.len};
}

char *arena_str(struct arena *a, struct bytes in)
{
    size_t size;
    char *out = size_add(&size, in.len, 1) ? arena_alloc(a, size) : NULL;

    if (out != NULL && in.len > 0)
        memcpy(out, in.ptr, in.len);
    return out;
}

void arena_done(struct arena *a)
{
    while (a->blocks != NULL) {
        struct arena_block *next = a->blocks->next;

        explicit_bzero(a->blocks->mem, a->blocks->len);
        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
}
