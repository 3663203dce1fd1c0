/* A ring of entries in the order of their making, which is also the order in which they expire, and
 * a hash table over it. Invariant: every live slot of the ring is in exactly one chain. */
#include "node/sign_cache.h"

#include <pthread.h>
#include <stdlib.h>

static const uint32_t NO_SLOT = UINT32_MAX;

struct slot {
    struct sign_entry *entry; /* NULL: replaced by a newer one, or never used */
    uint64_t made_ms;
    uint32_t next; /* in its chain */
};

struct sign_cache {
    pthread_mutex_t lock;
    struct slot *slots;
    uint32_t *chains;
    uint32_t max;   /* slots, and chains */
    uint32_t first; /* oldest */
    uint32_t count;
    uint32_t live; /* count less those replaced */
};

/* FNV-1a: ids are the engine's random text, not an attacker's choice. */
static uint32_t chain_of(const struct sign_cache *c, struct bytes id)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < id.len; i++)
        h = (h ^ id.ptr[i]) * 16777619U;
    return h % c->max;
}

struct sign_cache *sign_cache_new(size_t max_entries)
{
    struct sign_cache *c = calloc(1, sizeof(*c));
    size_t max = max_entries == 0 ? SIGN_CACHE_MAX : max_entries;

    if (c == NULL || max >= NO_SLOT) {
        free(c);
        return NULL;
    }
    c->max = (uint32_t)max;
    c->slots = calloc(max, sizeof(*c->slots));
    c->chains = calloc(max, sizeof(*c->chains));
    if (c->slots == NULL || c->chains == NULL) {
        free(c->slots);
        free(c->chains);
        free(c);
        return NULL;
    }
    for (size_t i = 0; i < max; i++)
        c->chains[i] = NO_SLOT;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void sign_cache_free(struct sign_cache *c)
{
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->max; i++)
        free(c->slots[i].entry);
    free(c->slots);
    free(c->chains);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* Takes a slot out of its chain and gives up its entry. */
static void drop(struct sign_cache *c, uint32_t index)
{
    struct slot *slot = &c->slots[index];
    uint32_t *at;

    if (slot->entry == NULL)
        return;
    at = &c->chains[chain_of(c, bytes_of(slot->entry->id))];
    while (*at != index)
        at = &c->slots[*at].next;
    *at = slot->next;
    free(slot->entry);
    slot->entry = NULL;
    c->live--;
}

static void drop_oldest(struct sign_cache *c)
{
    drop(c, c->first);
    c->first = (c->first + 1) % c->max;
    c->count--;
}

static void drop_expired(struct sign_cache *c, uint64_t now_ms)
{
    while (c->count > 0 && now_ms - c->slots[c->first].made_ms >= SIGN_CACHE_TTL_MS)
        drop_oldest(c);
}

static uint32_t find(const struct sign_cache *c, struct bytes id)
{
    uint32_t i = c->chains[chain_of(c, id)];

    while (i != NO_SLOT && !bytes_eq_cstr(id, c->slots[i].entry->id))
        i = c->slots[i].next;
    return i;
}

enum tacit_err sign_cache_put(struct sign_cache *c, const struct sign_entry *entry, uint64_t now_ms)
{
    struct sign_entry *copy = malloc(sizeof(*copy));
    struct bytes id = bytes_of(entry->id);
    uint32_t index, chain, old;

    if (copy == NULL)
        return TACIT_NOMEM;
    *copy = *entry;
    pthread_mutex_lock(&c->lock);
    drop_expired(c, now_ms);
    old = find(c, id);
    if (old != NO_SLOT)
        drop(c, old);
    if (c->count == c->max)
        drop_oldest(c);
    index = (c->first + c->count) % c->max;
    chain = chain_of(c, id);
    c->slots[index] = (struct slot){copy, now_ms, c->chains[chain]};
    c->chains[chain] = index;
    c->count++;
    c->live++;
    pthread_mutex_unlock(&c->lock);
    return TACIT_OK;
}

enum tacit_err sign_cache_get(struct sign_cache *c, struct sign_entry *out, struct bytes id,
                              uint64_t now_ms)
{
    uint32_t index;

    pthread_mutex_lock(&c->lock);
    drop_expired(c, now_ms);
    index = find(c, id);
    if (index == NO_SLOT)
        *out = (struct sign_entry){0};
    else
        *out = *c->slots[index].entry;
    pthread_mutex_unlock(&c->lock);
    return index == NO_SLOT ? TACIT_NOT_FOUND : TACIT_OK;
}

size_t sign_cache_count(struct sign_cache *c)
{
    size_t n;

    pthread_mutex_lock(&c->lock);
    n = c->live;
    pthread_mutex_unlock(&c->lock);
    return n;
}
