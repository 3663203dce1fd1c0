/* QE identity parser and comparison. */
#include "attest/qe_identity.h"

#include "attest/quote.h"
#include "attest/tcb_priv.h"

enum {
    HAS_ID = 1 << 0,
    HAS_VERSION = 1 << 1,
    HAS_ISSUE = 1 << 2,
    HAS_NEXT = 1 << 3,
    HAS_EVAL = 1 << 4,
    HAS_MISC = 1 << 5,
    HAS_MISC_MASK = 1 << 6,
    HAS_ATTR = 1 << 7,
    HAS_ATTR_MASK = 1 << 8,
    HAS_MRSIGNER = 1 << 9,
    HAS_PRODID = 1 << 10,
    HAS_LEVELS = 1 << 11,
    HAS_ALL = (1 << 12) - 1,
};

static void id_read(struct qe_identity *q, struct jwalk *w)
{
    struct bytes id = jwalk_str(w);

    q->is_tdx = bytes_eq(id, BYTES_LIT("TD_QE"));
    if (!q->is_tdx && !bytes_eq(id, BYTES_LIT("QE")))
        jwalk_fail(w);
}

/* Members of fixed size, spelled in hexadecimal. */
static unsigned hex_member(struct qe_identity *q, struct jwalk *w, struct bytes name)
{
    const struct {
        struct bytes name;
        unsigned flag;
        uint8_t *out;
        size_t len;
    } members[] = {
        {BYTES_LIT("miscselect"), HAS_MISC, q->miscselect, sizeof(q->miscselect)},
        {BYTES_LIT("miscselectMask"), HAS_MISC_MASK, q->miscselect_mask,
         sizeof(q->miscselect_mask)},
        {BYTES_LIT("attributes"), HAS_ATTR, q->attributes, sizeof(q->attributes)},
        {BYTES_LIT("attributesMask"), HAS_ATTR_MASK, q->attributes_mask,
         sizeof(q->attributes_mask)},
        {BYTES_LIT("mrsigner"), HAS_MRSIGNER, q->mrsigner, sizeof(q->mrsigner)},
    };

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (bytes_eq(name, members[i].name)) {
            jwalk_hex(w, members[i].out, members[i].len);
            return members[i].flag;
        }
    return 0;
}

static unsigned member_read(struct qe_identity *q, struct jwalk *w, struct bytes name,
                            struct arena *arena)
{
    unsigned flag = hex_member(q, w, name);

    if (flag != 0)
        return flag;
    if (bytes_eq(name, BYTES_LIT("id"))) {
        id_read(q, w);
        return HAS_ID;
    }
    if (bytes_eq(name, BYTES_LIT("version"))) {
        if (jwalk_u64(w, 2) != 2)
            jwalk_fail(w);
        return HAS_VERSION;
    }
    if (bytes_eq(name, BYTES_LIT("issueDate"))) {
        q->issue_unix_s = jwalk_date(w);
        return HAS_ISSUE;
    }
    if (bytes_eq(name, BYTES_LIT("nextUpdate"))) {
        q->next_update_unix_s = jwalk_date(w);
        return HAS_NEXT;
    }
    if (bytes_eq(name, BYTES_LIT("tcbEvaluationDataNumber"))) {
        q->eval_number = (uint32_t)jwalk_u64(w, UINT32_MAX);
        return HAS_EVAL;
    }
    if (bytes_eq(name, BYTES_LIT("isvprodid"))) {
        q->isvprodid = (uint16_t)jwalk_u64(w, 65535);
        return HAS_PRODID;
    }
    if (bytes_eq(name, BYTES_LIT("tcbLevels"))) {
        isv_levels_read(&q->levels, w, arena);
        return HAS_LEVELS;
    }
    jwalk_skip(w);
    return 0;
}

enum tacit_err qe_identity_parse(struct qe_identity *out, struct bytes json, struct arena *arena)
{
    struct qe_identity q = {0};
    unsigned seen = 0;
    struct bytes name;
    struct jval root;
    struct jwalk w;

    *out = q;
    if (jscan_object(&root, json) != TACIT_OK || root.raw.len != json.len)
        return TACIT_FORMAT;
    w = jwalk_over(root);
    jwalk_enter(&w, '{');
    while (jwalk_member(&w, &name))
        seen |= member_read(&q, &w, name, arena);
    if (w.is_bad || seen != HAS_ALL || q.levels.count == 0)
        return TACIT_FORMAT;
    *out = q;
    return TACIT_OK;
}

/* (value & mask) == wanted, octet by octet as stored. */
static bool masked_equal(struct bytes value, const uint8_t *mask, const uint8_t *wanted)
{
    for (size_t i = 0; i < value.len; i++)
        if ((value.ptr[i] & mask[i]) != wanted[i])
            return false;
    return true;
}

const char *qe_identity_differs(const struct qe_identity *id, const struct tacit_sgx_report *qe)
{
    if (!bytes_eq(qe->mrsigner, BYTES_ARRAY(id->mrsigner)))
        return "the quoting enclave has another signer (MRSIGNER)";
    if (qe->isvprodid != id->isvprodid)
        return "the quoting enclave has another product id";
    if (!masked_equal(qe->miscselect, id->miscselect_mask, id->miscselect))
        return "the quoting enclave's MISCSELECT differs";
    if (!masked_equal(qe->attributes, id->attributes_mask, id->attributes))
        return "the quoting enclave's attributes differ";
    if (quote_u64(bytes_slice(qe->attributes, 0, 8)) & SGX_ATTR_DEBUG)
        return "the quoting enclave runs in debug mode";
    return NULL;
}

const struct isv_level *isv_level_find(const struct isv_levels *levels, uint16_t isvsvn)
{
    for (size_t i = 0; i < levels->count; i++)
        if (levels->items[i].isvsvn <= isvsvn)
            return &levels->items[i];
    return NULL;
}
