/* Claims about the keep, with a source that the test plays and a clock that it turns. */
#include "cmocka_all.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/keep.h"

enum { START = 1767225600, FRESH_S = 100, LIFE_S = 1000 };

/* What the source will do, and what was asked of it. */
static struct {
    pthread_mutex_t lock;
    int64_t now;
    unsigned fetches, checks;
    unsigned delay_ms;
    enum tacit_err err;
    uint64_t retry_after_s;
    const char *text;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t world_now(void)
{
    int64_t now;

    pthread_mutex_lock(&world.lock);
    now = world.now;
    pthread_mutex_unlock(&world.lock);
    return now;
}

static unsigned fetches(void)
{
    unsigned n;

    pthread_mutex_lock(&world.lock);
    n = world.fetches;
    pthread_mutex_unlock(&world.lock);
    return n;
}

static void world_reset(void)
{
    pthread_mutex_lock(&world.lock);
    world.now = START;
    world.fetches = world.checks = world.delay_ms = 0;
    world.err = TACIT_OK;
    world.retry_after_s = 0;
    world.text = "good";
    pthread_mutex_unlock(&world.lock);
}

static void turn_clock(int64_t seconds)
{
    pthread_mutex_lock(&world.lock);
    world.now += seconds;
    pthread_mutex_unlock(&world.lock);
}

#define WORLD_SET(member, value)           \
    do {                                   \
        pthread_mutex_lock(&world.lock);   \
        world.member = (value);            \
        pthread_mutex_unlock(&world.lock); \
    } while (0)

static enum tacit_err fetch_it(struct buf *doc, uint64_t *retry_after_s, char *why,
                               struct bytes subject, uint64_t timeout_ms, void *ctx)
{
    unsigned delay_ms;
    enum tacit_err err;

    UNUSED(ctx);
    assert_true(timeout_ms > 0 && timeout_ms <= KEEP_TIMEOUT_MS);
    pthread_mutex_lock(&world.lock);
    world.fetches++;
    delay_ms = world.delay_ms;
    err = world.err;
    *retry_after_s = world.retry_after_s;
    pthread_mutex_unlock(&world.lock);
    usleep(delay_ms * 1000);
    snprintf(why, KEEP_WHY_LEN, "document %.*s did not come", BYTES_FMT(subject));
    if (err != TACIT_OK)
        return err;
    pthread_mutex_lock(&world.lock);
    buf_puts(doc, world.text);
    pthread_mutex_unlock(&world.lock);
    return TACIT_OK;
}

static enum tacit_err check_it(struct keep_span *span, char *why, struct bytes doc,
                               struct bytes subject, int64_t fetched, int64_t now, void *ctx)
{
    UNUSED(ctx);
    UNUSED(now);
    pthread_mutex_lock(&world.lock);
    world.checks++;
    pthread_mutex_unlock(&world.lock);
    snprintf(why, KEEP_WHY_LEN, "document %.*s is forged", BYTES_FMT(subject));
    *span = (struct keep_span){fetched + FRESH_S, fetched + LIFE_S};
    return bytes_starts_with(doc, BYTES_LIT("good")) ? TACIT_OK : TACIT_UNTRUSTED;
}

static const struct keep_kind kind = {
    .name = "thing", .limit = 1024, .fetch = fetch_it, .check = check_it};

static struct keep *keep_make(const char *dir, bool is_offline)
{
    struct keep_opts opts = {.dir = dir, .is_offline = is_offline, .now_unix_s = world_now};
    struct keep *k;

    assert_ok(keep_new(&k, &opts));
    return k;
}

static enum tacit_err get(struct keep *k, const char *key, const char *wanted, char *why)
{
    struct buf doc = buf_make(2048);
    struct keep_ask ask = {.kind = &kind, .key = key, .subject = bytes_of(key)};
    enum tacit_err err = keep_get(k, &doc, &ask, why);

    if (err == TACIT_OK)
        assert_true(bytes_eq_cstr(buf_bytes(&doc), wanted));
    else
        assert_int_equal(doc.len, 0);
    buf_done(&doc);
    return err;
}

static void waits_until(unsigned count)
{
    for (int i = 0; i < 500 && fetches() < count; i++)
        usleep(10000);
    usleep(30000);
    assert_int_equal(fetches(), count);
}

static void fetches_once_while_fresh(void **state)
{
    struct keep *k = keep_make(NULL, false);
    char why[KEEP_WHY_LEN];

    UNUSED(state);
    world_reset();
    assert_ok(get(k, "a", "good", why));
    turn_clock(FRESH_S);
    assert_ok(get(k, "a", "good", why));
    assert_int_equal(fetches(), 1);
    assert_ok(get(k, "b", "good", why));
    assert_int_equal(fetches(), 2);
    keep_free(k);
}

static void gives_the_stale_at_once_and_refreshes_behind_it(void **state)
{
    struct keep *k = keep_make(NULL, false);
    char why[KEEP_WHY_LEN];
    uint64_t began;

    UNUSED(state);
    world_reset();
    assert_ok(get(k, "a", "good", why));
    turn_clock(FRESH_S + 1);
    WORLD_SET(text, "good, and new");
    WORLD_SET(delay_ms, 400);
    began = clock_mono_ms();
    assert_ok(get(k, "a", "good", why));
    assert_ok(get(k, "a", "good", why));
    assert_true(clock_mono_ms() - began < 390);
    waits_until(2);
    usleep(600000);
    assert_ok(get(k, "a", "good, and new", why));
    assert_int_equal(fetches(), 2);
    keep_free(k);
}

static void gives_nothing_past_the_ceiling(void **state)
{
    struct keep *k = keep_make(NULL, false);
    char why[KEEP_WHY_LEN];

    UNUSED(state);
    world_reset();
    assert_ok(get(k, "a", "good", why));
    turn_clock(LIFE_S);
    WORLD_SET(err, TACIT_IO);
    assert_ok(get(k, "a", "good", why)); /* the last second */
    waits_until(2);
    turn_clock(1);
    assert_err(get(k, "a", "", why), TACIT_IO);
    assert_string_equal(why, "document a did not come");
    keep_free(k);
}

static void does_not_repeat_a_failure_within_a_minute(void **state)
{
    struct keep *k = keep_make(NULL, false);
    char why[KEEP_WHY_LEN];

    UNUSED(state);
    world_reset();
    WORLD_SET(err, TACIT_NOT_FOUND);
    assert_err(get(k, "a", "", why), TACIT_NOT_FOUND);
    turn_clock(KEEP_PAUSE_S - 1);
    assert_err(get(k, "a", "", why), TACIT_NOT_FOUND);
    assert_string_equal(why, "document a did not come");
    assert_int_equal(fetches(), 1);
    turn_clock(1);
    WORLD_SET(err, TACIT_OK);
    assert_ok(get(k, "a", "good", why));
    assert_string_equal(why, "");
    keep_free(k);
}

static void obeys_retry_after_up_to_a_day(void **state)
{
    struct keep *k = keep_make(NULL, false);
    char why[KEEP_WHY_LEN];

    UNUSED(state);
    world_reset();
    WORLD_SET(err, TACIT_BUSY);
    WORLD_SET(retry_after_s, 600);
    assert_err(get(k, "a", "", why), TACIT_BUSY);
    turn_clock(599);
    assert_err(get(k, "a", "", why), TACIT_BUSY);
    assert_int_equal(fetches(), 1);
    turn_clock(1);
    WORLD_SET(retry_after_s, UINT64_MAX);
    assert_err(get(k, "a", "", why), TACIT_BUSY);
    turn_clock(KEEP_RETRY_AFTER_MAX_S);
    WORLD_SET(err, TACIT_OK);
    assert_ok(get(k, "a", "good", why));
    keep_free(k);
}

static void keeps_nothing_that_does_not_verify(void **state)
{
    char dir[] = "/tmp/tacit-keep-XXXXXX";
    struct keep *k;
    char why[KEEP_WHY_LEN];
    char path[64];

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/thing-a", dir);
    k = keep_make(dir, false);
    world_reset();
    WORLD_SET(text, "bad");
    assert_err(get(k, "a", "", why), TACIT_UNTRUSTED);
    assert_string_equal(why, "document a is forged");
    assert_false(file_exists(path));
    keep_free(k);
    rmdir(dir);
}

struct flight {
    struct keep *k;
    enum tacit_err err;
};

static void *fly(void *ctx)
{
    struct flight *f = ctx;
    char why[KEEP_WHY_LEN];
    struct buf doc = buf_make(2048);
    struct keep_ask ask = {.kind = &kind, .key = "a", .subject = BYTES_LIT("a")};

    f->err = keep_get(f->k, &doc, &ask, why);
    buf_done(&doc);
    return NULL;
}

static void many_callers_make_one_fetch(void **state)
{
    struct keep *k = keep_make(NULL, false);
    struct flight flights[8];
    pthread_t threads[8];

    UNUSED(state);
    world_reset();
    WORLD_SET(delay_ms, 200);
    for (size_t i = 0; i < 8; i++) {
        flights[i] = (struct flight){k, TACIT_IO};
        assert_int_equal(pthread_create(&threads[i], NULL, fly, &flights[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_ok(flights[i].err);
    }
    assert_int_equal(fetches(), 1);
    keep_free(k);
}

static void a_waiter_gives_up_at_his_deadline(void **state)
{
    struct keep *k = keep_make(NULL, false);
    struct flight first = {k, TACIT_IO};
    struct buf doc = buf_make(2048);
    struct keep_ask ask = {.kind = &kind, .key = "a", .subject = BYTES_LIT("a")};
    char why[KEEP_WHY_LEN];
    pthread_t thread;

    UNUSED(state);
    world_reset();
    WORLD_SET(delay_ms, 800);
    assert_int_equal(pthread_create(&thread, NULL, fly, &first), 0);
    for (int i = 0; i < 500 && fetches() == 0; i++)
        usleep(2000);
    ask.deadline_mono_ms = clock_mono_ms() + 50;
    assert_err(keep_get(k, &doc, &ask, why), TACIT_TIMEOUT);
    assert_non_null(strstr(why, "thing a"));
    pthread_join(thread, NULL);
    assert_ok(first.err);
    assert_int_equal(fetches(), 1);
    buf_done(&doc);
    keep_free(k);
}

static void the_disk_is_read_again_and_verified_again(void **state)
{
    char dir[] = "/tmp/tacit-keep-XXXXXX";
    struct keep *k;
    struct buf file = buf_make(4096);
    char why[KEEP_WHY_LEN];
    char path[64], other[64];
    struct stat st;

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/thing-a", dir);
    snprintf(other, sizeof(other), "%s/thing-b", dir);
    world_reset();
    k = keep_make(dir, false);
    assert_ok(get(k, "a", "good", why));
    keep_free(k);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    k = keep_make(dir, true); /* offline, and yet */
    assert_ok(get(k, "a", "good", why));
    assert_err(get(k, "b", "", why), TACIT_NOT_FOUND);
    keep_free(k);
    assert_int_equal(fetches(), 1);

    assert_ok(file_read(&file, path)); /* another document's file under this name */
    assert_ok(file_write(other, buf_bytes(&file), 0600));
    k = keep_make(dir, true);
    assert_err(get(k, "b", "", why), TACIT_NOT_FOUND);
    keep_free(k);

    file.ptr[file.len - 4] ^= 1; /* "good" no more */
    assert_ok(file_write(path, buf_bytes(&file), 0600));
    k = keep_make(dir, true);
    assert_err(get(k, "a", "", why), TACIT_NOT_FOUND);
    keep_free(k);
    for (size_t len = 0; len < file.len; len++) { /* every prefix */
        assert_ok(file_write(path, bytes_make(file.ptr, len), 0600));
        k = keep_make(dir, true);
        assert_err(get(k, "a", "", why), TACIT_NOT_FOUND);
        keep_free(k);
    }
    buf_done(&file);
    unlink(path), unlink(other);
    rmdir(dir);
}

static void who_wants_newer_gets_it_once_a_minute(void **state)
{
    struct keep *k = keep_make(NULL, false);
    struct buf doc = buf_make(2048);
    struct keep_ask ask = {
        .kind = &kind, .key = "a", .subject = BYTES_LIT("a"), .is_newer_wanted = true};
    char why[KEEP_WHY_LEN];

    UNUSED(state);
    world_reset();
    assert_ok(get(k, "a", "good", why));
    turn_clock(KEEP_PAUSE_S);
    assert_ok(keep_get(k, &doc, &ask, why));
    assert_int_equal(fetches(), 2);
    assert_ok(keep_get(k, &doc, &ask, why));
    assert_int_equal(fetches(), 2);
    turn_clock(KEEP_PAUSE_S);
    WORLD_SET(err, TACIT_IO);
    assert_ok(keep_get(k, &doc, &ask, why)); /* what is there is still good */
    assert_int_equal(fetches(), 3);
    buf_done(&doc);
    keep_free(k);
}

static void strange_keys_never_become_file_names(void **state)
{
    static const char *const bad[] = {"", "../a", "a/b", "a b", "a\n", "\xc3\xa4"};
    struct keep *k = keep_make(NULL, false);
    char why[KEEP_WHY_LEN];
    char name[KEEP_KEY_MAX + 2] = "";

    UNUSED(state);
    world_reset();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_err(get(k, bad[i], "", why), TACIT_USAGE);
    memset(name, 'a', KEEP_KEY_MAX + 1);
    assert_err(get(k, name, "", why), TACIT_USAGE);
    assert_int_equal(fetches(), 0);
    keep_free(k);
}

static void more_documents_than_places_push_out_those_that_end_first(void **state)
{
    struct keep *k = keep_make(NULL, false);
    char why[KEEP_WHY_LEN];
    char name[16];

    UNUSED(state);
    world_reset();
    for (int i = 0; i < KEEP_ENTRIES_MAX + 1; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        assert_ok(get(k, name, "good", why));
        turn_clock(i == 0 ? 1 : 0);
    }
    assert_ok(get(k, "n1", "good", why));
    assert_int_equal(fetches(), KEEP_ENTRIES_MAX + 1);
    assert_ok(get(k, "n0", "good", why));
    assert_int_equal(fetches(), KEEP_ENTRIES_MAX + 2);
    keep_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetches_once_while_fresh),
        cmocka_unit_test(gives_the_stale_at_once_and_refreshes_behind_it),
        cmocka_unit_test(gives_nothing_past_the_ceiling),
        cmocka_unit_test(does_not_repeat_a_failure_within_a_minute),
        cmocka_unit_test(obeys_retry_after_up_to_a_day),
        cmocka_unit_test(keeps_nothing_that_does_not_verify),
        cmocka_unit_test(many_callers_make_one_fetch),
        cmocka_unit_test(a_waiter_gives_up_at_his_deadline),
        cmocka_unit_test(the_disk_is_read_again_and_verified_again),
        cmocka_unit_test(who_wants_newer_gets_it_once_a_minute),
        cmocka_unit_test(strange_keys_never_become_file_names),
        cmocka_unit_test(more_documents_than_places_push_out_those_that_end_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
