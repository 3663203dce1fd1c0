/* The store when memory runs out or SQL fails: what was reported as done is there afterwards, what
 * was not is not, and nothing leaks. */
#include "fault.h"

#include <sqlite3.h>
#include <unistd.h>

#include "store/writer.h"

int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
                        void *ctx, char **why);
int __real_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int len, sqlite3_stmt **out,
                              const char **tail);
int __real_sqlite3_step(sqlite3_stmt *stmt);
int __real_sqlite3_bind_text(sqlite3_stmt *stmt, int index, const char *text, int len,
                             void (*done)(void *));
const unsigned char *__real_sqlite3_column_text(sqlite3_stmt *stmt, int index);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
                        void *ctx, char **why);
int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int len, sqlite3_stmt **out,
                              const char **tail);
int __wrap_sqlite3_step(sqlite3_stmt *stmt);
int __wrap_sqlite3_bind_text(sqlite3_stmt *stmt, int index, const char *text, int len,
                             void (*done)(void *));
const unsigned char *__wrap_sqlite3_column_text(sqlite3_stmt *stmt, int index);

static atomic_uint unconfirmed; /* commits that failed by themselves, not by a fault of ours */

int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
                        void *ctx, char **why)
{
    int rc;

    if (fault_now())
        return SQLITE_FULL;
    rc = __real_sqlite3_exec(db, sql, each, ctx, why);
    if (rc != SQLITE_OK && strcmp(sql, "COMMIT") == 0)
        atomic_fetch_add(&unconfirmed, 1);
    return rc;
}

int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int len, sqlite3_stmt **out,
                              const char **tail)
{
    return fault_now() ? SQLITE_NOMEM : __real_sqlite3_prepare_v2(db, sql, len, out, tail);
}

int __wrap_sqlite3_step(sqlite3_stmt *stmt)
{
    return fault_now() ? SQLITE_IOERR : __real_sqlite3_step(stmt);
}

/* As the real one: a value that cannot be bound is NULL. */
int __wrap_sqlite3_bind_text(sqlite3_stmt *stmt, int index, const char *text, int len,
                             void (*done)(void *))
{
    if (!fault_now())
        return __real_sqlite3_bind_text(stmt, index, text, len, done);
    sqlite3_bind_null(stmt, index);
    return SQLITE_NOMEM;
}

const unsigned char *__wrap_sqlite3_column_text(sqlite3_stmt *stmt, int index)
{
    return fault_now() ? NULL : __real_sqlite3_column_text(stmt, index);
}

enum { REPLIES = 3 };

struct bench {
    char dir[32], path[48];
    struct store_key key;
    bool is_made, is_revoked;
    bool is_attested;
    atomic_uint told, written; /* of the replies submitted: done() called, with TACIT_OK */
};

static void reply_told(void *ctx, enum tacit_err err)
{
    struct bench *b = ctx;

    atomic_fetch_add(&b->told, 1);
    atomic_fetch_add(&b->written, err == TACIT_OK);
}

static bool replies_write(struct bench *b, struct store *s)
{
    struct writer *w = writer_new(s);
    unsigned taken = 0;

    for (unsigned i = 0; w != NULL && i < REPLIES; i++) {
        struct store_reply r = {.usage = {.stop_reason = "completed", .output_tokens = 7},
                                .signature_count = 1};

        snprintf(r.usage.inference_id, sizeof(r.usage.inference_id), "inference-%u", i);
        snprintf(r.usage.organization_id, sizeof(r.usage.organization_id), "o");
        snprintf(r.usage.api_key_id, sizeof(r.usage.api_key_id), "%s", b->key.id);
        r.signatures[0] = (struct store_signature){.algo = "ecdsa", .text = "a:b:c"};
        snprintf(r.signatures[0].chat_id, sizeof(r.signatures[0].chat_id), "chat-%u", i);
        taken += writer_submit(w, &r, reply_told, b) == TACIT_OK;
    }
    writer_free(w);
    assert_int_equal(atomic_load(&b->told), taken);
    return atomic_load(&b->written) == REPLIES;
}

static void count_key(const struct store_key *key, void *ctx)
{
    assert_true(key->id[0] != 0 && key->workspace_id[0] != 0 && key->prefix[0] != 0);
    ++*(unsigned *)ctx;
}

static bool reads_are_right(struct bench *b, struct store *s)
{
    struct store_signature sig;
    struct store_totals totals;
    bool is_trusted, is_well;
    struct buf verdict = buf_make(64);
    unsigned keys = 0;
    enum tacit_err err = store_signature_get(s, &sig, "chat-0", "ecdsa");

    if (err == TACIT_OK)
        assert_string_equal(sig.text, "a:b:c");
    is_well = err == TACIT_OK;
    err = store_usage_totals(s, &totals, "of somebody else");
    assert_int_equal(totals.requests, 0);
    is_well &= err == TACIT_OK;
    err = store_usage_totals(s, &totals, b->key.id);
    if (err == TACIT_OK)
        assert_int_equal(totals.requests, atomic_load(&b->written));
    is_well &= err == TACIT_OK;
    err = store_key_each(s, count_key, &keys);
    if (err == TACIT_OK)
        assert_int_equal(keys, b->is_made);
    is_well &= err == TACIT_OK;
    err = store_attestation_last(s, "n", &is_trusted, &verdict);
    if (err == TACIT_OK)
        assert_true(is_trusted && bytes_eq_cstr(buf_bytes(&verdict), "{}"));
    else
        assert_false(is_trusted);
    buf_done(&verdict);
    return is_well && err == TACIT_OK;
}

static bool use_once(void *ctx)
{
    struct bench *b = ctx;
    struct store *s = NULL;
    char text[STORE_KEY_TEXT_LEN + 1], why[256];
    bool is_well = store_open(&s, b->path, why) == TACIT_OK;

    if (!is_well) {
        assert_true(s == NULL && why[0] != 0);
        return false;
    }
    b->is_made = store_key_create(s, &b->key, text, "k", 100, 0) == TACIT_OK;
    if (b->is_made)
        is_well = replies_write(b, s);
    b->is_attested =
        store_attestation_put(s, "n", 5, true, BYTES_LIT("r"), BYTES_LIT("{}")) == TACIT_OK;
    is_well = is_well && b->is_made && b->is_attested;
    is_well = reads_are_right(b, s) && is_well;
    if (b->is_made)
        b->is_revoked = store_key_revoke(s, b->key.id, 200) == TACIT_OK;
    is_well = store_prune(s, 1, 1) == TACIT_OK && is_well && b->is_revoked;
    store_close(s);
    return is_well;
}

static void check_key(const struct store_key *key, void *ctx)
{
    struct bench *b = ctx;

    if (b->is_revoked)
        assert_int_equal(key->revoked_unix_s, 200);
}

/* Without faults: what the round before reported is what is there. Then all begins anew. */
static void check_and_clear(void *ctx)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct bench *b = ctx;
    struct store *s;
    struct store_totals totals;
    char path[64], why[256];
    unsigned keys = 0;

    assert_ok(store_open(&s, b->path, why));
    assert_ok(store_key_each(s, count_key, &keys));
    assert_int_equal(keys, b->is_made);
    assert_ok(store_key_each(s, check_key, b));
    assert_ok(store_usage_totals(s, &totals, NULL));
    /* Only a commit that the disk itself failed to confirm may be found in the log after all. */
    assert_true(totals.requests >= atomic_load(&b->written));
    assert_true(totals.requests <= atomic_load(&b->told));
    if (atomic_load(&unconfirmed) == 0)
        assert_int_equal(totals.requests, atomic_load(&b->written));
    atomic_store(&unconfirmed, 0);
    store_close(s);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        snprintf(path, sizeof(path), "%s%s", b->path, ends[i]);
        unlink(path);
    }
    b->is_made = b->is_revoked = b->is_attested = false;
    atomic_store(&b->told, 0);
    atomic_store(&b->written, 0);
}

static void what_was_reported_is_what_is_there(void **state)
{
    struct bench b = {"/tmp/tacit-faults-XXXXXX", .is_made = false};

    UNUSED(state);
    assert_non_null(mkdtemp(b.dir));
    snprintf(b.path, sizeof(b.path), "%s/s.db", b.dir);
    faults_run(use_once, check_and_clear, &b);
    check_and_clear(&b);
    rmdir(b.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_reported_is_what_is_there)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
