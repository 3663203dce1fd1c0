/* TDX and SGX quote vectors, by the rules of their README: `core` is the verdict without a policy,
 * `strict` the one with the default policy of tdx.md 2.9 on top, and supplemental data must be
 * equal. Every statement of the table is tested; `either` only has to survive. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tacit/quote.h>

#include "attest/dcap.h"
#include "codec/jscan.h"
#include "crypto/x509.h"

enum { COLUMNS_MAX = 24, CELL_MAX = 4096, FILE_MAX = 64 * 1024 * 1024 };

/* One line of the table; columns are found by the names in its head. */
struct row {
    struct bytes names[COLUMNS_MAX];
    size_t name_count;
    char cells[COLUMNS_MAX][CELL_MAX];
    size_t cell_count;
};

/* What a run was: verdict text, and the result with its verdict. */
struct outcome {
    char text[96];
    struct tacit_verdict verdict;
    struct tacit_quote_result result;
};

struct vector {
    const struct row *row;
    const char *id;
    struct buf quote, collateral, root_pem;
    struct arena arena;
    struct bytes root_der;
    int64_t now_unix_s;
};

static const char *cell(const struct row *row, const char *column)
{
    for (size_t i = 0; i < row->name_count && i < row->cell_count; i++)
        if (bytes_eq_cstr(row->names[i], column))
            return row->cells[i];
    return "";
}

/* The README's name for a refusal, from the row that refused. */
static const char *reason_of(const struct tacit_row *row)
{
    static const struct {
        const char *id;
        enum tacit_row_cause cause; /* NONE: any */
        const char *reason;
    } reasons[] = {
        {"tdx.pck.validity", TACIT_CAUSE_NONE, "expired"},
        {"tdx.quote.parse", TACIT_CAUSE_NONE, "parse"},
        {"tdx.collateral", TACIT_CAUSE_NONE, "json"},
        {"tdx.pck.root", TACIT_CAUSE_NONE, "root_untrusted"},
        {"tdx.pck.parse", TACIT_CAUSE_NONE, "pck_chain"},
        {"tdx.pck.chain", TACIT_CAUSE_NONE, "pck_chain"},
        {"tdx.pck.extension", TACIT_CAUSE_NONE, "pck_chain"},
        {"tdx.crl.root", TACIT_CAUSE_OUT_OF_DATE, "expired"},
        {"tdx.crl.pck", TACIT_CAUSE_OUT_OF_DATE, "expired"},
        {"tdx.crl.root", TACIT_CAUSE_NONE, "crl"},
        {"tdx.crl.pck", TACIT_CAUSE_NONE, "crl"},
        {"tdx.pck.revocation", TACIT_CAUSE_NONE, "pck_revoked"},
        {"tdx.tcb_info.chain", TACIT_CAUSE_OUT_OF_DATE, "expired"},
        {"tdx.tcb_info.chain", TACIT_CAUSE_REVOKED, "tcb_signing_revoked"},
        {"tdx.tcb_info.chain", TACIT_CAUSE_NONE, "tcb_chain"},
        {"tdx.tcb_info.signature", TACIT_CAUSE_NONE, "tcbinfo_signature"},
        {"tdx.tcb_info.parse", TACIT_CAUSE_NONE, "json"},
        {"tdx.tcb_info.validity", TACIT_CAUSE_NONE, "expired"},
        {"tdx.tcb_info.platform", TACIT_CAUSE_NONE, "collateral_mismatch"},
        {"tdx.qe_identity.chain", TACIT_CAUSE_NONE, "qe_chain"},
        {"tdx.qe_identity.signature", TACIT_CAUSE_NONE, "qeid_signature"},
        {"tdx.qe_identity.parse", TACIT_CAUSE_NONE, "json"},
        {"tdx.qe_identity.validity", TACIT_CAUSE_NONE, "expired"},
        {"tdx.qe.signature", TACIT_CAUSE_NONE, "qe_report_signature"},
        {"tdx.qe.binding", TACIT_CAUSE_NONE, "qe_binding"},
        {"tdx.qe.identity", TACIT_CAUSE_NONE, "qe_identity"},
        {"tdx.quote.signature", TACIT_CAUSE_NONE, "quote_signature"},
        {"tdx.module", TACIT_CAUSE_NONE, "tdx_module"},
        {"tdx.tcb.level", TACIT_CAUSE_REVOKED, "tcb_revoked"},
        {"tdx.tcb.level", TACIT_CAUSE_NONE, "tcb_not_supported"},
    };

    if (strstr(row->reason, "not yet valid") != NULL)
        return "not_yet_valid";
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (strcmp(row->id, reasons[i].id) == 0 &&
            (reasons[i].cause == TACIT_CAUSE_NONE || reasons[i].cause == row->cause))
            return reasons[i].reason;
    return strncmp(row->id, "tdx.policy.", 11) == 0 ? "policy" : row->id;
}

/* The default policy, with any TCB status: the table's `strict` leaves the status to the caller. */
static struct tacit_tdx_policy strict_policy(void)
{
    struct tacit_tdx_policy p = tacit_tdx_policy_default();

    p.tcb_accepted = ~0U;
    return p;
}

static void verdict_text(struct outcome *o)
{
    const struct tacit_row *row = tacit_verdict_first_refusal(&o->verdict);

    if (tacit_verdict_is_trusted(&o->verdict))
        snprintf(o->text, sizeof(o->text), "accept:%s",
                 tacit_tcb_status_name(o->result.tcb_status));
    else
        snprintf(o->text, sizeof(o->text), "reject:%s", row == NULL ? "?" : reason_of(row));
}

static void vector_verify(struct outcome *o, const struct vector *v,
                          const struct tacit_tdx_policy *policy, struct tacit_quote_cache *cache)
{
    struct tacit_quote_input in = {
        .quote = buf_bytes(&v->quote),
        .collateral = buf_bytes(&v->collateral),
        .root_der = v->root_der,
        .now_unix_s = v->now_unix_s,
        .policy = policy,
        .cache = cache,
    };
    enum tacit_err err;

    o->verdict.count = 0;
    o->verdict.is_overflowed = false;
    o->verdict.is_simulated = false;
    err = tacit_quote_verify(&o->verdict, &o->result, &in);
    verdict_text(o);
    if (err != TACIT_OK)
        snprintf(o->text, sizeof(o->text), "error:%s", tacit_err_name(err));
}

static bool verdicts_agree(const char *expected, const char *actual)
{
    if (strncmp(expected, "reject", 6) == 0)
        return strncmp(actual, "reject", 6) == 0;
    return strcmp(expected, actual) == 0;
}

static bool verdict_check(struct vectors *t, const struct vector *v, const char *column,
                          const struct outcome *o)
{
    const char *expected = cell(v->row, column);

    if (strcmp(cell(v->row, "level"), "either") == 0)
        return true;
    if (!verdicts_agree(expected, o->text)) {
        const struct tacit_row *row = tacit_verdict_first_refusal(&o->verdict);

        vector_report(t, v->id, false, "expected %s, actual %s (%s; %s)", expected, o->text, column,
                      row == NULL ? "no row refuses" : row->reason);
        return false;
    }
    if (t->is_tap && strcmp(expected, o->text) != 0)
        printf("# %s: expected %s, actual %s\n", v->id, expected, o->text);
    return true;
}

static void advisories_join(struct buf *out, const char (*list)[TACIT_ADVISORY_LEN], size_t count)
{
    buf_reset(out);
    for (size_t i = 0; i < count; i++)
        buf_putf(out, "%s%s", i > 0 ? "," : "", list[i]);
    if (count == 0)
        buf_putc(out, '-');
}

static bool text_check(struct vectors *t, const struct vector *v, const char *what,
                       const char *expected, const char *actual)
{
    if (strcmp(expected, actual) == 0)
        return true;
    vector_report(t, v->id, false, "expected %s, actual %s (%s)", expected, actual, what);
    return false;
}

static bool number_check(struct vectors *t, const struct vector *v, const char *column,
                         int64_t actual)
{
    const char *expected = cell(v->row, column);
    char text[32];

    if (expected[0] == 0 || strcmp(expected, "-") == 0)
        return true;
    snprintf(text, sizeof(text), "%lld", (long long)actual);
    return text_check(t, v, column, expected, text);
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The table's list in order, as ours is. */
static void list_sort(struct buf *out, const char *list)
{
    char *items[TACIT_ADVISORIES_MAX];
    size_t count = 0;
    char copy[8192];
    char *rest = copy;

    buf_reset(out);
    snprintf(copy, sizeof(copy), "%s", list);
    while (rest != NULL && count < ARRAY_LEN(items))
        items[count++] = strsep(&rest, ",");
    qsort(items, count, sizeof(items[0]), text_order);
    for (size_t i = 0; i < count; i++)
        buf_putf(out, "%s%s", i > 0 ? "," : "", items[i]);
}

static bool advisories_check(struct vectors *t, const struct vector *v,
                             const struct tacit_quote_result *r)
{
    struct buf actual = buf_make(1 << 16);
    struct buf expected = buf_make(1 << 16);
    bool ok;

    list_sort(&expected, cell(v->row, "advisories"));
    advisories_join(&actual, r->advisories, r->advisory_count);
    ok = text_check(t, v, "advisories", buf_cstr(&expected), buf_cstr(&actual));
    buf_done(&expected);
    buf_done(&actual);
    return ok;
}

static bool result_check(struct vectors *t, const struct vector *v,
                         const struct tacit_quote_result *r)
{
    return advisories_check(t, v, r) && number_check(t, v, "tcb_date", r->tcb_date_unix_s) &&
           number_check(t, v, "eval_min", r->eval_number) &&
           number_check(t, v, "json_earliest_expiry", r->json_earliest_expiry_unix_s);
}

/* What only the JSON table says: the current TCB of a relaunch vector. */
static bool current_check(struct vectors *t, const struct vector *v, struct jval vectors,
                          const struct tacit_quote_result *r)
{
    struct jiter it = jscan_iter(vectors);
    struct jval item;

    while (jscan_next(&it, NULL, &item)) {
        struct jval list = jscan_member(item, "current_advisories");
        int64_t date = 0;
        char text[32], wanted[32];

        if (!jscan_str_eq_cstr(jscan_member(item, "id"), v->id) || list.type == JVAL_NONE)
            continue;
        if (!jscan_i64(&date, jscan_member(item, "current_tcb_date")))
            return text_check(t, v, "current_tcb_date", "a number", "none");
        snprintf(text, sizeof(text), "%lld", (long long)r->current_tcb_date_unix_s);
        snprintf(wanted, sizeof(wanted), "%lld", (long long)date);
        if (!text_check(t, v, "current_tcb_date", wanted, text))
            return false;
        snprintf(text, sizeof(text), "%zu", r->current_advisory_count);
        snprintf(wanted, sizeof(wanted), "%zu", jscan_count(list));
        return text_check(t, v, "current_advisories", wanted, text);
    }
    return true;
}

static bool vector_open(struct vector *v, const struct row *row, const char *dir)
{
    struct x509_cert root;
    size_t count;
    char *end;

    *v = (struct vector){.row = row,
                         .id = cell(row, "id"),
                         .arena = arena_make(1 << 16),
                         .quote = buf_make(FILE_MAX),
                         .collateral = buf_make(FILE_MAX),
                         .root_pem = buf_make(FILE_MAX)};
    v->now_unix_s = strtoll(cell(row, "time"), &end, 10);
    if (!vector_load(&v->quote, dir, cell(row, "quote")) ||
        !vector_load(&v->collateral, dir, cell(row, "collateral")) ||
        !vector_load(&v->root_pem, dir, cell(row, "root")) || *end != 0)
        return false;
    if (x509_parse_pem(&root, 1, &count, buf_bytes(&v->root_pem), &v->arena) != TACIT_OK)
        return false;
    v->root_der = root.der;
    return true;
}

static void vector_close(struct vector *v)
{
    buf_done(&v->quote);
    buf_done(&v->collateral);
    buf_done(&v->root_pem);
    arena_done(&v->arena);
}

/* The same verdict three more times through a cache: cold, then from what was kept. */
static bool cache_check(struct vectors *t, const struct vector *v, const char *core,
                        struct outcome *o)
{
    struct tacit_quote_cache *cache = tacit_quote_cache_new();
    bool ok = cache != NULL;

    for (int i = 0; i < 3 && ok; i++) {
        vector_verify(o, v, NULL, cache);
        if (strcmp(core, o->text) != 0) {
            vector_report(t, v->id, false, "expected %s, actual %s (through a cache, use %d)", core,
                          o->text, i + 1);
            ok = false;
        }
    }
    tacit_quote_cache_free(cache);
    return ok;
}

static void vector_run(struct vectors *t, const struct vector *v, struct jval vectors,
                       struct outcome *o)
{
    struct tacit_tdx_policy strict = strict_policy();
    bool is_accepted;
    char core[sizeof(o->text)];

    vector_verify(o, v, NULL, NULL);
    is_accepted = strncmp(o->text, "accept", 6) == 0;
    if (!verdict_check(t, v, "core", o))
        return;
    if (is_accepted && strcmp(cell(v->row, "level"), "either") != 0 &&
        (!result_check(t, v, &o->result) || !current_check(t, v, vectors, &o->result)))
        return;
    memcpy(core, o->text, sizeof(core));
    if (!cache_check(t, v, core, o))
        return;
    vector_verify(o, v, &strict, NULL);
    if (verdict_check(t, v, "strict", o))
        vector_report(t, v->id, true, "%s", "");
}

static bool tdx_applies(const char *dir)
{
    return manifest_begins(dir, "manifest.tsv", "#id\tquote\tcollateral\troot\ttime\t");
}

static bool row_read(struct row *row, struct tsv *t)
{
    struct bytes fields[COLUMNS_MAX];

    if (!tsv_next(t, fields, COLUMNS_MAX, &row->cell_count))
        return false;
    for (size_t i = 0; i < row->cell_count; i++)
        if (!tsv_str(row->cells[i], CELL_MAX, bytes_trim(fields[i])))
            row->cell_count = i;
    return true;
}

static void head_read(struct row *row, struct bytes text)
{
    struct bytes line = bytes_trim(bytes_slice(text, 1, bytes_find_byte(text, '\n') - 1));

    while (line.len > 0 && row->name_count < COLUMNS_MAX) {
        size_t end = bytes_find_byte(line, '\t');

        row->names[row->name_count++] = bytes_slice(line, 0, end);
        line = end == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(line, end + 1, SIZE_MAX);
    }
}

static void rows_run(struct vectors *t, const char *dir, struct row *row, struct outcome *o,
                     struct bytes table, struct jval manifest)
{
    struct tsv rest = {table};

    head_read(row, table);
    while (row_read(row, &rest)) {
        struct vector v;

        if (vector_open(&v, row, dir))
            vector_run(t, &v, jscan_member(manifest, "vectors"), o);
        else
            vector_report(t, v.id, false, "its files cannot be read");
        vector_close(&v);
    }
}

static void tdx_run(struct vectors *t, const char *dir)
{
    struct outcome *o = calloc(1, sizeof(*o));
    struct row *row = calloc(1, sizeof(*row));
    struct buf table = buf_make(FILE_MAX);
    struct buf json = buf_make(FILE_MAX);
    struct jval manifest = JVAL_ABSENT;

    if (o == NULL || row == NULL || !vector_load(&table, dir, "manifest.tsv"))
        abort();
    if (vector_load(&json, dir, "manifest.json") &&
        jscan_validate(&manifest, NULL, buf_bytes(&json)) != TACIT_OK)
        vector_report(t, "manifest.json", false, "is not strict JSON");
    rows_run(t, dir, row, o, buf_bytes(&table), manifest);
    buf_done(&json);
    buf_done(&table);
    free(row);
    free(o);
}

const struct suite suite_tdx = {"tdx", tdx_applies, tdx_run};
