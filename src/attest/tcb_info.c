/* TCB info parser. Invariant: the text has passed jscan_validate, so no member occurs twice; each
 * required member is counted in a mask and missed loudly. */
#include "attest/tcb_info.h"

#include "attest/tcb_priv.h"
#include "base/limits.h"
#include "base/utc.h"
#include "codec/hex.h"

enum {
    HAS_VERSION = 1 << 0,
    HAS_ISSUE = 1 << 1,
    HAS_NEXT = 1 << 2,
    HAS_FMSPC = 1 << 3,
    HAS_PCEID = 1 << 4,
    HAS_TYPE = 1 << 5,
    HAS_EVAL = 1 << 6,
    HAS_LEVELS = 1 << 7,
    HAS_ALL = (1 << 8) - 1,
    HAS_ID = 1 << 8,
    HAS_MODULE = 1 << 9,
};

enum { HAS_SGX_SVNS = 1 << 0, HAS_PCESVN = 1 << 1, HAS_TDX_SVNS = 1 << 2 };

enum { MODULE_ID = 1 << 0, MODULE_MRSIGNER = 1 << 1, MODULE_ATTR = 1 << 2, MODULE_MASK = 1 << 3 };

/* While the document is read: what was seen, and which form the levels have. */
struct tcb_reading {
    struct tcb_info *info;
    struct arena *arena;
    unsigned seen;
    unsigned level_forms_any; /* forms seen in some level, and in every one */
    unsigned level_forms_all;
    bool is_v2_form; /* sgxtcbcompNNsvn instead of arrays */
};

/* [{"svn":n,…}×16] */
static void components_read(uint8_t out[static TCB_COMPONENTS], struct jwalk *w)
{
    size_t count = 0;
    struct bytes name;

    jwalk_enter(w, '[');
    while (jwalk_item(w)) {
        bool has_svn = false;
        uint8_t svn = 0;

        jwalk_enter(w, '{');
        while (jwalk_member(w, &name)) {
            if (bytes_eq(name, BYTES_LIT("svn"))) {
                svn = (uint8_t)jwalk_u64(w, 255);
                has_svn = true;
            } else {
                jwalk_skip(w);
            }
        }
        if (!has_svn || count == TCB_COMPONENTS)
            jwalk_fail(w);
        else
            out[count++] = svn;
    }
    if (count != TCB_COMPONENTS)
        jwalk_fail(w);
}

/* Number of a version 2 member "sgxtcbcomp01svn".."sgxtcbcomp16svn", from 1; 0 for other names. */
static size_t v2_component(struct bytes name)
{
    size_t n;

    if (name.len != 15 || !bytes_starts_with(name, BYTES_LIT("sgxtcbcomp")) ||
        !bytes_ends_with(name, BYTES_LIT("svn")) || name.ptr[10] < '0' || name.ptr[10] > '1' ||
        name.ptr[11] < '0' || name.ptr[11] > '9')
        return 0;
    n = (size_t)(name.ptr[10] - '0') * 10 + (size_t)(name.ptr[11] - '0');
    return n <= TCB_COMPONENTS ? n : 0;
}

static void svns_read(struct tcb_reading *t, struct tcb_level *level, struct jwalk *w)
{
    unsigned forms = 0;
    unsigned v2_count = 0;
    struct bytes name;

    jwalk_enter(w, '{');
    while (jwalk_member(w, &name)) {
        size_t n = v2_component(name);

        if (bytes_eq(name, BYTES_LIT("sgxtcbcomponents"))) {
            components_read(level->sgx, w);
            forms |= HAS_SGX_SVNS;
        } else if (bytes_eq(name, BYTES_LIT("tdxtcbcomponents"))) {
            components_read(level->tdx, w);
            forms |= HAS_TDX_SVNS;
        } else if (bytes_eq(name, BYTES_LIT("pcesvn"))) {
            level->pcesvn = (uint16_t)jwalk_u64(w, 65535);
            forms |= HAS_PCESVN;
        } else if (n > 0 && !(forms & HAS_SGX_SVNS)) {
            level->sgx[n - 1] = (uint8_t)jwalk_u64(w, 255);
            v2_count++;
        } else {
            jwalk_skip(w);
        }
    }
    if (v2_count > 0 && ((forms & HAS_SGX_SVNS) || v2_count != TCB_COMPONENTS))
        jwalk_fail(w);
    if (v2_count > 0) {
        forms |= HAS_SGX_SVNS;
        t->is_v2_form = true;
    }
    if (!(forms & HAS_SGX_SVNS) || !(forms & HAS_PCESVN))
        jwalk_fail(w);
    t->level_forms_any |= forms;
    t->level_forms_all &= forms;
}

/* Order of levels (tdx.md 2.8): SGX components, PCESVN, TDX components. */
static int level_order(const struct tcb_level *a, const struct tcb_level *b)
{
    int order = memcmp(a->sgx, b->sgx, TCB_COMPONENTS);

    if (order == 0)
        order = a->pcesvn - b->pcesvn;
    return order != 0 ? order : memcmp(a->tdx, b->tdx, TCB_COMPONENTS);
}

/* Intel sends levels in descending order; others are moved to their place. False if one with the
 * same SVNs is there. */
static bool level_insert(struct tcb_info *info, const struct tcb_level *level)
{
    size_t at = info->level_count;
    int order = 1;

    while (at > 0 && (order = level_order(&info->levels[at - 1], level)) < 0)
        at--;
    if (at > 0 && order == 0)
        return false;
    memmove(&info->levels[at + 1], &info->levels[at],
            (info->level_count - at) * sizeof(info->levels[0]));
    info->levels[at] = *level;
    info->level_count++;
    return true;
}

static void levels_read(struct tcb_reading *t, struct jwalk *w)
{
    struct tcb_info *info = t->info;
    struct bytes name;

    info->levels = arena_alloc(t->arena, LIMIT_TCB_LEVELS * sizeof(info->levels[0]));
    if (info->levels == NULL) {
        jwalk_fail(w);
        return;
    }
    t->level_forms_all = ~0U;
    jwalk_enter(w, '[');
    while (jwalk_item(w)) {
        struct tcb_level level = {0};
        bool has_tcb = false;

        jwalk_enter(w, '{');
        while (jwalk_member(w, &name)) {
            if (bytes_eq(name, BYTES_LIT("tcb"))) {
                svns_read(t, &level, w);
                has_tcb = true;
            } else if (!verdict_member(&level.verdict, w, name)) {
                jwalk_skip(w);
            }
        }
        if (!has_tcb || !verdict_is_complete(&level.verdict) ||
            info->level_count == LIMIT_TCB_LEVELS || !level_insert(info, &level))
            jwalk_fail(w);
    }
}

/* "TDX_" and two hexadecimal digits name a module version. */
static void module_id_set(struct tdx_module *m, struct bytes id)
{
    m->has_version = id.len == 6 && bytes_eq_nocase(bytes_slice(id, 0, 4), BYTES_LIT("TDX_")) &&
                     hex_decode_fixed(&m->version, 1, bytes_slice(id, 4, 2)) == TACIT_OK;
}

static void module_read(struct tdx_module *m, struct jwalk *w, struct arena *arena,
                        bool is_identity)
{
    unsigned seen = 0;
    struct bytes name;

    jwalk_enter(w, '{');
    while (jwalk_member(w, &name)) {
        if (bytes_eq(name, BYTES_LIT("mrsigner"))) {
            jwalk_hex(w, m->mrsigner, sizeof(m->mrsigner));
            seen |= MODULE_MRSIGNER;
        } else if (bytes_eq(name, BYTES_LIT("attributes"))) {
            jwalk_hex(w, m->attributes, sizeof(m->attributes));
            seen |= MODULE_ATTR;
        } else if (bytes_eq(name, BYTES_LIT("attributesMask"))) {
            jwalk_hex(w, m->attributes_mask, sizeof(m->attributes_mask));
            seen |= MODULE_MASK;
        } else if (is_identity && bytes_eq(name, BYTES_LIT("id"))) {
            module_id_set(m, jwalk_str(w));
            seen |= MODULE_ID;
        } else if (is_identity && bytes_eq(name, BYTES_LIT("tcbLevels"))) {
            isv_levels_read(&m->levels, w, arena);
        } else {
            jwalk_skip(w);
        }
    }
    if (!is_identity)
        seen |= MODULE_ID;
    if (seen != (MODULE_ID | MODULE_MRSIGNER | MODULE_ATTR | MODULE_MASK) ||
        (is_identity && m->levels.count == 0))
        jwalk_fail(w);
}

static void modules_read(struct tcb_reading *t, struct jwalk *w)
{
    struct tcb_info *info = t->info;

    info->modules = arena_alloc(t->arena, LIMIT_TDX_MODULES * sizeof(info->modules[0]));
    if (info->modules == NULL) {
        jwalk_fail(w);
        return;
    }
    jwalk_enter(w, '[');
    while (jwalk_item(w)) {
        struct tdx_module *m = &info->modules[info->module_count];

        if (info->module_count == LIMIT_TDX_MODULES) {
            jwalk_fail(w);
            return;
        }
        module_read(m, w, t->arena, true);
        for (size_t i = 0; i < info->module_count; i++)
            if (m->has_version && info->modules[i].has_version &&
                info->modules[i].version == m->version)
                jwalk_fail(w);
        info->module_count++;
    }
}

static void id_read(struct tcb_reading *t, struct jwalk *w)
{
    struct bytes id = jwalk_str(w);

    t->info->is_tdx = bytes_eq(id, BYTES_LIT("TDX"));
    if (!t->info->is_tdx && !bytes_eq(id, BYTES_LIT("SGX")))
        jwalk_fail(w);
    t->seen |= HAS_ID;
}

static unsigned member_read(struct tcb_reading *t, struct jwalk *w, struct bytes name)
{
    struct tcb_info *info = t->info;

    if (bytes_eq(name, BYTES_LIT("version"))) {
        info->version = (uint32_t)jwalk_u64(w, 3);
        return HAS_VERSION;
    }
    if (bytes_eq(name, BYTES_LIT("issueDate"))) {
        info->issue_unix_s = jwalk_date(w);
        return HAS_ISSUE;
    }
    if (bytes_eq(name, BYTES_LIT("nextUpdate"))) {
        info->next_update_unix_s = jwalk_date(w);
        return HAS_NEXT;
    }
    if (bytes_eq(name, BYTES_LIT("fmspc"))) {
        jwalk_hex(w, info->fmspc, sizeof(info->fmspc));
        return HAS_FMSPC;
    }
    if (bytes_eq(name, BYTES_LIT("pceId"))) {
        jwalk_hex(w, info->pceid, sizeof(info->pceid));
        return HAS_PCEID;
    }
    if (bytes_eq(name, BYTES_LIT("tcbType"))) {
        jwalk_u64(w, 0);
        return HAS_TYPE;
    }
    if (bytes_eq(name, BYTES_LIT("tcbEvaluationDataNumber"))) {
        info->eval_number = (uint32_t)jwalk_u64(w, UINT32_MAX);
        return HAS_EVAL;
    }
    if (bytes_eq(name, BYTES_LIT("tcbLevels"))) {
        levels_read(t, w);
        return HAS_LEVELS;
    }
    if (bytes_eq(name, BYTES_LIT("tdxModule"))) {
        module_read(&info->module, w, t->arena, false);
        return HAS_MODULE;
    }
    if (bytes_eq(name, BYTES_LIT("id")))
        id_read(t, w);
    else if (bytes_eq(name, BYTES_LIT("tdxModuleIdentities")))
        modules_read(t, w);
    else
        jwalk_skip(w);
    return 0;
}

/* What the members say together: TDX and SGX version 3, or SGX version 2 without an id. */
static bool is_consistent(const struct tcb_reading *t)
{
    const struct tcb_info *info = t->info;

    if ((t->seen & HAS_ALL) != HAS_ALL || info->level_count == 0)
        return false;
    if (info->version == 2)
        return !(t->seen & HAS_ID) && t->is_v2_form;
    if (info->version != 3 || !(t->seen & HAS_ID) || t->is_v2_form)
        return false;
    return !info->is_tdx || ((t->seen & HAS_MODULE) && (t->level_forms_all & HAS_TDX_SVNS));
}

enum tacit_err tcb_info_parse(struct tcb_info *out, struct bytes json, struct arena *arena)
{
    struct tcb_info info = {0};
    struct tcb_reading t = {.info = &info, .arena = arena};
    struct jval root;
    struct jwalk w;
    struct bytes name;

    *out = info;
    if (jscan_object(&root, json) != TACIT_OK || root.raw.len != json.len)
        return TACIT_FORMAT;
    w = jwalk_over(root);
    jwalk_enter(&w, '{');
    while (jwalk_member(&w, &name))
        t.seen |= member_read(&t, &w, name);
    if (w.is_bad || !is_consistent(&t))
        return TACIT_FORMAT;
    *out = info;
    return TACIT_OK;
}
