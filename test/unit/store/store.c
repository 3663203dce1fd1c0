/* Claims about the store, on real files: what it reported as written survives, keys are kept only
 * as hashes, and two processes may use it at once. */
#include "cmocka_all.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/sha2.h"
#include "store/writer.h"

struct place {
    char dir[32];
    char path[48];
};

static struct place place_make(void)
{
    struct place p = {"/tmp/tacit-store-XXXXXX", ""};

    assert_non_null(mkdtemp(p.dir));
    snprintf(p.path, sizeof(p.path), "%s/s.db", p.dir);
    return p;
}

static void place_done(const struct place *p)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[64];

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        snprintf(path, sizeof(path), "%s%s", p->path, ends[i]);
        unlink(path);
    }
    rmdir(p->dir);
}

static struct store *open_ok(const struct place *p)
{
    struct store *s;
    char why[256];

    assert_ok(store_open(&s, p->path, why));
    return s;
}

static struct store_reply reply_of(const struct store_key *key, unsigned n)
{
    struct store_reply r = {.usage = {.stop_reason = "completed", .input_tokens = 3}};

    r.usage.output_tokens = n;
    snprintf(r.usage.inference_id, sizeof(r.usage.inference_id), "inference-%u", n);
    snprintf(r.usage.organization_id, sizeof(r.usage.organization_id), "%s", key->organization_id);
    snprintf(r.usage.workspace_id, sizeof(r.usage.workspace_id), "%s", key->workspace_id);
    snprintf(r.usage.api_key_id, sizeof(r.usage.api_key_id), "%s", key->id);
    snprintf(r.usage.model, sizeof(r.usage.model), "m");
    return r;
}

static void count_keys(const struct store_key *key, void *ctx)
{
    size_t *active = ctx;

    *active += key->revoked_unix_s == 0;
}

static void keys_are_kept_as_hashes_only(void **state)
{
    struct place p = place_make();
    struct store *s = open_ok(&p);
    struct store_key key;
    char text[STORE_KEY_TEXT_LEN + 1];
    uint8_t hash[32];
    struct buf raw = buf_make(1 << 20);
    size_t active = 0;

    UNUSED(state);
    assert_ok(store_key_create(s, &key, text, "mine", 100, 0));
    assert_int_equal(strlen(text), STORE_KEY_TEXT_LEN);
    sha256(hash, bytes_of(text));
    assert_memory_equal(hash, key.sha256, 32);
    assert_err(store_key_revoke(s, "sk-nothing", 1), TACIT_NOT_FOUND);
    assert_ok(store_key_each(s, count_keys, &active));
    assert_int_equal(active, 1);
    assert_ok(store_key_revoke(s, key.prefix, 200));
    active = 0;
    assert_ok(store_key_each(s, count_keys, &active));
    assert_int_equal(active, 0);
    store_close(s);
    assert_ok(file_read(&raw, p.path));
    assert_int_equal(bytes_find(buf_bytes(&raw), bytes_of(text + STORE_KEY_PREFIX_LEN)), SIZE_MAX);
    buf_done(&raw);
    place_done(&p);
}

static void a_charge_is_recorded_once(void **state)
{
    struct place p = place_make();
    struct store *s = open_ok(&p);
    struct store_key key;
    char text[STORE_KEY_TEXT_LEN + 1];
    struct store_reply r[2];
    struct store_totals t;
    struct store_signature got;

    UNUSED(state);
    assert_ok(store_key_create(s, &key, text, "mine", 100, 0));
    r[0] = reply_of(&key, 7);
    r[0].signatures[0] =
        (struct store_signature){.chat_id = "c1", .algo = "ecdsa", .text = "a:b:c"};
    r[0].signature_count = 1;
    r[1] = r[0];
    snprintf(r[1].signatures[0].text, sizeof(r[1].signatures[0].text), "other");
    assert_ok(store_replies_put(s, r, 2));
    assert_ok(store_usage_totals(s, &t, key.id));
    assert_int_equal(t.requests, 1);
    assert_int_equal(t.output_tokens, 7);
    assert_ok(store_signature_get(s, &got, "c1", "ecdsa"));
    assert_string_equal(got.text, "a:b:c");
    assert_err(store_signature_get(s, &got, "c1", "ed25519"), TACIT_NOT_FOUND);
    store_close(s);
    place_done(&p);
}

static void a_failed_group_leaves_nothing(void **state)
{
    struct place p = place_make();
    struct store *s = open_ok(&p);
    struct store_key key;
    char text[STORE_KEY_TEXT_LEN + 1];
    struct store_reply r[2];
    struct store_totals t;

    UNUSED(state);
    assert_ok(store_key_create(s, &key, text, "mine", 100, 0));
    r[0] = reply_of(&key, 1);
    r[1] = reply_of(&key, 2);
    snprintf(r[1].usage.api_key_id, sizeof(r[1].usage.api_key_id), "no such key");
    assert_int_not_equal(store_replies_put(s, r, 2), TACIT_OK);
    assert_ok(store_usage_totals(s, &t, NULL));
    assert_int_equal(t.requests, 0);
    store_close(s);
    place_done(&p);
}

static void note_done(void *ctx, enum tacit_err err)
{
    int fd = *(int *)ctx;
    char c = err == TACIT_OK ? 'k' : 'x';

    assert_int_equal(write(fd, &c, 1), 1);
}

/* A child writes as fast as it can and tells each durable record through a pipe; it is killed in
 * the middle. Every record it told must be there. */
static void what_was_reported_durable_survives_kill(void **state)
{
    struct place p = place_make();
    struct store *s = open_ok(&p);
    struct store_key key;
    char text[STORE_KEY_TEXT_LEN + 1];
    int fds[2];
    char told[64];
    size_t count = 0;
    pid_t child;
    struct store_totals t;

    UNUSED(state);
    assert_ok(store_key_create(s, &key, text, "mine", 100, 0));
    store_close(s);
    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct writer *w = writer_new(open_ok(&p));

        for (unsigned i = 0; i < 1000000; i++) {
            struct store_reply r = reply_of(&key, i);

            while (writer_submit(w, &r, note_done, &fds[1]) == TACIT_BUSY)
                usleep(1000);
        }
        _exit(0);
    }
    close(fds[1]);
    while (count < 200) {
        ssize_t n = read(fds[0], told, sizeof(told));

        assert_true(n > 0);
        count += (size_t)n;
    }
    kill(child, SIGKILL);
    for (ssize_t n; (n = read(fds[0], told, sizeof(told))) > 0;)
        count += (size_t)n;
    waitpid(child, NULL, 0);
    close(fds[0]);
    s = open_ok(&p);
    assert_ok(store_usage_totals(s, &t, NULL));
    assert_true(t.requests >= count);
    store_close(s);
    place_done(&p);
}

static void two_connections_see_each_other(void **state)
{
    struct place p = place_make();
    struct store *a = open_ok(&p);
    struct store *b = open_ok(&p);
    struct store_key key;
    char text[STORE_KEY_TEXT_LEN + 1];
    uint64_t before;
    uint64_t after;
    size_t active = 0;
    bool is_trusted = false;
    struct buf verdict = buf_make(100);

    UNUSED(state);
    assert_ok(store_generation(a, &before));
    assert_ok(store_key_create(b, &key, text, "mine", 100, 0));
    assert_ok(store_generation(a, &after));
    assert_true(before != after);
    assert_ok(store_key_each(a, count_keys, &active));
    assert_int_equal(active, 1);
    assert_err(store_attestation_last(a, "n1", &is_trusted, &verdict), TACIT_NOT_FOUND);
    assert_ok(store_attestation_put(b, "n1", 5, true, BYTES_LIT("{}"), BYTES_LIT("[1]")));
    assert_ok(store_attestation_last(a, "n1", &is_trusted, &verdict));
    assert_true(is_trusted);
    assert_true(bytes_eq_cstr(buf_bytes(&verdict), "[1]"));
    assert_ok(store_prune(a, 6, 0));
    assert_err(store_attestation_last(b, "n1", &is_trusted, &verdict), TACIT_NOT_FOUND);
    buf_done(&verdict);
    store_close(a);
    store_close(b);
    place_done(&p);
}

static void refuses_what_is_not_a_store(void **state)
{
    struct place p = place_make();
    struct store *s;
    char why[256];

    UNUSED(state);
    assert_ok(file_write(p.path, BYTES_LIT("this is not a database, it is a long enough text file"),
                         0600));
    assert_int_not_equal(store_open(&s, p.path, why), TACIT_OK);
    assert_null(s);
    assert_non_null(strstr(why, "s.db"));
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_kept_as_hashes_only),
        cmocka_unit_test(a_charge_is_recorded_once),
        cmocka_unit_test(a_failed_group_leaves_nothing),
        cmocka_unit_test(what_was_reported_durable_survives_kill),
        cmocka_unit_test(two_connections_see_each_other),
        cmocka_unit_test(refuses_what_is_not_a_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
