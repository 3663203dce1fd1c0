/* The cache of verified bases and platforms. Invariant: an entry is complete and was verified under
 * the root it names; it is found only by equality of whole octet strings, never by a digest, and
 * only while the time lies inside its window. A platform never outlives its base. */
#include <stdlib.h>

#include "attest/dcap_priv.h"

enum { CACHE_BASES = 16, CACHE_PLATFORMS = 64 };

struct platform_entry {
    struct dcap_platform *platform;
    const struct dcap_base *base;
    uint64_t used;
};

struct base_entry {
    struct dcap_base *base;
    uint64_t used;
};

struct tacit_quote_cache {
    struct base_entry bases[CACHE_BASES];
    struct platform_entry platforms[CACHE_PLATFORMS];
    uint64_t ticks; /* counts uses: the smallest goes first */
};

struct tacit_quote_cache *tacit_quote_cache_new(void)
{
    return calloc(1, sizeof(struct tacit_quote_cache));
}

void tacit_quote_cache_free(struct tacit_quote_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < CACHE_PLATFORMS; i++)
        dcap_platform_free(cache->platforms[i].platform);
    for (size_t i = 0; i < CACHE_BASES; i++)
        dcap_base_free(cache->bases[i].base);
    free(cache);
}

static void platform_find(struct tacit_quote_cache *cache, struct dcap_run *run)
{
    struct bytes pem = run_chain_pem(run);
    struct bytes tail = run_auth_tail(run);

    for (size_t i = 0; i < CACHE_PLATFORMS; i++) {
        struct platform_entry *e = &cache->platforms[i];

        if (e->platform == NULL || e->base != run->base ||
            !bytes_eq(e->platform->auth_tail, tail) || !bytes_eq(e->platform->chain_pem, pem) ||
            !window_has(&e->platform->window, run->in->now_unix_s))
            continue;
        e->used = ++cache->ticks;
        run->platform = e->platform;
        return;
    }
}

void cache_find(struct tacit_quote_cache *cache, struct dcap_run *run)
{
    for (size_t i = 0; i < CACHE_BASES; i++) {
        struct base_entry *e = &cache->bases[i];

        if (e->base == NULL || !bytes_eq(e->base->root.der, run->root_der) ||
            !bytes_eq(e->base->source, run->in->collateral) ||
            !window_has(&e->base->window, run->in->now_unix_s))
            continue;
        e->used = ++cache->ticks;
        run->base = e->base;
        platform_find(cache, run);
        return;
    }
}

static void platform_drop(struct platform_entry *e)
{
    dcap_platform_free(e->platform);
    *e = (struct platform_entry){0};
}

static void base_drop(struct tacit_quote_cache *cache, struct base_entry *e)
{
    for (size_t i = 0; i < CACHE_PLATFORMS; i++)
        if (cache->platforms[i].platform != NULL && cache->platforms[i].base == e->base)
            platform_drop(&cache->platforms[i]);
    dcap_base_free(e->base);
    *e = (struct base_entry){0};
}

static void base_keep(struct tacit_quote_cache *cache, struct dcap_base *base)
{
    struct base_entry *oldest = &cache->bases[0];

    for (size_t i = 0; i < CACHE_BASES && oldest->base != NULL; i++)
        if (cache->bases[i].base == NULL || cache->bases[i].used < oldest->used)
            oldest = &cache->bases[i];
    base_drop(cache, oldest);
    *oldest = (struct base_entry){base, ++cache->ticks};
}

static void platform_keep(struct tacit_quote_cache *cache, struct dcap_platform *platform,
                          const struct dcap_base *base)
{
    struct platform_entry *oldest = &cache->platforms[0];

    for (size_t i = 0; i < CACHE_PLATFORMS && oldest->platform != NULL; i++)
        if (cache->platforms[i].platform == NULL || cache->platforms[i].used < oldest->used)
            oldest = &cache->platforms[i];
    platform_drop(oldest);
    *oldest = (struct platform_entry){platform, base, ++cache->ticks};
}

void cache_keep(struct tacit_quote_cache *cache, struct dcap_run *run)
{
    if (run->is_base_new)
        base_keep(cache, run->base);
    if (run->is_platform_new)
        platform_keep(cache, run->platform, run->base);
}

void dcap_cache_forget_platforms(struct tacit_quote_cache *cache)
{
    for (size_t i = 0; i < CACHE_PLATFORMS; i++)
        platform_drop(&cache->platforms[i]);
}
