/* The collateral source. Invariant: an entry's JSON has passed collateral_check under the source's
 * root and for its very platform; its window is known; outside of it, it is not given out. */
#include "net/collateral.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/collateral_check.h"
#include "attest/verdict.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "codec/hex.h"

enum { ENTRIES_MAX = 64, PATH_LEN = 1024, FAILURE_PAUSE_S = 60, REFRESH_PAUSE_S = 3600 };

struct entry {
    bool is_used, is_fetching, is_disk_read;
    struct tacit_collateral_need need;
    struct buf json; /* empty: none */
    int64_t from_unix_s, until_unix_s;
    int64_t next_try_unix_s; /* no fetch before this */
    enum tacit_err last_err; /* of the last fetch */
    char last_why[PCS_WHY_LEN];
};

struct collateral_source {
    struct pcs pcs;
    char *base_url, *root_crl_url, *proxy, *cache_dir;
    struct buf root_der;
    bool is_offline;
    int64_t (*now_unix_s)(void);
    pthread_mutex_t lock;
    pthread_cond_t settled; /* some entry's fetch has ended */
    struct entry entries[ENTRIES_MAX];
};

static bool text_copy(char **out, const char *text)
{
    *out = text == NULL ? NULL : strdup(text);
    return text == NULL || *out != NULL;
}

static enum tacit_err source_fill(struct collateral_source *s,
                                  const struct collateral_source_opts *opts)
{
    s->pcs = opts->pcs;
    s->is_offline = opts->is_offline;
    s->now_unix_s = opts->now_unix_s == NULL ? clock_unix_s : opts->now_unix_s;
    s->root_der = buf_make(LIMIT_PEM_BYTES);
    buf_put(&s->root_der, opts->root_der);
    if (s->root_der.failed || !text_copy(&s->base_url, opts->pcs.base_url) ||
        !text_copy(&s->root_crl_url, opts->pcs.root_crl_url) ||
        !text_copy(&s->proxy, opts->pcs.proxy) || !text_copy(&s->cache_dir, opts->cache_dir))
        return TACIT_NOMEM;
    s->pcs.base_url = s->base_url;
    s->pcs.root_crl_url = s->root_crl_url;
    s->pcs.proxy = s->proxy;
    return s->cache_dir == NULL ? TACIT_OK : dir_make(s->cache_dir, 0700);
}

enum tacit_err collateral_source_new(struct collateral_source **out,
                                     const struct collateral_source_opts *opts)
{
    struct collateral_source *s = calloc(1, sizeof(*s));
    enum tacit_err err;

    *out = NULL;
    if (s == NULL)
        return TACIT_NOMEM;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->settled, NULL);
    err = source_fill(s, opts);
    if (err == TACIT_OK)
        *out = s;
    else
        collateral_source_free(s);
    return err;
}

void collateral_source_free(struct collateral_source *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        buf_done(&s->entries[i].json);
    buf_done(&s->root_der);
    free(s->base_url);
    free(s->root_crl_url);
    free(s->proxy);
    free(s->cache_dir);
    pthread_cond_destroy(&s->settled);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool need_eq(const struct tacit_collateral_need *a, const struct tacit_collateral_need *b)
{
    return memcmp(a->fmspc, b->fmspc, sizeof(a->fmspc)) == 0 &&
           a->is_platform_ca == b->is_platform_ca && a->is_tdx == b->is_tdx;
}

/* The platform's entry; a new one takes a free place, or that of the entry that ends first. */
static struct entry *entry_find(struct collateral_source *s,
                                const struct tacit_collateral_need *need)
{
    struct entry *place = NULL;

    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        struct entry *e = &s->entries[i];

        if (e->is_used && need_eq(&e->need, need))
            return e;
        if (e->is_fetching)
            continue;
        if (place == NULL ||
            (place->is_used && (!e->is_used || e->until_unix_s < place->until_unix_s)))
            place = e;
    }
    if (place == NULL)
        return NULL;
    buf_done(&place->json);
    *place =
        (struct entry){.is_used = true, .need = *need, .json = buf_make(LIMIT_COLLATERAL_BYTES)};
    return place;
}

static bool entry_is_valid(const struct entry *e, int64_t now)
{
    return e->json.len > 0 && now >= e->from_unix_s && now <= e->until_unix_s;
}

/* From half of its life on, newer collateral is worth a try. */
static bool entry_is_ripe(const struct entry *e, int64_t now)
{
    return now >= e->from_unix_s + (e->until_unix_s - e->from_unix_s) / 2;
}

static void path_make(char out[static PATH_LEN], const struct collateral_source *s,
                      const struct tacit_collateral_need *need)
{
    char fmspc[13];

    hex_encode(fmspc, sizeof(fmspc), BYTES_ARRAY(need->fmspc));
    snprintf(out, PATH_LEN, "%.900s/%s-%s-%s-%s.json", s->cache_dir, need->is_tdx ? "tdx" : "sgx",
             fmspc, need->is_platform_ca ? "platform" : "processor",
             s->pcs.is_early ? "early" : "standard");
}

static enum tacit_err judge(const struct collateral_source *s, struct collateral_facts *facts,
                            struct bytes json, const struct tacit_collateral_need *need,
                            char why[static PCS_WHY_LEN])
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    const struct tacit_row *row;
    enum tacit_err err = TACIT_NOMEM;
    char fmspc[13];

    if (v != NULL)
        err = collateral_check(v, facts, json, buf_bytes(&s->root_der), need, s->now_unix_s());
    row = v == NULL ? NULL : tacit_verdict_first_refusal(v);
    if (err == TACIT_OK && row != NULL) {
        hex_encode(fmspc, sizeof(fmspc), BYTES_ARRAY(need->fmspc));
        snprintf(why, PCS_WHY_LEN, "collateral of platform %s does not verify: %.40s: %.130s",
                 fmspc, row->id, row->reason);
        err = row_cause_err(row->cause);
    }
    free(v);
    return err;
}

/* Takes over verified collateral. */
static enum tacit_err entry_take(struct entry *e, struct bytes json,
                                 const struct collateral_facts *facts)
{
    buf_reset(&e->json);
    buf_put(&e->json, json);
    e->from_unix_s = facts->from_unix_s;
    e->until_unix_s = facts->until_unix_s;
    return buf_err(&e->json);
}

/* Once per platform and process: the file may be from an earlier run. Unverifiable ones are not
 * believed, only passed over. */
static void disk_read(struct collateral_source *s, struct entry *e)
{
    struct buf file = buf_make(LIMIT_COLLATERAL_BYTES);
    struct collateral_facts facts;
    char path[PATH_LEN];
    char why[PCS_WHY_LEN];

    e->is_disk_read = true;
    if (s->cache_dir != NULL) {
        path_make(path, s, &e->need);
        if (file_read(&file, path) == TACIT_OK &&
            judge(s, &facts, buf_bytes(&file), &e->need, why) == TACIT_OK &&
            entry_take(e, buf_bytes(&file), &facts) != TACIT_OK)
            buf_reset(&e->json);
    }
    buf_done(&file);
}

/* Fetches and judges, without the lock. */
static enum tacit_err renew(struct collateral_source *s, struct buf *json,
                            struct collateral_facts *facts,
                            const struct tacit_collateral_need *need, uint64_t *wait_s,
                            char why[static PCS_WHY_LEN])
{
    enum tacit_err err = pcs_fetch(json, &s->pcs, need, wait_s, why);
    char path[PATH_LEN];

    if (err == TACIT_OK)
        err = judge(s, facts, buf_bytes(json), need, why);
    if (err == TACIT_OK && s->cache_dir != NULL) {
        path_make(path, s, need);
        /* a full disk costs a fetch next time, nothing else */
        if (file_write(path, buf_bytes(json), 0600) != TACIT_OK)
            why[0] = 0;
    }
    return err;
}

/* Called and left with the lock held; the entry cannot be taken away while it is_fetching. */
static void entry_renew(struct collateral_source *s, struct entry *e)
{
    struct buf json = buf_make(LIMIT_COLLATERAL_BYTES);
    struct tacit_collateral_need need = e->need;
    struct collateral_facts facts = {0};
    char why[PCS_WHY_LEN] = "";
    uint64_t wait_s = 0;
    enum tacit_err err;

    e->is_fetching = true;
    pthread_mutex_unlock(&s->lock);
    err = renew(s, &json, &facts, &need, &wait_s, why);
    pthread_mutex_lock(&s->lock);
    e->is_fetching = false;
    if (err == TACIT_OK)
        err = entry_take(e, buf_bytes(&json), &facts);
    e->last_err = err;
    memcpy(e->last_why, why, sizeof(why));
    if (wait_s < FAILURE_PAUSE_S)
        wait_s = FAILURE_PAUSE_S;
    e->next_try_unix_s = s->now_unix_s() + (err == TACIT_OK ? REFRESH_PAUSE_S : (int64_t)wait_s);
    pthread_cond_broadcast(&s->settled);
    buf_done(&json);
}

static enum tacit_err entry_give(const struct entry *e, struct buf *json, int64_t now,
                                 char why[static PCS_WHY_LEN])
{
    if (entry_is_valid(e, now)) {
        buf_put(json, buf_bytes(&e->json));
        return buf_err(json);
    }
    memcpy(why, e->last_why, PCS_WHY_LEN);
    return e->last_err == TACIT_OK ? TACIT_NOT_FOUND : e->last_err;
}

static bool wants_fetch(const struct collateral_source *s, const struct entry *e, int64_t now)
{
    if (s->is_offline || now < e->next_try_unix_s)
        return false;
    return !entry_is_valid(e, now) || entry_is_ripe(e, now);
}

enum tacit_err collateral_source_get(struct collateral_source *s, struct buf *json,
                                     const struct tacit_collateral_need *need,
                                     char why[static PCS_WHY_LEN])
{
    struct entry *e;
    enum tacit_err err = TACIT_LIMIT;

    snprintf(why, PCS_WHY_LEN, "no collateral of this platform is at hand");
    pthread_mutex_lock(&s->lock);
    e = entry_find(s, need);
    if (e != NULL && !e->is_disk_read)
        disk_read(s, e);
    while (e != NULL && e->is_fetching && !entry_is_valid(e, s->now_unix_s())) {
        pthread_cond_wait(&s->settled, &s->lock);
        e = entry_find(s, need);
    }
    if (e != NULL && !e->is_fetching && wants_fetch(s, e, s->now_unix_s()))
        entry_renew(s, e);
    if (e != NULL)
        err = entry_give(e, json, s->now_unix_s(), why);
    pthread_mutex_unlock(&s->lock);
    if (err == TACIT_OK)
        why[0] = 0;
    else if (why[0] == 0)
        snprintf(why, PCS_WHY_LEN, "no valid collateral of this platform is at hand");
    return err;
}

enum tacit_err collateral_loan_get(struct bytes *json, char *why,
                                   const struct tacit_collateral_need *need, void *ctx)
{
    struct collateral_loan *loan = ctx;
    char sentence[PCS_WHY_LEN];
    struct buf *b;
    enum tacit_err err;

    *json = (struct bytes){NULL, 0};
    if (loan->count == COLLATERAL_LOANS_MAX)
        return TACIT_LIMIT;
    b = &loan->json[loan->count++];
    *b = buf_make(LIMIT_COLLATERAL_BYTES);
    err = collateral_source_get(loan->source, b, need, sentence);
    memcpy(why, sentence, sizeof(sentence));
    if (err == TACIT_OK)
        *json = buf_bytes(b);
    return err;
}

void collateral_loan_done(struct collateral_loan *loan)
{
    for (size_t i = 0; i < loan->count; i++)
        buf_done(&loan->json[i]);
    loan->count = 0;
}
