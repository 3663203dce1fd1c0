/* The keep. Invariant: a document in an entry has passed its kind's check for the entry's subject;
 * its span is known; past its end it is not given out. */
#include "net/keep.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"

enum {
    DIR_LEN = 800,
    PATH_LEN = 1024,
    HEAD_LEN = 256,
    CLOCK_SLACK_S = 300,
    FAIR_TIMEOUT_MS = 2000, /* what fails in less time than this says nothing about the server */
};

struct entry {
    bool is_used, is_fetching, is_due, is_disk_read;
    const struct keep_kind *kind;
    char key[KEEP_KEY_MAX + 1];
    struct buf subject;
    struct buf doc; /* empty: none */
    struct keep_span span;
    int64_t fetched_unix_s;
    int64_t next_try_unix_s; /* no fetch before this */
    enum tacit_err last_err; /* of the last fetch */
    char last_why[KEEP_WHY_LEN];
};

struct keep {
    char *dir;
    bool is_offline, is_ending, has_refresher;
    int64_t (*now_unix_s)(void);
    pthread_t refresher;
    pthread_mutex_t lock;
    pthread_cond_t settled; /* some entry's fetch has ended */
    pthread_cond_t work;    /* for the refresher: an entry is due, or the end has come */
    struct entry entries[KEEP_ENTRIES_MAX];
};

static void keep_init(struct keep *k)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->settled, &attr);
    pthread_cond_init(&k->work, NULL);
    pthread_condattr_destroy(&attr);
}

enum tacit_err keep_new(struct keep **out, const struct keep_opts *opts)
{
    struct keep *k = calloc(1, sizeof(*k));
    enum tacit_err err = TACIT_OK;

    *out = NULL;
    if (k == NULL)
        return TACIT_NOMEM;
    keep_init(k);
    k->is_offline = opts->is_offline;
    k->now_unix_s = opts->now_unix_s == NULL ? clock_unix_s : opts->now_unix_s;
    if (opts->dir != NULL && strlen(opts->dir) > DIR_LEN) {
        err = TACIT_LIMIT;
    } else if (opts->dir != NULL) {
        k->dir = strdup(opts->dir);
        err = k->dir == NULL ? TACIT_NOMEM : dir_make(k->dir, 0700);
    }
    if (err == TACIT_OK)
        *out = k;
    else
        keep_free(k);
    return err;
}

static void entry_done(struct entry *e)
{
    buf_done(&e->subject);
    buf_done(&e->doc);
    *e = (struct entry){0};
}

void keep_free(struct keep *k)
{
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->lock);
    k->is_ending = true;
    pthread_cond_broadcast(&k->work);
    pthread_mutex_unlock(&k->lock);
    if (k->has_refresher)
        pthread_join(k->refresher, NULL);
    for (size_t i = 0; i < KEEP_ENTRIES_MAX; i++)
        entry_done(&k->entries[i]);
    free(k->dir);
    pthread_cond_destroy(&k->settled);
    pthread_cond_destroy(&k->work);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

/* --- entries, with the lock held ---------------------------------------------------------------
 */

static bool key_is_fine(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++) {
        char c = key[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '.' || c == '_'))
            return false;
    }
    return len > 0 && len <= KEEP_KEY_MAX;
}

/* Whether a goes before b when room is needed. */
static bool is_lesser(const struct entry *a, const struct entry *b)
{
    if (a->is_used != b->is_used)
        return !a->is_used;
    return a->span.until_unix_s < b->span.until_unix_s;
}

static enum tacit_err entry_begin(struct entry *e, const struct keep_ask *ask)
{
    entry_done(e);
    e->is_used = true;
    e->kind = ask->kind;
    snprintf(e->key, sizeof(e->key), "%s", ask->key);
    e->subject = buf_make(ask->subject.len + 1);
    buf_put(&e->subject, ask->subject);
    e->doc = buf_make(ask->kind->limit);
    if (buf_err(&e->subject) == TACIT_OK)
        return TACIT_OK;
    entry_done(e);
    return TACIT_NOMEM;
}

/* The document's entry; a new one takes a free place, or that of the entry that ends first. */
static enum tacit_err entry_find(struct entry **out, struct keep *k, const struct keep_ask *ask)
{
    struct entry *place = NULL;

    *out = NULL;
    for (size_t i = 0; i < KEEP_ENTRIES_MAX; i++) {
        struct entry *e = &k->entries[i];

        if (e->is_used && e->kind == ask->kind && strcmp(e->key, ask->key) == 0 &&
            bytes_eq(buf_bytes(&e->subject), ask->subject)) {
            *out = e;
            return TACIT_OK;
        }
        if (!e->is_fetching && (place == NULL || is_lesser(e, place)))
            place = e;
    }
    if (place == NULL)
        return TACIT_LIMIT;
    if (entry_begin(place, ask) != TACIT_OK)
        return TACIT_NOMEM;
    *out = place;
    return TACIT_OK;
}

static bool entry_is_good(const struct entry *e, int64_t now)
{
    return e->doc.len > 0 && now <= e->span.until_unix_s &&
           now >= e->fetched_unix_s - CLOCK_SLACK_S;
}

static enum tacit_err entry_take(struct entry *e, struct bytes doc, const struct keep_span *span,
                                 int64_t fetched_unix_s)
{
    buf_reset(&e->doc);
    buf_put(&e->doc, doc);
    e->span = *span;
    e->fetched_unix_s = fetched_unix_s;
    if (buf_err(&e->doc) == TACIT_OK)
        return TACIT_OK;
    buf_reset(&e->doc);
    return TACIT_NOMEM;
}

/* --- disk: one line that says what it is and when it came, then the document --------------------
 */

static void path_make(char out[static PATH_LEN], const struct keep *k, const struct entry *e)
{
    snprintf(out, PATH_LEN, "%s/%.16s-%s", k->dir, e->kind->name, e->key);
}

static void head_put(struct buf *out, const struct entry *e, int64_t fetched_unix_s)
{
    buf_putf(out, "tacit-keep 1 %lld %s %s\n", (long long)fetched_unix_s, e->kind->name, e->key);
}

/* The document behind its head, if the head is the one we would have written. */
static bool file_split(struct bytes *doc, int64_t *fetched_unix_s, struct bytes file,
                       const struct entry *e)
{
    static const char begin[] = "tacit-keep 1 ";
    uint8_t mem[HEAD_LEN];
    struct buf head = buf_over(mem, sizeof(mem));
    struct bytes rest, number;
    uint64_t fetched;

    if (!bytes_starts_with(file, bytes_of(begin)))
        return false;
    rest = bytes_slice(file, sizeof(begin) - 1, SIZE_MAX);
    number = bytes_slice(rest, 0, bytes_find_byte(rest, ' '));
    if (!bytes_to_u64(&fetched, number, INT64_MAX / 2))
        return false;
    *fetched_unix_s = (int64_t)fetched;
    head_put(&head, e, *fetched_unix_s);
    if (buf_err(&head) != TACIT_OK || !bytes_starts_with(file, buf_bytes(&head)))
        return false;
    *doc = bytes_slice(file, head.len, SIZE_MAX);
    return true;
}

/* Once per entry: the file may be from an earlier run. What does not verify is passed over. */
static void disk_read(const struct keep *k, struct entry *e)
{
    struct buf file = buf_make(e->kind->limit + HEAD_LEN);
    char path[PATH_LEN], why[KEEP_WHY_LEN];
    int64_t now = k->now_unix_s();
    int64_t fetched = 0;
    struct keep_span span = {0};
    struct bytes doc;

    e->is_disk_read = true;
    if (k->dir != NULL) {
        path_make(path, k, e);
        if (file_read(&file, path) == TACIT_OK && file_split(&doc, &fetched, buf_bytes(&file), e) &&
            fetched <= now + CLOCK_SLACK_S &&
            e->kind->check(&span, why, doc, buf_bytes(&e->subject), fetched, now, e->kind->ctx) ==
                TACIT_OK &&
            entry_take(e, doc, &span, fetched) != TACIT_OK)
            e->span = (struct keep_span){0};
    }
    buf_done(&file);
}

/* A full disk costs a fetch next time, nothing else. */
static void disk_write(const struct keep *k, const struct entry *e, struct bytes doc,
                       int64_t fetched_unix_s)
{
    struct buf file = buf_make(doc.len + HEAD_LEN);
    char path[PATH_LEN];

    if (k->dir != NULL) {
        path_make(path, k, e);
        head_put(&file, e, fetched_unix_s);
        buf_put(&file, doc);
        if (buf_err(&file) == TACIT_OK && file_write(path, buf_bytes(&file), 0600) != TACIT_OK)
            buf_reset(&file);
    }
    buf_done(&file);
}

/* --- fetching ----------------------------------------------------------------------------------
 */

static uint64_t time_left_ms(uint64_t deadline_mono_ms)
{
    uint64_t now = clock_mono_ms();

    if (deadline_mono_ms == 0)
        return KEEP_TIMEOUT_MS;
    if (now >= deadline_mono_ms)
        return 0;
    return deadline_mono_ms - now < KEEP_TIMEOUT_MS ? deadline_mono_ms - now : KEEP_TIMEOUT_MS;
}

static void entry_settle(struct keep *k, struct entry *e, enum tacit_err err, uint64_t wait_s,
                         const char *why)
{
    if (wait_s > KEEP_RETRY_AFTER_MAX_S)
        wait_s = KEEP_RETRY_AFTER_MAX_S;
    e->is_fetching = false;
    e->is_due = false;
    e->last_err = err;
    snprintf(e->last_why, sizeof(e->last_why), "%s", why);
    e->next_try_unix_s = k->now_unix_s() + (int64_t)wait_s;
    pthread_cond_broadcast(&k->settled);
}

/* Called and left with the lock held; an entry that is_fetching is neither reused nor its kind, key
 * and subject changed. */
static void entry_renew(struct keep *k, struct entry *e, uint64_t timeout_ms)
{
    const struct keep_kind *kind = e->kind;
    struct buf doc = buf_make(kind->limit);
    struct bytes subject = buf_bytes(&e->subject);
    struct keep_span span = {0};
    char why[KEEP_WHY_LEN] = "";
    uint64_t wait_s = 0;
    int64_t now;
    enum tacit_err err;

    e->is_fetching = true;
    pthread_mutex_unlock(&k->lock);
    err = kind->fetch(&doc, &wait_s, why, subject, timeout_ms, kind->ctx);
    now = k->now_unix_s();
    if (err == TACIT_OK && doc.len == 0) {
        err = TACIT_FORMAT;
        snprintf(why, sizeof(why), "%s %.128s: the answer is empty", kind->name, e->key);
    }
    if (err == TACIT_OK)
        err = kind->check(&span, why, buf_bytes(&doc), subject, now, now, kind->ctx);
    if (err == TACIT_OK)
        disk_write(k, e, buf_bytes(&doc), now);
    pthread_mutex_lock(&k->lock);
    if (err == TACIT_OK)
        err = entry_take(e, buf_bytes(&doc), &span, now);
    if (wait_s < KEEP_PAUSE_S && (err != TACIT_TIMEOUT || timeout_ms >= FAIR_TIMEOUT_MS))
        wait_s = KEEP_PAUSE_S;
    entry_settle(k, e, err, wait_s, why);
    buf_done(&doc);
}

static struct entry *entry_due(struct keep *k)
{
    for (size_t i = 0; i < KEEP_ENTRIES_MAX; i++)
        if (k->entries[i].is_due && !k->entries[i].is_fetching)
            return &k->entries[i];
    return NULL;
}

static void *refresher_run(void *arg)
{
    struct keep *k = arg;

    pthread_mutex_lock(&k->lock);
    while (!k->is_ending) {
        struct entry *e = entry_due(k);

        if (e != NULL)
            entry_renew(k, e, KEEP_TIMEOUT_MS);
        else
            pthread_cond_wait(&k->work, &k->lock);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

/* Has it refreshed behind the caller's back; without a thread there is always the next call. */
static void refresh_later(struct keep *k, struct entry *e)
{
    if (!k->has_refresher)
        k->has_refresher = pthread_create(&k->refresher, NULL, refresher_run, k) == 0;
    e->is_due = k->has_refresher;
    pthread_cond_signal(&k->work);
}

static bool may_fetch(const struct keep *k, const struct entry *e, int64_t now)
{
    return !k->is_offline && now >= e->next_try_unix_s;
}

static enum tacit_err entry_give(struct keep *k, struct entry *e, struct buf *doc, int64_t now)
{
    if (now > e->span.fresh_unix_s && !e->is_fetching && !e->is_due && may_fetch(k, e, now))
        refresh_later(k, e);
    buf_put(doc, buf_bytes(&e->doc));
    return buf_err(doc);
}

static enum tacit_err entry_refuse(const struct entry *e, char why[static KEEP_WHY_LEN])
{
    if (e->last_err == TACIT_OK) {
        snprintf(why, KEEP_WHY_LEN, "%s %s: none is at hand that still holds", e->kind->name,
                 e->key);
        return TACIT_NOT_FOUND;
    }
    snprintf(why, KEEP_WHY_LEN, "%s", e->last_why);
    return e->last_err;
}

/* False once the deadline has passed. */
static bool settled_wait(struct keep *k, uint64_t deadline_mono_ms)
{
    struct timespec due = {.tv_sec = (time_t)(deadline_mono_ms / 1000),
                           .tv_nsec = (long)(deadline_mono_ms % 1000) * 1000000};

    if (deadline_mono_ms == 0)
        return pthread_cond_wait(&k->settled, &k->lock) == 0;
    return pthread_cond_timedwait(&k->settled, &k->lock, &due) != ETIMEDOUT;
}

/* Lock held. */
static enum tacit_err get(struct keep *k, struct buf *doc, const struct keep_ask *ask,
                          char why[static KEEP_WHY_LEN])
{
    bool wants_newer = ask->is_newer_wanted;
    bool is_in_time = true;

    for (;;) {
        int64_t now = k->now_unix_s();
        struct entry *e;
        enum tacit_err err = entry_find(&e, k, ask);

        if (err != TACIT_OK) {
            snprintf(why, KEEP_WHY_LEN, "%s %s: %s", ask->kind->name, ask->key,
                     tacit_err_text(err));
            return err;
        }
        if (!e->is_disk_read)
            disk_read(k, e);
        if (entry_is_good(e, now) && (!wants_newer || (!e->is_fetching && !may_fetch(k, e, now))))
            return entry_give(k, e, doc, now);
        if (!e->is_fetching && !may_fetch(k, e, now))
            return entry_refuse(e, why);
        if (!is_in_time || time_left_ms(ask->deadline_mono_ms) == 0) {
            snprintf(why, KEEP_WHY_LEN, "%s %s: the deadline passed before it came",
                     ask->kind->name, ask->key);
            return TACIT_TIMEOUT;
        }
        wants_newer = wants_newer && e->is_fetching;
        if (e->is_fetching)
            is_in_time = settled_wait(k, ask->deadline_mono_ms);
        else
            entry_renew(k, e, time_left_ms(ask->deadline_mono_ms));
    }
}

enum tacit_err keep_get(struct keep *k, struct buf *doc, const struct keep_ask *ask,
                        char why[static KEEP_WHY_LEN])
{
    enum tacit_err err;

    why[0] = 0;
    if (!key_is_fine(ask->key)) {
        snprintf(why, KEEP_WHY_LEN, "%s: its name has characters that none has", ask->kind->name);
        return TACIT_USAGE;
    }
    pthread_mutex_lock(&k->lock);
    err = get(k, doc, ask, why);
    pthread_mutex_unlock(&k->lock);
    return err;
}
