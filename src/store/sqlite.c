/* The store on SQLite: WAL, one connection behind one lock, every statement prepared when used.
 * Invariant: what a call reported as written survives a crash (synchronous=FULL). */
#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/random.h"
#include "crypto/sha2.h"
#include "crypto/uuid.h"

enum { STORE_SCHEMA_VERSION = 1, STORE_BUSY_MS = 5000 };

/* One entry per schema version; a database is brought up one step at a time, each in a transaction.
 */
static const char *const migrations[STORE_SCHEMA_VERSION] = {
    "CREATE TABLE organizations (id TEXT PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE workspaces (id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES "
    "organizations(id), name TEXT NOT NULL);"
    "CREATE TABLE api_keys (id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES "
    "workspaces(id), name TEXT NOT NULL, prefix TEXT NOT NULL, sha256 BLOB NOT NULL UNIQUE, "
    "created_unix_s INTEGER NOT NULL, expires_unix_s INTEGER NOT NULL, revoked_unix_s INTEGER NOT "
    "NULL DEFAULT 0);"
    "CREATE TABLE usage (seq INTEGER PRIMARY KEY, inference_id TEXT NOT NULL, organization_id TEXT "
    "NOT NULL, workspace_id TEXT NOT NULL, api_key_id TEXT NOT NULL REFERENCES api_keys(id), model "
    "TEXT NOT NULL, node TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT "
    "NULL, cached_tokens INTEGER NOT NULL, stop_reason TEXT NOT NULL, is_stream INTEGER NOT NULL, "
    "started_unix_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, total_ms INTEGER NOT NULL, "
    "UNIQUE (organization_id, inference_id));"
    "CREATE INDEX usage_by_key ON usage(api_key_id, started_unix_ms);"
    "CREATE TABLE signatures (chat_id TEXT NOT NULL, algo TEXT NOT NULL, text TEXT NOT NULL, "
    "signature TEXT NOT NULL, signing_address TEXT NOT NULL, kind TEXT NOT NULL, created_unix_s "
    "INTEGER NOT NULL, PRIMARY KEY (chat_id, algo)) WITHOUT ROWID;"
    "CREATE TABLE attestations (seq INTEGER PRIMARY KEY, node TEXT NOT NULL, created_unix_s "
    "INTEGER "
    "NOT NULL, is_trusted INTEGER NOT NULL, report BLOB NOT NULL, verdict TEXT NOT NULL);"
    "CREATE INDEX attestations_by_node ON attestations(node, seq);",
};

struct store {
    sqlite3 *db;
    pthread_mutex_t lock;
    bool failed;   /* of the statement prepared last: a value could not be bound or read */
    bool is_stuck; /* a transaction could not be rolled back: nothing is asked inside it */
};

/* --- small helpers ------------------------------------------------------------------------------
 */

static enum tacit_err err_of(int rc)
{
    switch (rc) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return TACIT_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return TACIT_BUSY;
    case SQLITE_NOMEM:
        return TACIT_NOMEM;
    case SQLITE_CONSTRAINT:
        return TACIT_EXISTS;
    default:
        return TACIT_IO;
    }
}

static enum tacit_err run(struct store *s, const char *sql)
{
    return err_of(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* What an earlier failed rollback left open ends here, before anything is read or written. */
static void store_lock(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_stuck = !sqlite3_get_autocommit(s->db) && run(s, "ROLLBACK") != TACIT_OK;
}

static sqlite3_stmt *prepare(struct store *s, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    s->failed = false;
    if (s->is_stuck)
        return NULL;
    return sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK ? stmt : NULL;
}

/* A bind that fails (out of memory) would leave NULL behind, which some statements take for an
 * answer: so the statement is not run. */
static void bind_text(struct store *s, sqlite3_stmt *stmt, int index, const char *text)
{
    s->failed |= sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT) != SQLITE_OK;
}

static void bind_num(struct store *s, sqlite3_stmt *stmt, int index, int64_t value)
{
    s->failed |= sqlite3_bind_int64(stmt, index, value) != SQLITE_OK;
}

static void bind_count(struct store *s, sqlite3_stmt *stmt, int index, uint64_t value)
{
    bind_num(s, stmt, index, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void bind_blob(struct store *s, sqlite3_stmt *stmt, int index, struct bytes b)
{
    s->failed |= sqlite3_bind_blob64(stmt, index, b.len == 0 ? (const void *)"" : b.ptr, b.len,
                                     SQLITE_TRANSIENT) != SQLITE_OK;
}

/* One row more, unless a value is missing. */
static int step(struct store *s, sqlite3_stmt *stmt)
{
    return s->failed ? SQLITE_NOMEM : sqlite3_step(stmt);
}

/* No column of ours is NULL: then memory is out. */
static void column_text(struct store *s, char *out, size_t cap, sqlite3_stmt *stmt, int index)
{
    const unsigned char *text = sqlite3_column_text(stmt, index);

    s->failed |= text == NULL;
    snprintf(out, cap, "%s", text == NULL ? "" : (const char *)text);
}

static enum tacit_err step_once(struct store *s, sqlite3_stmt *stmt)
{
    enum tacit_err err = stmt == NULL ? TACIT_IO : err_of(step(s, stmt));

    sqlite3_finalize(stmt);
    return err;
}

/* What a statement that asks for one row says of it. */
static enum tacit_err row_err(const struct store *s, int rc)
{
    if (rc == SQLITE_DONE)
        return TACIT_NOT_FOUND;
    if (rc == SQLITE_ROW)
        return s->failed ? TACIT_NOMEM : TACIT_OK;
    return err_of(rc);
}

/* --- opening ------------------------------------------------------------------------------------
 */

static enum tacit_err number_get(struct store *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = prepare(s, sql);
    int rc = stmt == NULL ? SQLITE_ERROR : step(s, stmt);

    *out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? TACIT_OK : err_of(rc == SQLITE_DONE ? SQLITE_ERROR : rc);
}

static enum tacit_err migrate_one(struct store *s, int64_t from)
{
    char pragma[64];

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%lld", (long long)from + 1);
    if (run(s, migrations[from]) != TACIT_OK)
        return TACIT_IO;
    return run(s, pragma);
}

/* The lock is taken before the version is read, so that two processes do not migrate twice. */
static enum tacit_err migrate(struct store *s)
{
    int64_t version = 0;
    enum tacit_err err = run(s, "BEGIN IMMEDIATE");

    if (err != TACIT_OK)
        return err;
    err = number_get(s, "PRAGMA user_version", &version);
    if (err == TACIT_OK && (version < 0 || version > STORE_SCHEMA_VERSION))
        err = TACIT_UNSUPPORTED;
    for (; err == TACIT_OK && version < STORE_SCHEMA_VERSION; version++)
        err = migrate_one(s, version);
    if (err == TACIT_OK)
        return run(s, "COMMIT");
    (void)run(s, "ROLLBACK");
    return err;
}

static enum tacit_err defaults_make(struct store *s)
{
    char org[STORE_ID_LEN + 1];
    char workspace[STORE_ID_LEN + 1];
    sqlite3_stmt *stmt;
    enum tacit_err err;

    if (uuid4_make(org) != TACIT_OK || uuid4_make(workspace) != TACIT_OK)
        return TACIT_IO;
    stmt = prepare(s, "INSERT INTO organizations SELECT ?1, 'default' WHERE NOT EXISTS (SELECT 1 "
                      "FROM organizations)");
    if (stmt != NULL)
        bind_text(s, stmt, 1, org);
    err = step_once(s, stmt);
    if (err != TACIT_OK)
        return err;
    stmt = prepare(s, "INSERT INTO workspaces SELECT ?1, (SELECT id FROM organizations LIMIT 1), "
                      "'default' WHERE NOT EXISTS (SELECT 1 FROM workspaces)");
    if (stmt != NULL)
        bind_text(s, stmt, 1, workspace);
    return step_once(s, stmt);
}

static enum tacit_err setup(struct store *s)
{
    enum tacit_err err;

    (void)sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    err = run(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                 "PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF");
    if (err == TACIT_OK)
        err = migrate(s);
    return err == TACIT_OK ? defaults_make(s) : err;
}

enum tacit_err store_open(struct store **out, const char *path, char why[static 256])
{
    struct store *s = calloc(1, sizeof(*s));
    enum tacit_err err;

    *out = NULL;
    why[0] = 0;
    if (s == NULL) {
        snprintf(why, 256, "cannot open the store %.120s: out of memory", path);
        return TACIT_NOMEM;
    }
    pthread_mutex_init(&s->lock, NULL);
    err = err_of(sqlite3_open_v2(
        path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL));
    if (err == TACIT_OK)
        err = setup(s);
    if (err == TACIT_OK) {
        *out = s;
        return TACIT_OK;
    }
    snprintf(why, 256, "cannot open the store %.120s: %.100s", path,
             err == TACIT_UNSUPPORTED ? "it was made by a newer version of tacit"
                                      : sqlite3_errmsg(s->db));
    store_close(s);
    return err;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* data_version moves for other connections' commits, total_changes for our own. */
enum tacit_err store_generation(struct store *s, uint64_t *out)
{
    int64_t version;
    enum tacit_err err;

    store_lock(s);
    err = number_get(s, "PRAGMA data_version", &version);
    *out = (uint64_t)version << 32 | (uint32_t)sqlite3_total_changes(s->db);
    pthread_mutex_unlock(&s->lock);
    return err;
}

/* --- keys ---------------------------------------------------------------------------------------
 */

static enum tacit_err key_text_make(char text[static STORE_KEY_TEXT_LEN + 1])
{
    uint8_t secret[16];
    struct buf b = buf_over((uint8_t *)text, STORE_KEY_TEXT_LEN);

    if (random_fill(secret, sizeof(secret)) != TACIT_OK)
        return TACIT_IO;
    buf_puts(&b, "sk-");
    buf_hex(&b, BYTES_ARRAY(secret));
    text[STORE_KEY_TEXT_LEN] = 0;
    explicit_bzero(secret, sizeof(secret));
    return TACIT_OK;
}

static enum tacit_err key_insert(struct store *s, const struct store_key *key)
{
    sqlite3_stmt *stmt =
        prepare(s, "INSERT INTO api_keys (id, workspace_id, name, prefix, sha256, created_unix_s, "
                   "expires_unix_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

    if (stmt != NULL) {
        bind_text(s, stmt, 1, key->id);
        bind_text(s, stmt, 2, key->workspace_id);
        bind_text(s, stmt, 3, key->name);
        bind_text(s, stmt, 4, key->prefix);
        bind_blob(s, stmt, 5, BYTES_ARRAY(key->sha256));
        bind_num(s, stmt, 6, key->created_unix_s);
        bind_num(s, stmt, 7, key->expires_unix_s);
    }
    return step_once(s, stmt);
}

static enum tacit_err key_place(struct store *s, struct store_key *key)
{
    sqlite3_stmt *stmt = prepare(s, "SELECT id, organization_id FROM workspaces ORDER BY rowid "
                                    "LIMIT 1");
    int rc = stmt == NULL ? SQLITE_ERROR : step(s, stmt);

    if (rc == SQLITE_ROW) {
        column_text(s, key->workspace_id, sizeof(key->workspace_id), stmt, 0);
        column_text(s, key->organization_id, sizeof(key->organization_id), stmt, 1);
    }
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW && !s->failed ? TACIT_OK : TACIT_IO;
}

enum tacit_err store_key_create(struct store *s, struct store_key *out,
                                char text[static STORE_KEY_TEXT_LEN + 1], const char *name,
                                int64_t now_unix_s, int64_t expires_unix_s)
{
    enum tacit_err err;

    *out = (struct store_key){.created_unix_s = now_unix_s, .expires_unix_s = expires_unix_s};
    text[0] = 0;
    if (strlen(name) > STORE_NAME_MAX)
        return TACIT_LIMIT;
    if (key_text_make(text) != TACIT_OK || uuid4_make(out->id) != TACIT_OK)
        return TACIT_IO;
    snprintf(out->name, sizeof(out->name), "%s", name);
    snprintf(out->prefix, sizeof(out->prefix), "%.*s", STORE_KEY_PREFIX_LEN, text);
    sha256(out->sha256, bytes_of(text));
    store_lock(s);
    err = key_place(s, out);
    if (err == TACIT_OK)
        err = key_insert(s, out);
    pthread_mutex_unlock(&s->lock);
    if (err != TACIT_OK)
        explicit_bzero(text, STORE_KEY_TEXT_LEN);
    return err;
}

static void key_read(struct store *s, struct store_key *key, sqlite3_stmt *stmt)
{
    const void *hash = sqlite3_column_blob(stmt, 5);

    *key = (struct store_key){0};
    column_text(s, key->id, sizeof(key->id), stmt, 0);
    column_text(s, key->workspace_id, sizeof(key->workspace_id), stmt, 1);
    column_text(s, key->organization_id, sizeof(key->organization_id), stmt, 2);
    column_text(s, key->name, sizeof(key->name), stmt, 3);
    column_text(s, key->prefix, sizeof(key->prefix), stmt, 4);
    if (hash != NULL && sqlite3_column_bytes(stmt, 5) == (int)sizeof(key->sha256))
        memcpy(key->sha256, hash, sizeof(key->sha256));
    else
        s->failed = true;
    key->created_unix_s = sqlite3_column_int64(stmt, 6);
    key->expires_unix_s = sqlite3_column_int64(stmt, 7);
    key->revoked_unix_s = sqlite3_column_int64(stmt, 8);
}

enum tacit_err store_key_each(struct store *s, void (*each)(const struct store_key *, void *),
                              void *ctx)
{
    sqlite3_stmt *stmt;
    int rc = SQLITE_ERROR;
    enum tacit_err err;

    store_lock(s);
    stmt = prepare(s, "SELECT k.id, k.workspace_id, w.organization_id, k.name, k.prefix, k.sha256, "
                      "k.created_unix_s, k.expires_unix_s, k.revoked_unix_s FROM api_keys k JOIN "
                      "workspaces w ON w.id = k.workspace_id ORDER BY k.rowid");
    while (stmt != NULL && (rc = step(s, stmt)) == SQLITE_ROW) {
        struct store_key key;

        key_read(s, &key, stmt);
        if (!s->failed)
            each(&key, ctx);
    }
    sqlite3_finalize(stmt);
    err = s->failed ? TACIT_NOMEM : err_of(rc);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum tacit_err key_resolve(struct store *s, char id[static STORE_ID_LEN + 1],
                                  const char *id_or_prefix)
{
    sqlite3_stmt *stmt = prepare(s, "SELECT id FROM api_keys WHERE id = ?1 OR prefix = ?1 LIMIT 2");
    enum tacit_err err;
    int rc;

    if (stmt == NULL)
        return TACIT_IO;
    bind_text(s, stmt, 1, id_or_prefix);
    rc = step(s, stmt);
    if (rc == SQLITE_ROW)
        column_text(s, id, STORE_ID_LEN + 1, stmt, 0);
    err = row_err(s, rc);
    if (err == TACIT_OK) {
        rc = step(s, stmt);
        if (rc != SQLITE_DONE)
            err = rc == SQLITE_ROW ? TACIT_EXISTS : err_of(rc);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum tacit_err store_key_revoke(struct store *s, const char *id_or_prefix, int64_t now_unix_s)
{
    char id[STORE_ID_LEN + 1] = "";
    enum tacit_err err;

    store_lock(s);
    err = key_resolve(s, id, id_or_prefix);
    if (err == TACIT_OK) {
        sqlite3_stmt *stmt = prepare(s, "UPDATE api_keys SET revoked_unix_s = ?2 WHERE id = ?1 AND "
                                        "revoked_unix_s = 0");

        if (stmt != NULL) {
            bind_text(s, stmt, 1, id);
            bind_num(s, stmt, 2, now_unix_s);
        }
        err = step_once(s, stmt);
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

/* --- usage --------------------------------------------------------------------------------------
 */

static enum tacit_err usage_insert(struct store *s, sqlite3_stmt *stmt, const struct store_usage *u)
{
    bind_text(s, stmt, 1, u->inference_id);
    bind_text(s, stmt, 2, u->organization_id);
    bind_text(s, stmt, 3, u->workspace_id);
    bind_text(s, stmt, 4, u->api_key_id);
    bind_text(s, stmt, 5, u->model);
    bind_text(s, stmt, 6, u->node);
    bind_count(s, stmt, 7, u->input_tokens);
    bind_count(s, stmt, 8, u->output_tokens);
    bind_count(s, stmt, 9, u->cached_tokens);
    bind_text(s, stmt, 10, u->stop_reason);
    bind_num(s, stmt, 11, u->is_stream);
    bind_num(s, stmt, 12, u->started_unix_ms);
    bind_count(s, stmt, 13, u->first_byte_ms);
    bind_count(s, stmt, 14, u->total_ms);
    if (step(s, stmt) != SQLITE_DONE)
        return TACIT_IO;
    return err_of(sqlite3_reset(stmt));
}

static enum tacit_err usage_insert_all(struct store *s, const struct store_reply *replies,
                                       size_t count)
{
    sqlite3_stmt *stmt = prepare(
        s, "INSERT INTO usage (inference_id, organization_id, workspace_id, api_key_id, "
           "model, node, input_tokens, output_tokens, cached_tokens, stop_reason, is_stream, "
           "started_unix_ms, first_byte_ms, total_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
           "?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (organization_id, inference_id) DO "
           "NOTHING");
    enum tacit_err err = stmt == NULL ? TACIT_IO : TACIT_OK;

    for (size_t i = 0; i < count && err == TACIT_OK; i++)
        err = usage_insert(s, stmt, &replies[i].usage);
    sqlite3_finalize(stmt);
    return err;
}

static enum tacit_err signature_insert(struct store *s, sqlite3_stmt *stmt,
                                       const struct store_signature *sig, int64_t now_unix_s)
{
    bind_text(s, stmt, 1, sig->chat_id);
    bind_text(s, stmt, 2, sig->algo);
    bind_text(s, stmt, 3, sig->text);
    bind_text(s, stmt, 4, sig->signature);
    bind_text(s, stmt, 5, sig->signing_address);
    bind_text(s, stmt, 6, sig->kind);
    bind_num(s, stmt, 7, now_unix_s);
    if (step(s, stmt) != SQLITE_DONE)
        return TACIT_IO;
    return err_of(sqlite3_reset(stmt));
}

static enum tacit_err signatures_insert_all(struct store *s, const struct store_reply *replies,
                                            size_t count)
{
    sqlite3_stmt *stmt = prepare(s, "INSERT INTO signatures VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON "
                                    "CONFLICT (chat_id, algo) DO NOTHING");
    enum tacit_err err = stmt == NULL ? TACIT_IO : TACIT_OK;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < replies[i].signature_count && err == TACIT_OK; j++)
            err = signature_insert(s, stmt, &replies[i].signatures[j],
                                   replies[i].usage.started_unix_ms / 1000);
    sqlite3_finalize(stmt);
    return err;
}

enum tacit_err store_replies_put(struct store *s, const struct store_reply *replies, size_t count)
{
    enum tacit_err err;

    store_lock(s);
    err = run(s, "BEGIN IMMEDIATE");
    if (err == TACIT_OK) {
        err = usage_insert_all(s, replies, count);
        if (err == TACIT_OK)
            err = signatures_insert_all(s, replies, count);
        if (err == TACIT_OK)
            err = run(s, "COMMIT");
        if (err != TACIT_OK)
            (void)run(s, "ROLLBACK");
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

enum tacit_err store_usage_totals(struct store *s, struct store_totals *out, const char *key_id)
{
    sqlite3_stmt *stmt;
    int rc = SQLITE_ERROR;

    *out = (struct store_totals){0};
    store_lock(s);
    stmt = prepare(s, "SELECT count(*), coalesce(sum(input_tokens), 0), "
                      "coalesce(sum(output_tokens), 0), coalesce(sum(cached_tokens), 0) FROM usage "
                      "WHERE ?1 IS NULL OR api_key_id = ?1");
    if (stmt != NULL) {
        if (key_id != NULL)
            bind_text(s, stmt, 1, key_id);
        rc = step(s, stmt);
    }
    if (rc == SQLITE_ROW) {
        out->requests = (uint64_t)sqlite3_column_int64(stmt, 0);
        out->input_tokens = (uint64_t)sqlite3_column_int64(stmt, 1);
        out->output_tokens = (uint64_t)sqlite3_column_int64(stmt, 2);
        out->cached_tokens = (uint64_t)sqlite3_column_int64(stmt, 3);
    }
    sqlite3_finalize(stmt);
    pthread_mutex_unlock(&s->lock);
    return rc == SQLITE_ROW ? TACIT_OK : err_of(rc);
}

/* --- signatures and attestations ----------------------------------------------------------------
 */

enum tacit_err store_signature_get(struct store *s, struct store_signature *out,
                                   const char *chat_id, const char *algo)
{
    sqlite3_stmt *stmt;
    int rc = SQLITE_ERROR;
    enum tacit_err err;

    *out = (struct store_signature){0};
    store_lock(s);
    stmt =
        prepare(s, "SELECT chat_id, algo, text, signature, signing_address, kind FROM signatures "
                   "WHERE chat_id = ?1 AND algo = ?2");
    if (stmt != NULL) {
        bind_text(s, stmt, 1, chat_id);
        bind_text(s, stmt, 2, algo);
        rc = step(s, stmt);
    }
    if (rc == SQLITE_ROW) {
        column_text(s, out->chat_id, sizeof(out->chat_id), stmt, 0);
        column_text(s, out->algo, sizeof(out->algo), stmt, 1);
        column_text(s, out->text, sizeof(out->text), stmt, 2);
        column_text(s, out->signature, sizeof(out->signature), stmt, 3);
        column_text(s, out->signing_address, sizeof(out->signing_address), stmt, 4);
        column_text(s, out->kind, sizeof(out->kind), stmt, 5);
    }
    sqlite3_finalize(stmt);
    err = row_err(s, rc);
    pthread_mutex_unlock(&s->lock);
    if (err != TACIT_OK)
        *out = (struct store_signature){0};
    return err;
}

enum tacit_err store_attestation_put(struct store *s, const char *node, int64_t now_unix_s,
                                     bool is_trusted, struct bytes report_json,
                                     struct bytes verdict_json)
{
    sqlite3_stmt *stmt;
    enum tacit_err err;

    store_lock(s);
    stmt =
        prepare(s, "INSERT INTO attestations (node, created_unix_s, is_trusted, report, verdict) "
                   "VALUES (?1, ?2, ?3, ?4, CAST(?5 AS TEXT))");
    if (stmt != NULL) {
        bind_text(s, stmt, 1, node);
        bind_num(s, stmt, 2, now_unix_s);
        bind_num(s, stmt, 3, is_trusted);
        bind_blob(s, stmt, 4, report_json);
        bind_blob(s, stmt, 5, verdict_json);
    }
    err = step_once(s, stmt);
    pthread_mutex_unlock(&s->lock);
    return err;
}

enum tacit_err store_attestation_last(struct store *s, const char *node, bool *is_trusted,
                                      struct buf *verdict_json)
{
    sqlite3_stmt *stmt;
    bool is_good = false;
    int rc = SQLITE_ERROR;
    enum tacit_err err;

    *is_trusted = false;
    store_lock(s);
    stmt = prepare(s, "SELECT is_trusted, verdict FROM attestations WHERE node = ?1 ORDER BY seq "
                      "DESC LIMIT 1");
    if (stmt != NULL) {
        bind_text(s, stmt, 1, node);
        rc = step(s, stmt);
    }
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 1);

        s->failed |= text == NULL;
        buf_puts(verdict_json, text == NULL ? "" : text);
        is_good = sqlite3_column_int64(stmt, 0) == 1;
    }
    sqlite3_finalize(stmt);
    err = row_err(s, rc);
    pthread_mutex_unlock(&s->lock);
    if (err == TACIT_OK)
        err = buf_err(verdict_json);
    *is_trusted = err == TACIT_OK && is_good;
    return err;
}

enum tacit_err store_prune(struct store *s, int64_t attestations_before_unix_s,
                           int64_t signatures_before_unix_s)
{
    sqlite3_stmt *stmt;
    enum tacit_err err;

    store_lock(s);
    stmt = prepare(s, "DELETE FROM attestations WHERE created_unix_s < ?1");
    if (stmt != NULL)
        bind_num(s, stmt, 1, attestations_before_unix_s);
    err = step_once(s, stmt);
    stmt = prepare(s, "DELETE FROM signatures WHERE created_unix_s < ?1");
    if (stmt != NULL)
        bind_num(s, stmt, 1, signatures_before_unix_s);
    if (err == TACIT_OK)
        err = step_once(s, stmt);
    else
        sqlite3_finalize(stmt);
    pthread_mutex_unlock(&s->lock);
    return err;
}
