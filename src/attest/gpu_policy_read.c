/* Policy files: JSON with a closed set of keys, so that a misspelt demand is an error and not a
 * demand that nobody makes. NVIDIA's own form ("authorization-rules") is taken as it is. */
#include "attest/gpu_policy.h"

#include <stdio.h>

#include "attest/gpu_evidence.h"
#include "codec/jscan.h"

enum { WHY_LEN = 256, POLICY_MAX = 256 * 1024, OCSP_AGE_MAX = 366 * 86400, DAYS_MAX = 3660 };

struct reading {
    struct tacit_gpu_policy *p;
    char *why;
};

static bool bad(const struct reading *r, const char *what)
{
    if (r->why[0] == 0)
        snprintf(r->why, WHY_LEN, "the GPU policy's %s", what);
    return false;
}

static bool bool_read(bool *out, struct jval v)
{
    return v.type == JVAL_NONE || jscan_bool(out, v);
}

/* One of two words; absent keeps what is there. */
static bool word_read(bool *out, struct jval v, const char *yes, const char *no)
{
    if (v.type == JVAL_NONE)
        return true;
    *out = jscan_str_eq_cstr(v, yes);
    return *out || jscan_str_eq_cstr(v, no);
}

static bool number_read(uint64_t *out, struct jval v, uint64_t max)
{
    return v.type == JVAL_NONE || jscan_u64(out, v, max);
}

static bool text_read(char *out, size_t room, struct jval v)
{
    struct bytes text;

    if (!jscan_str_view(&text, v) || text.len == 0 || text.len >= room)
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return true;
}

/* Versions that gpu_version_compare understands; at most TACIT_GPU_LIST_MAX. */
static bool versions_read(char (*out)[TACIT_GPU_VERSION_MAX], size_t *count, struct jval list,
                          bool is_hex)
{
    struct jiter it = jscan_iter(list);
    struct jval item;
    int order;

    *count = 0;
    if (list.type != JVAL_ARRAY)
        return list.type == JVAL_NONE;
    while (jscan_next(&it, NULL, &item)) {
        if (*count == TACIT_GPU_LIST_MAX || !text_read(out[*count], TACIT_GPU_VERSION_MAX, item) ||
            !gpu_version_compare(&order, out[*count], out[*count], is_hex))
            return false;
        (*count)++;
    }
    return true;
}

static bool version_lists(struct jval v, char (*min)[TACIT_GPU_VERSION_MAX], size_t *min_count,
                          char (*deny)[TACIT_GPU_VERSION_MAX], size_t *deny_count, bool is_hex)
{
    struct jscan_field f[] = {{.name = "min"}, {.name = "deny"}};

    if (v.type == JVAL_NONE)
        return true;
    return jscan_fields(v, f, ARRAY_LEN(f)) == 0 &&
           versions_read(min, min_count, f[0].val, is_hex) &&
           versions_read(deny, deny_count, f[1].val, is_hex);
}

static bool arch_mask_read(unsigned *mask, struct jval list)
{
    struct jiter it = jscan_iter(list);
    enum tacit_gpu_arch arch;
    struct bytes text;
    struct jval item;

    if (list.type != JVAL_ARRAY)
        return list.type == JVAL_NONE;
    while (jscan_next(&it, NULL, &item)) {
        if (!jscan_str_view(&text, item) || !gpu_arch_parse(&arch, text) || arch == TACIT_GPU_LS10)
            return false;
        *mask |= BIT((unsigned)arch);
    }
    return *mask != 0;
}

static bool mode_mask_read(unsigned *mask, struct jval list)
{
    struct jiter it = jscan_iter(list);
    struct jval item;

    if (list.type != JVAL_ARRAY)
        return list.type == JVAL_NONE;
    while (jscan_next(&it, NULL, &item)) {
        unsigned before = *mask;

        for (unsigned m = TACIT_GPU_MODE_SPT; m <= TACIT_GPU_MODE_PPCIE; m++)
            if (jscan_str_eq_cstr(item, tacit_gpu_mode_name((enum tacit_gpu_mode)m)))
                *mask |= BIT(m);
        if (*mask == before)
            return false;
    }
    return *mask != 0;
}

static bool ueids_read(struct tacit_gpu_policy *p, struct jval list)
{
    struct jiter it = jscan_iter(list);
    struct jval item;

    if (list.type != JVAL_ARRAY)
        return list.type == JVAL_NONE;
    while (jscan_next(&it, NULL, &item))
        if (p->ueid_count == TACIT_GPU_LIST_MAX ||
            !text_read(p->ueid[p->ueid_count++], TACIT_GPU_TEXT_MAX, item))
            return false;
    return p->ueid_count > 0;
}

static bool devices_read(const struct reading *r, struct jval v)
{
    struct jscan_field f[] = {{.name = "min"},  {.name = "max"},  {.name = "mode"},
                              {.name = "arch"}, {.name = "ueid"}, {.name = "one-driver"}};
    uint64_t min = 0, max = 0;
    bool one_driver = true;

    if (v.type == JVAL_NONE)
        return true;
    if (jscan_fields(v, f, ARRAY_LEN(f)) != 0)
        return bad(r, "\"devices\" has an unknown key");
    if (!number_read(&min, f[0].val, LIMIT_GPU_DEVICES) ||
        !number_read(&max, f[1].val, LIMIT_GPU_DEVICES) || (max > 0 && min > max))
        return bad(r, "number of devices is out of range");
    r->p->devices_min = (unsigned)min;
    r->p->devices_max = (unsigned)max;
    if (!mode_mask_read(&r->p->mode_mask, f[2].val) || !arch_mask_read(&r->p->arch_mask, f[3].val))
        return bad(r, "modes or architectures are not lists of known names");
    if (!ueids_read(r->p, f[4].val))
        return bad(r, "\"ueid\" is not a list of up to 16 serial numbers");
    if (!bool_read(&one_driver, f[5].val) || !one_driver)
        return bad(r, "\"one-driver\" can only be true: one driver serves a machine");
    return true;
}

static bool ocsp_read(const struct reading *r, struct jval v)
{
    struct jscan_field f[] = {{.name = "required"}, {.name = "allow-hold"}, {.name = "max-age"}};
    uint64_t age = 0;

    if (v.type == JVAL_NONE)
        return true;
    if (jscan_fields(v, f, ARRAY_LEN(f)) != 0 || !bool_read(&r->p->is_ocsp_required, f[0].val) ||
        !bool_read(&r->p->is_hold_allowed, f[1].val) || !number_read(&age, f[2].val, OCSP_AGE_MAX))
        return bad(r,
                   "\"ocsp\" is {\"required\": bool, \"allow-hold\": bool, \"max-age\": seconds}");
    r->p->ocsp_max_age_s = (uint32_t)age;
    return true;
}

static bool rim_read(const struct reading *r, struct jval v)
{
    struct jscan_field f[] = {
        {.name = "required"}, {.name = "waived"}, {.name = "allow-expired-days"}};
    uint64_t days = 0;

    if (v.type == JVAL_NONE)
        return true;
    if (jscan_fields(v, f, ARRAY_LEN(f)) != 0 || !bool_read(&r->p->is_rim_required, f[0].val) ||
        !bool_read(&r->p->is_rim_waived, f[1].val) || !number_read(&days, f[2].val, DAYS_MAX) ||
        (r->p->is_rim_required && r->p->is_rim_waived))
        return bad(r, "\"rim\" is {\"required\": bool, \"waived\": bool, "
                      "\"allow-expired-days\": number}");
    r->p->rim_expired_days = (uint32_t)days;
    return true;
}

static bool nras_read(const struct reading *r, struct jval v)
{
    struct jscan_field f[] = {{.name = "required"}};

    if (v.type == JVAL_NONE)
        return true;
    if (jscan_fields(v, f, ARRAY_LEN(f)) != 0 || !bool_read(&r->p->is_nras_required, f[0].val))
        return bad(r, "\"nras\" is {\"required\": bool}");
    return true;
}

static bool mismatch_read(const struct reading *r, struct jval list)
{
    struct jiter it = jscan_iter(list);
    struct jval item;
    uint64_t index;

    if (list.type != JVAL_ARRAY && list.type != JVAL_NONE)
        return bad(r, "\"allow-mismatch\" is not a list of indexes");
    while (jscan_next(&it, NULL, &item)) {
        if (!jscan_u64(&index, item, GPU_BLOCKS_GPU - 1))
            return bad(r, "\"allow-mismatch\" is not a list of indexes from 0 to 63");
        r->p->mismatch_mask |= UINT64_C(1) << index;
    }
    return true;
}

static bool binding_read(const struct reading *r, struct jval v)
{
    if (v.type == JVAL_NONE)
        return true;
    for (int b = TACIT_GPU_BINDING_NONE; b <= TACIT_GPU_BINDING_BOTH; b++) {
        r->p->binding = (enum tacit_gpu_binding)b;
        if (jscan_str_eq_cstr(v, tacit_gpu_binding_name(r->p->binding)))
            return true;
    }
    return bad(r, "\"binding\" is not none, nonce, derived-nonce, evidence-hash or both");
}

/* {"type": "JWT", "overall-claims": {…}, "detached-claims": {…}} */
static bool rules_read(const struct reading *r, struct jval v, struct jval version)
{
    struct jscan_field f[] = {
        {.name = "type"}, {.name = "overall-claims"}, {.name = "detached-claims"}};

    if (v.type == JVAL_NONE)
        return version.type == JVAL_NONE || bad(r, "\"version\" comes without rules");
    if (!jscan_str_eq_cstr(version, "3.0") && !jscan_str_eq_cstr(version, "4.0"))
        return bad(r, "\"version\" is not 3.0 or 4.0");
    if (jscan_fields(v, f, ARRAY_LEN(f)) != 0 || !jscan_str_eq_cstr(f[0].val, "JWT") ||
        (f[1].val.type != JVAL_NONE && f[1].val.type != JVAL_OBJECT) ||
        (f[2].val.type != JVAL_NONE && f[2].val.type != JVAL_OBJECT))
        return bad(r, "\"authorization-rules\" is not of NVIDIA's form");
    r->p->rules = v.raw;
    return true;
}

static bool flags_read(const struct reading *r, const struct jscan_field *f)
{
    bool is_allowed = true;

    if (!word_read(&r->p->is_fwid_required, f[0].val, "required", "if-present"))
        return bad(r, "\"fwid\" is not required or if-present");
    if (!word_read(&r->p->is_switch_waived, f[1].val, "if-present", "required"))
        return bad(r, "\"switches\" is not required or if-present");
    if (!word_read(&r->p->is_unknown_refused, f[2].val, "refuse", "accept"))
        return bad(r, "\"unknown-fields\" is not refuse or accept");
    if (!word_read(&r->p->is_nvdec_compared, f[3].val, "compare", "skip-if-disabled"))
        return bad(r, "\"nvdec\" is not compare or skip-if-disabled");
    if (!bool_read(&r->p->is_trailing_allowed, f[4].val))
        return bad(r, "\"trailing-zeros\" is not true or false");
    if (!bool_read(&is_allowed, f[5].val))
        return bad(r, "\"simulated\" is not true or false");
    r->p->is_simulated_refused = !is_allowed;
    return true;
}

static bool policy_read(const struct reading *r, struct jval root)
{
    struct jscan_field f[] = {
        {.name = "fwid"},
        {.name = "switches"},
        {.name = "unknown-fields"},
        {.name = "nvdec"},
        {.name = "trailing-zeros"},
        {.name = "simulated"},
        {.name = "devices"},
        {.name = "driver-versions"},
        {.name = "vbios-versions"},
        {.name = "ocsp"},
        {.name = "rim"},
        {.name = "nras"},
        {.name = "allow-mismatch"},
        {.name = "binding"},
        {.name = "authorization-rules"},
        {.name = "version"},
    };
    struct tacit_gpu_policy *p = r->p;

    if (jscan_fields(root, f, ARRAY_LEN(f)) != 0)
        return bad(r, "file has an unknown key");
    if (!flags_read(r, f) || !devices_read(r, f[6].val))
        return false;
    if (!version_lists(f[7].val, p->driver_min, &p->driver_min_count, p->driver_deny,
                       &p->driver_deny_count, false))
        return bad(r, "\"driver-versions\" is not {\"min\": [], \"deny\": []} of versions");
    if (!version_lists(f[8].val, p->vbios_min, &p->vbios_min_count, p->vbios_deny,
                       &p->vbios_deny_count, true))
        return bad(r, "\"vbios-versions\" is not {\"min\": [], \"deny\": []} of versions");
    return ocsp_read(r, f[9].val) && rim_read(r, f[10].val) && nras_read(r, f[11].val) &&
           mismatch_read(r, f[12].val) && binding_read(r, f[13].val) &&
           rules_read(r, f[14].val, f[15].val);
}

enum tacit_err tacit_gpu_policy_parse(struct tacit_gpu_policy *out, struct bytes json, char *why)
{
    struct reading r = {out, why};
    struct jval root;

    *out = (struct tacit_gpu_policy){0};
    why[0] = 0;
    if (json.len > POLICY_MAX || jscan_object(&root, json) != TACIT_OK)
        bad(&r, "file is no strict JSON object");
    else if (policy_read(&r, root))
        return TACIT_OK;
    *out = (struct tacit_gpu_policy){0};
    return TACIT_CONFIG;
}

/* Every member of `wanted` is in `have` and equal; objects likewise. Depth is bounded by the
 * scanner's limit. */
static bool claims_match(char bad_name[static ROW_TEXT_MAX], struct jval wanted, struct jval have)
{
    struct jiter it = jscan_iter(wanted);
    struct jval name, val;
    struct bytes text;

    while (jscan_next(&it, &name, &val)) {
        struct jval mine = JVAL_ABSENT;
        char key[ROW_TEXT_MAX];

        if (jscan_str_view(&text, name) && text.len < sizeof(key))
            mine = jscan_member(have, row_text(key, text));
        else
            row_text(key, BYTES_LIT("(a claim)"));
        if (val.type == JVAL_OBJECT && mine.type == JVAL_OBJECT) {
            if (!claims_match(bad_name, val, mine))
                return false;
            continue;
        }
        if (val.type != mine.type || !bytes_eq(val.raw, mine.raw)) {
            memcpy(bad_name, key, sizeof(key));
            return false;
        }
    }
    return true;
}

bool gpu_rules_row(const struct row_scope *s, struct bytes rules, const char *part,
                   struct bytes claims)
{
    char name[ROW_TEXT_MAX] = "";
    struct jval root, have;

    if (jscan_object(&root, rules) != TACIT_OK || jscan_object(&have, claims) != TACIT_OK) {
        row_fail(s, "gpu.policy.rules", TACIT_CAUSE_UNOBTAINABLE, "the rules cannot be applied");
        return false;
    }
    if (!claims_match(name, jscan_member(root, part), have)) {
        row_fail(s, "gpu.policy.rules", TACIT_CAUSE_POLICY,
                 "claim %s is not what the policy's %s want", name, part);
        return false;
    }
    row_pass(s, "gpu.policy.rules");
    return true;
}
