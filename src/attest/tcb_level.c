/* What TCB levels of platforms, enclaves and modules have in common: status, date, advisories. */
#include "attest/tcb_priv.h"
#include "base/limits.h"
#include "base/utc.h"
#include "codec/hex.h"

void jwalk_fail(struct jwalk *w)
{
    w->is_bad = true;
    w->at = w->end;
}

void jwalk_hex(struct jwalk *w, uint8_t *out, size_t len)
{
    if (hex_decode_fixed(out, len, jwalk_str(w)) != TACIT_OK)
        jwalk_fail(w);
}

int64_t jwalk_date(struct jwalk *w)
{
    int64_t unix_s;

    if (utc_parse(&unix_s, jwalk_str(w)) != TACIT_OK)
        jwalk_fail(w);
    return unix_s;
}

static const struct {
    enum tacit_tcb_status status;
    const char *name;
} status_names[] = {
    {TACIT_TCB_UP_TO_DATE, "UpToDate"},
    {TACIT_TCB_SW_HARDENING_NEEDED, "SWHardeningNeeded"},
    {TACIT_TCB_CONFIGURATION_NEEDED, "ConfigurationNeeded"},
    {TACIT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED, "ConfigurationAndSWHardeningNeeded"},
    {TACIT_TCB_OUT_OF_DATE, "OutOfDate"},
    {TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED, "OutOfDateConfigurationNeeded"},
    {TACIT_TCB_REVOKED, "Revoked"},
    {TACIT_TCB_TD_RELAUNCH_ADVISED, "TDRelaunchAdvised"},
    {TACIT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED, "TDRelaunchAdvisedConfigurationNeeded"},
};

enum { STATUSES_OF_INTEL = 7 }; /* the relaunch statuses never come out of a document */

const char *tacit_tcb_status_name(enum tacit_tcb_status status)
{
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++)
        if (status_names[i].status == status)
            return status_names[i].name;
    return "none";
}

enum tacit_tcb_status tcb_status_of(struct bytes name)
{
    for (size_t i = 0; i < STATUSES_OF_INTEL; i++)
        if (bytes_eq_cstr(name, status_names[i].name))
            return status_names[i].status;
    return TACIT_TCB_NONE;
}

/* Printable ASCII without blanks. */
static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= 0x20 || text.ptr[i] >= 0x7f)
            return false;
    return text.len > 0 && text.len < TACIT_ADVISORY_LEN;
}

/* Array of plain strings that fit a result. */
static struct bytes advisories_read(struct jwalk *w)
{
    const uint8_t *from;
    size_t count = 0;

    if (!jwalk_enter(w, '['))
        return (struct bytes){NULL, 0};
    from = w->at - 1;
    while (jwalk_item(w)) {
        struct bytes id = jwalk_str(w);

        if (!is_plain(id) || ++count > LIMIT_TCB_ADVISORIES)
            jwalk_fail(w);
    }
    return w->is_bad ? (struct bytes){NULL, 0} : (struct bytes){from, (size_t)(w->at - from)};
}

bool verdict_member(struct tcb_verdict *v, struct jwalk *w, struct bytes name)
{
    if (bytes_eq(name, BYTES_LIT("tcbStatus"))) {
        v->status = tcb_status_of(jwalk_str(w));
        if (v->status == TACIT_TCB_NONE)
            jwalk_fail(w);
        return true;
    }
    if (bytes_eq(name, BYTES_LIT("tcbDate"))) {
        v->date_unix_s = jwalk_date(w);
        return true;
    }
    if (bytes_eq(name, BYTES_LIT("advisoryIDs"))) {
        v->advisories = advisories_read(w);
        return true;
    }
    return false;
}

bool verdict_is_complete(const struct tcb_verdict *v)
{
    return v->status != TACIT_TCB_NONE && v->date_unix_s != 0;
}

/* Descending by isvsvn; false if the level is there already. */
static bool isv_insert(struct isv_levels *levels, const struct isv_level *level)
{
    size_t at = levels->count;

    while (at > 0 && levels->items[at - 1].isvsvn < level->isvsvn)
        at--;
    if (at > 0 && levels->items[at - 1].isvsvn == level->isvsvn)
        return false;
    memmove(&levels->items[at + 1], &levels->items[at],
            (levels->count - at) * sizeof(levels->items[0]));
    levels->items[at] = *level;
    levels->count++;
    return true;
}

/* {"isvsvn":n} */
static bool isvsvn_read(uint16_t *isvsvn, struct jwalk *w)
{
    bool has_svn = false;
    struct bytes name;

    jwalk_enter(w, '{');
    while (jwalk_member(w, &name)) {
        if (bytes_eq(name, BYTES_LIT("isvsvn"))) {
            *isvsvn = (uint16_t)jwalk_u64(w, 65535);
            has_svn = true;
        } else {
            jwalk_skip(w);
        }
    }
    return has_svn;
}

void isv_levels_read(struct isv_levels *out, struct jwalk *w, struct arena *arena)
{
    struct bytes name;

    out->items = arena_alloc(arena, LIMIT_ISV_LEVELS * sizeof(out->items[0]));
    if (out->items == NULL) {
        jwalk_fail(w);
        return;
    }
    jwalk_enter(w, '[');
    while (jwalk_item(w)) {
        struct isv_level level = {0};
        bool has_tcb = false;

        jwalk_enter(w, '{');
        while (jwalk_member(w, &name)) {
            if (bytes_eq(name, BYTES_LIT("tcb")))
                has_tcb = isvsvn_read(&level.isvsvn, w);
            else if (!verdict_member(&level.verdict, w, name))
                jwalk_skip(w);
        }
        if (!has_tcb || !verdict_is_complete(&level.verdict) || out->count == LIMIT_ISV_LEVELS ||
            !isv_insert(out, &level))
            jwalk_fail(w);
    }
}
