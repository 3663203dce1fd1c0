/* The key snapshot: sorted by SHA-256, found by binary search over hashes, so that timing tells
 * nothing about key texts. */
#include "gateway/keys.h"

#include <pthread.h>
#include <stdlib.h>

#include "crypto/sha2.h"

struct snapshot {
    size_t refs; /* under keys.lock */
    size_t count, cap;
    bool failed;
    struct store_key *list;
};

struct keys {
    struct store *store;
    pthread_mutex_t lock;    /* guards `current` and reference counts */
    pthread_mutex_t refresh; /* one refresh at a time */
    struct snapshot *current;
    uint64_t generation;
};

static void snapshot_free(struct snapshot *s)
{
    if (s == NULL)
        return;
    free(s->list);
    free(s);
}

static void snapshot_add(const struct store_key *key, void *ctx)
{
    struct snapshot *s = ctx;

    if (s->count == s->cap) {
        size_t cap = s->cap == 0 ? 16 : s->cap * 2;
        struct store_key *list = realloc(s->list, cap * sizeof(*list));

        if (list == NULL) {
            s->failed = true;
            return;
        }
        s->list = list;
        s->cap = cap;
    }
    s->list[s->count++] = *key;
}

static int key_order(const void *a, const void *b)
{
    const struct store_key *x = a;
    const struct store_key *y = b;

    return memcmp(x->sha256, y->sha256, sizeof(x->sha256)); /* hashes, not secrets */
}

static struct snapshot *snapshot_read(struct store *store)
{
    struct snapshot *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    if (store_key_each(store, snapshot_add, s) != TACIT_OK || s->failed) {
        snapshot_free(s);
        return NULL;
    }
    if (s->count > 0)
        qsort(s->list, s->count, sizeof(*s->list), key_order);
    s->refs = 1;
    return s;
}

static struct snapshot *snapshot_take(struct keys *k)
{
    struct snapshot *s;

    pthread_mutex_lock(&k->lock);
    s = k->current;
    s->refs++;
    pthread_mutex_unlock(&k->lock);
    return s;
}

static void snapshot_release(struct keys *k, struct snapshot *s)
{
    bool is_last;

    pthread_mutex_lock(&k->lock);
    is_last = --s->refs == 0;
    pthread_mutex_unlock(&k->lock);
    if (is_last)
        snapshot_free(s);
}

static enum tacit_err refresh_locked(struct keys *k)
{
    struct snapshot *fresh;
    struct snapshot *old;
    uint64_t generation;
    enum tacit_err err = store_generation(k->store, &generation);

    if (err != TACIT_OK || (k->current != NULL && generation == k->generation))
        return err;
    fresh = snapshot_read(k->store);
    if (fresh == NULL)
        return TACIT_IO;
    pthread_mutex_lock(&k->lock);
    old = k->current;
    k->current = fresh;
    pthread_mutex_unlock(&k->lock);
    k->generation = generation;
    if (old != NULL)
        snapshot_release(k, old);
    return TACIT_OK;
}

enum tacit_err keys_refresh(struct keys *k)
{
    enum tacit_err err;

    pthread_mutex_lock(&k->refresh);
    err = refresh_locked(k);
    pthread_mutex_unlock(&k->refresh);
    return err;
}

struct keys *keys_new(struct store *store)
{
    struct keys *k = calloc(1, sizeof(*k));

    if (k == NULL)
        return NULL;
    k->store = store;
    pthread_mutex_init(&k->lock, NULL);
    pthread_mutex_init(&k->refresh, NULL);
    if (keys_refresh(k) == TACIT_OK)
        return k;
    keys_free(k);
    return NULL;
}

void keys_free(struct keys *k)
{
    if (k == NULL)
        return;
    snapshot_free(k->current);
    pthread_mutex_destroy(&k->lock);
    pthread_mutex_destroy(&k->refresh);
    free(k);
}

static bool key_is_usable(const struct store_key *key, int64_t now_unix_s)
{
    return key->revoked_unix_s == 0 &&
           (key->expires_unix_s == 0 || now_unix_s < key->expires_unix_s);
}

enum key_verdict keys_check(struct keys *k, struct store_key *out, struct bytes authorization,
                            int64_t now_unix_s)
{
    struct store_key wanted = {0};
    struct snapshot *s;
    const struct store_key *hit = NULL;
    struct bytes text;

    *out = (struct store_key){0};
    if (authorization.ptr == NULL)
        return KEY_MISSING;
    if (!bytes_eq_nocase(bytes_slice(authorization, 0, 7), BYTES_LIT("Bearer ")))
        return KEY_MALFORMED;
    text = bytes_trim(bytes_slice(authorization, 7, SIZE_MAX));
    if (text.len != STORE_KEY_TEXT_LEN)
        return KEY_INVALID;
    sha256(wanted.sha256, text);
    s = snapshot_take(k);
    if (s->count > 0)
        hit = bsearch(&wanted, s->list, s->count, sizeof(*s->list), key_order);
    if (hit != NULL && key_is_usable(hit, now_unix_s))
        *out = *hit;
    else
        hit = NULL;
    snapshot_release(k, s);
    return hit != NULL ? KEY_FINE : KEY_INVALID;
}
