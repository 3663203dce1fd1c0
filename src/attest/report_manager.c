/* The compose-manager of a node: its own quote from the same VM commits to the log of what it has
 * started (near.md 3.6, 7.4). Invariant: the log counts only if the quote's report data holds its
 * hash, and the VM is the node's own: equal RTMR3. */
#include "attest/report_priv.h"
#include "base/limits.h"
#include "codec/jwrite.h"
#include "crypto/ct.h"
#include "crypto/sha2.h"

enum { MEMBERS_MAX = 32, REPORT_DATA_HALF = 32 };

struct member {
    struct bytes name;
    struct jval val;
};

/* Rank of a member in the order of earlier versions; what they did not know comes last. */
static size_t struct_rank(struct bytes name)
{
    static const char *const order[] = {"timestamp", "action",      "tag",     "commit",
                                        "file",      "file_sha256", "services"};
    size_t i = 0;

    while (i < ARRAY_LEN(order) && !bytes_eq_cstr(name, order[i]))
        i++;
    return i;
}

static bool comes_before(const struct member *a, const struct member *b, bool is_sorted)
{
    if (!is_sorted && struct_rank(a->name) != struct_rank(b->name))
        return struct_rank(a->name) < struct_rank(b->name);
    return bytes_cmp(a->name, b->name) < 0;
}

static void value_write(struct buf *out, struct jval val, bool is_sorted, unsigned depth);

/* Names with escapes do not occur in these logs; refused, so that the order is plain. */
static size_t members_collect(struct member *members, struct jval obj, bool is_sorted)
{
    struct jiter it = jscan_iter(obj);
    struct member m;
    struct jval name;
    size_t count = 0;

    while (jscan_next(&it, &name, &m.val)) {
        size_t at = count;

        if (count == MEMBERS_MAX || !jscan_str_view(&m.name, name))
            return SIZE_MAX;
        for (; at > 0 && comes_before(&m, &members[at - 1], is_sorted); at--)
            members[at] = members[at - 1];
        members[at] = m;
        count++;
    }
    return count;
}

static void object_write(struct buf *out, struct jval obj, bool is_sorted, unsigned depth)
{
    struct member members[MEMBERS_MAX];
    size_t count = members_collect(members, obj, is_sorted);

    if (count == SIZE_MAX) {
        out->failed = true;
        return;
    }
    buf_putc(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_putc(out, ',');
        jw_put_str(out, members[i].name);
        buf_putc(out, ':');
        value_write(out, members[i].val, is_sorted, depth + 1);
    }
    buf_putc(out, '}');
}

static void array_write(struct buf *out, struct jval array, bool is_sorted, unsigned depth)
{
    struct jiter it = jscan_iter(array);
    struct jval item;
    bool is_first = true;

    buf_putc(out, '[');
    while (jscan_next(&it, NULL, &item)) {
        if (!is_first)
            buf_putc(out, ',');
        is_first = false;
        value_write(out, item, is_sorted, depth + 1);
    }
    buf_putc(out, ']');
}

static void string_write(struct buf *out, struct jval val)
{
    struct buf text = buf_make(LIMIT_ACTIONS_BYTES);

    if (jscan_str_copy(&text, val) != TACIT_OK)
        out->failed = true;
    else
        jw_put_str(out, buf_bytes(&text));
    buf_done(&text);
}

static void value_write(struct buf *out, struct jval val, bool is_sorted, unsigned depth)
{
    if (depth > LIMIT_JSON_DEPTH) {
        out->failed = true;
        return;
    }
    switch (val.type) {
    case JVAL_OBJECT:
        object_write(out, val, is_sorted, depth);
        break;
    case JVAL_ARRAY:
        array_write(out, val, is_sorted, depth);
        break;
    case JVAL_STRING:
        string_write(out, val);
        break;
    case JVAL_NONE:
    case JVAL_NULL:
    case JVAL_BOOL:
    case JVAL_NUMBER:
        buf_put(out, val.raw);
        break;
    }
}

enum tacit_err actions_canonical(struct buf *out, struct jval actions, bool is_sorted)
{
    if (actions.type != JVAL_ARRAY)
        return TACIT_FORMAT;
    array_write(out, actions, is_sorted, 0);
    return buf_err(out);
}

static bool actions_hash_is(struct jval actions, struct bytes wanted, bool is_sorted)
{
    struct buf text = buf_make(LIMIT_ACTIONS_BYTES);
    uint8_t hash[32];
    bool equal = false;

    if (actions_canonical(&text, actions, is_sorted) == TACIT_OK) {
        sha256(hash, buf_bytes(&text));
        equal = bytes_eq(BYTES_ARRAY(hash), wanted);
    }
    buf_done(&text);
    return equal;
}

static void actions_check(struct side *s, const struct row_scope *scope, struct jval manager,
                          struct bytes data)
{
    struct jval actions = jscan_member(manager, "actions");
    struct bytes named = report_hex(s->run, manager, "actions_hash");
    struct bytes bound = bytes_slice(data, 0, REPORT_DATA_HALF);

    if (!actions_hash_is(actions, bound, true) && !actions_hash_is(actions, bound, false))
        row_fail(scope, "manager.actions", TACIT_CAUSE_MISMATCH,
                 "the quote commits to another log of actions than the one shown");
    else if (!bytes_eq(named, bound))
        row_fail(scope, "manager.actions", TACIT_CAUSE_MISMATCH,
                 "actions_hash is not the hash of the actions");
    else
        row_pass(scope, "manager.actions");
    if (ct_equal(bytes_slice(data, REPORT_DATA_HALF, 32), BYTES_ARRAY(s->run->opts->nonce)))
        row_pass(scope, "manager.nonce");
    else
        row_fail(scope, "manager.nonce", TACIT_CAUSE_MISMATCH,
                 "the compose-manager's quote answers another nonce than ours");
}

static bool same_vm(const struct tacit_td_report *a, const struct tacit_td_report *b)
{
    if (a->mrtd.ptr == NULL || !bytes_eq(a->mrtd, b->mrtd) ||
        !bytes_eq(a->mrconfigid, b->mrconfigid))
        return false;
    for (unsigned i = 0; i < RTMR_COUNT; i++)
        if (!bytes_eq(a->rtmr[i], b->rtmr[i]))
            return false;
    return true;
}

static void vm_check(struct side *s, const struct row_scope *scope,
                     const struct tacit_quote_result *manager)
{
    if (s->result->is_genuine && same_vm(&s->result->quote.td, &manager->quote.td))
        row_pass(scope, "manager.vm");
    else
        row_fail(scope, "manager.vm", TACIT_CAUSE_MISMATCH,
                 "the compose-manager's quote is of another VM than the node's");
}

void report_manager(struct side *s)
{
    struct jval manager = jscan_member(s->obj, "compose_manager_attestation");
    struct row_scope scope = {s->run->v, "manager", "Intel", false};
    struct tacit_quote_result *result;
    struct event_log log;

    if (jscan_is_nothing(manager))
        return;
    result = arena_alloc(&s->run->arena, sizeof(*result));
    if (result == NULL) {
        s->run->is_out_of_memory = true;
        return;
    }
    if (!report_quote(s->run, result, &scope, report_hex(s->run, manager, "quote"),
                      s->policy->tdx)) {
        row_not_run(&scope, "manager.actions", TACIT_CAUSE_UNOBTAINABLE,
                    "there is no genuine quote that commits to the log of actions");
        return;
    }
    scope.authority = "TDX quote";
    actions_check(s, &scope, manager, result->quote.td.report_data);
    vm_check(s, &scope, result);
    scope.authority = "RTMR3 replay";
    report_log_rows(s->run, &log, &scope, jscan_member(manager, "event_log"), &result->quote.td);
}
