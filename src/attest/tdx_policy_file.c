/* Reading a policy file. Invariant: every member is known to one table and set by one function; the
 * first that cannot be read ends the reading with its name. */
#include "attest/tdx_policy.h"

#include <stddef.h>
#include <stdio.h>

#include "attest/tcb_info.h"
#include "base/limits.h"
#include "base/utc.h"
#include "codec/hex.h"
#include "codec/jscan.h"

enum member_kind { KIND_BOOL, KIND_U32, KIND_DATE, KIND_PINS, KIND_STATUSES, KIND_ADVISORIES };

struct member {
    const char *name;
    enum member_kind kind;
    size_t at;        /* offset in the policy */
    size_t value_len; /* octets of a pin */
};

#define AT(field) offsetof(struct tacit_tdx_policy, field)

static const struct member members[] = {
    {"tcb_status", KIND_STATUSES, AT(tcb_accepted), 0},
    {"grace_days", KIND_U32, AT(grace_days), 0},
    {"advisories", KIND_ADVISORIES, AT(advisories_accepted), 0},
    {"min_eval_number", KIND_U32, AT(min_eval_number), 0},
    {"min_tcb_date", KIND_DATE, AT(min_tcb_date_unix_s), 0},
    {"allow_debug", KIND_BOOL, AT(allow_debug), 0},
    {"allow_migratable", KIND_BOOL, AT(allow_migratable), 0},
    {"allow_reserved_attributes", KIND_BOOL, AT(allow_reserved_attributes), 0},
    {"allow_any_xfam", KIND_BOOL, AT(allow_any_xfam), 0},
    {"require_sept_ve_disable", KIND_BOOL, AT(require_sept_ve_disable), 0},
    {"allow_service_td", KIND_BOOL, AT(allow_service_td), 0},
    {"refuse_smt", KIND_BOOL, AT(refuse_smt), 0},
    {"refuse_dynamic_platform", KIND_BOOL, AT(refuse_dynamic_platform), 0},
    {"service_tds", KIND_PINS, AT(service_tds), 48},
    {"mrtd", KIND_PINS, AT(mrtd), 48},
    {"mrseam", KIND_PINS, AT(mrseam), 48},
    {"mrconfigid", KIND_PINS, AT(mrconfigid), 48},
    {"mrowner", KIND_PINS, AT(mrowner), 48},
    {"mrownerconfig", KIND_PINS, AT(mrownerconfig), 48},
    {"rtmr0", KIND_PINS, AT(rtmr[0]), 48},
    {"rtmr1", KIND_PINS, AT(rtmr[1]), 48},
    {"rtmr2", KIND_PINS, AT(rtmr[2]), 48},
    {"rtmr3", KIND_PINS, AT(rtmr[3]), 48},
    {"mrenclave", KIND_PINS, AT(mrenclave), 32},
    {"mrsigner", KIND_PINS, AT(mrsigner), 32},
    {"fmspc", KIND_PINS, AT(fmspc), 6},
    {"ppid", KIND_PINS, AT(ppid), 16},
    {"platform_instance_id", KIND_PINS, AT(platform_instance_id), 16},
};

static void *slot(struct tacit_tdx_policy *p, const struct member *m)
{
    return (uint8_t *)p + m->at;
}

static enum tacit_err statuses_read(uint32_t *accepted, struct jval list)
{
    struct jiter it = jscan_iter(list);
    struct jval item;
    struct bytes name;

    *accepted = 0;
    while (jscan_next(&it, NULL, &item)) {
        enum tacit_tcb_status status = TACIT_TCB_NONE;

        if (!jscan_str_view(&name, item))
            return TACIT_CONFIG;
        for (int s = TACIT_TCB_UP_TO_DATE; s < TACIT_TCB_REVOKED; s++)
            if (bytes_eq_cstr(name, tacit_tcb_status_name((enum tacit_tcb_status)s)))
                status = (enum tacit_tcb_status)s;
        if (status == TACIT_TCB_NONE)
            return TACIT_CONFIG;
        *accepted |= BIT(status);
    }
    return *accepted != 0 ? TACIT_OK : TACIT_CONFIG;
}

static enum tacit_err pins_read(struct tacit_pins *pins, struct jval list, size_t value_len,
                                struct arena *arena)
{
    size_t count = jscan_count(list);
    struct bytes *values = arena_alloc(arena, count * sizeof(*values) + 1);
    struct jiter it = jscan_iter(list);
    struct jval item;
    struct bytes text;

    if (list.type != JVAL_ARRAY || count == 0)
        return TACIT_CONFIG;
    if (values == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; jscan_next(&it, NULL, &item); i++) {
        uint8_t *octets = arena_alloc(arena, value_len);

        if (octets == NULL)
            return TACIT_NOMEM;
        if (!jscan_str_view(&text, item) || hex_decode_fixed(octets, value_len, text) != TACIT_OK)
            return TACIT_CONFIG;
        values[i] = bytes_make(octets, value_len);
    }
    *pins = (struct tacit_pins){values, count};
    return TACIT_OK;
}

/* An empty list is allowed here: no advisory is accepted. */
static enum tacit_err advisories_read(struct tacit_tdx_policy *p, struct jval list,
                                      struct arena *arena)
{
    size_t count = jscan_count(list);
    const char **ids = arena_alloc(arena, (count + 1) * sizeof(*ids));
    struct jiter it = jscan_iter(list);
    struct jval item;

    if (list.type != JVAL_ARRAY)
        return TACIT_CONFIG;
    if (ids == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; jscan_next(&it, NULL, &item); i++) {
        if (item.type != JVAL_STRING)
            return TACIT_CONFIG;
        ids[i] = (const char *)jscan_str_dup(arena, item).ptr;
        if (ids[i] == NULL)
            return TACIT_NOMEM;
    }
    p->advisories_accepted = ids;
    p->advisories_accepted_count = count;
    return TACIT_OK;
}

static enum tacit_err date_read(int64_t *unix_s, struct jval val)
{
    struct bytes text;

    return jscan_str_view(&text, val) && utc_parse(unix_s, text) == TACIT_OK ? TACIT_OK
                                                                             : TACIT_CONFIG;
}

static enum tacit_err u32_read(uint32_t *out, struct jval val)
{
    uint64_t n;

    if (!jscan_u64(&n, val, UINT32_MAX))
        return TACIT_CONFIG;
    *out = (uint32_t)n;
    return TACIT_OK;
}

static enum tacit_err member_read(struct tacit_tdx_policy *p, const struct member *m,
                                  struct jval val, struct arena *arena)
{
    switch (m->kind) {
    case KIND_BOOL:
        return jscan_bool(slot(p, m), val) ? TACIT_OK : TACIT_CONFIG;
    case KIND_U32:
        return u32_read(slot(p, m), val);
    case KIND_DATE:
        return date_read(slot(p, m), val);
    case KIND_PINS:
        return pins_read(slot(p, m), val, m->value_len, arena);
    case KIND_STATUSES:
        return statuses_read(slot(p, m), val);
    case KIND_ADVISORIES:
        return advisories_read(p, val, arena);
    }
    return TACIT_CONFIG;
}

static enum tacit_err members_read(struct tacit_tdx_policy *p, char *why, struct jval root,
                                   struct arena *arena)
{
    struct jiter it = jscan_iter(root);
    struct jval name, val;

    while (jscan_next(&it, &name, &val)) {
        const struct member *m = NULL;
        enum tacit_err err;

        for (size_t i = 0; i < ARRAY_LEN(members); i++)
            if (jscan_str_eq_cstr(name, members[i].name))
                m = &members[i];
        if (m == NULL) {
            snprintf(why, TDX_POLICY_WHY_MAX, "unknown member %.*s",
                     (int)(name.raw.len < 60 ? name.raw.len : 60), (const char *)name.raw.ptr);
            return TACIT_CONFIG;
        }
        err = member_read(p, m, val, arena);
        if (err == TACIT_CONFIG)
            snprintf(why, TDX_POLICY_WHY_MAX, "member \"%s\" has not the value it should have",
                     m->name);
        if (err != TACIT_OK)
            return err;
    }
    return TACIT_OK;
}

enum tacit_err tdx_policy_parse(struct tacit_tdx_policy *out, char why[static TDX_POLICY_WHY_MAX],
                                struct bytes json, struct arena *arena)
{
    struct tacit_tdx_policy p = tacit_tdx_policy_default();
    struct jscan_fault fault;
    struct jval root;
    enum tacit_err err;

    *out = (struct tacit_tdx_policy){0};
    why[0] = 0;
    if (json.len > LIMIT_POLICY_BYTES || jscan_validate(&root, &fault, json) != TACIT_OK ||
        root.type != JVAL_OBJECT) {
        snprintf(why, TDX_POLICY_WHY_MAX, "the policy is not one strict JSON object");
        return TACIT_CONFIG;
    }
    err = members_read(&p, why, root, arena);
    if (err == TACIT_OK)
        *out = p;
    return err;
}
