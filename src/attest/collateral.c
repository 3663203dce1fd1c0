/* Reading the compact collateral file. */
#include "attest/collateral.h"

#include <stddef.h>

#include "base/limits.h"
#include "codec/hex.h"
#include "codec/jwalk.h"

/* Decoded octets of a hex string, empty for bad hex: whoever needs them refuses then. */
static enum tacit_err hex_dup(struct bytes *out, struct bytes text, struct arena *arena)
{
    uint8_t *mem;

    *out = (struct bytes){NULL, 0};
    if (text.len == 0 || text.len % 2 != 0)
        return TACIT_OK;
    mem = arena_alloc(arena, text.len / 2);
    if (mem == NULL)
        return TACIT_NOMEM;
    if (hex_decode_fixed(mem, text.len / 2, text) == TACIT_OK)
        *out = bytes_make(mem, text.len / 2);
    return TACIT_OK;
}

/* One member of the file and where it goes. */
struct member {
    const char *name;
    size_t at; /* offset in struct collateral */
    bool is_hex;
    bool is_optional;
};

#define MEMBER(field) #field, offsetof(struct collateral, field)

static const struct member members[] = {
    {MEMBER(pck_crl_issuer_chain), false, false},
    {MEMBER(root_ca_crl), true, false},
    {MEMBER(pck_crl), true, false},
    {MEMBER(tcb_info_issuer_chain), false, false},
    {MEMBER(tcb_info), false, false},
    {MEMBER(tcb_info_signature), true, false},
    {MEMBER(qe_identity_issuer_chain), false, false},
    {MEMBER(qe_identity), false, false},
    {MEMBER(qe_identity_signature), true, false},
    {MEMBER(pck_certificate_chain), false, true},
};

/* The content of a string member, unescaped and, if so marked, decoded from hex. */
static enum tacit_err member_take(struct collateral *c, const struct member *m, struct bytes raw,
                                  struct arena *arena)
{
    struct bytes *out = (struct bytes *)(void *)((uint8_t *)c + m->at);
    struct jval val = {JVAL_STRING, raw};
    struct bytes text;

    if (m->is_optional && bytes_eq(raw, BYTES_LIT("null")))
        return TACIT_OK;
    if (raw.len < 2 || raw.ptr[0] != '"')
        return TACIT_FORMAT;
    text = bytes_slice(raw, 1, raw.len - 2);
    if (text.len > 0 && memchr(text.ptr, '\\', text.len) != NULL) {
        text = jscan_str_dup(arena, val);
        if (text.ptr == NULL)
            return TACIT_NOMEM;
    }
    if (m->is_hex)
        return hex_dup(out, text, arena);
    *out = text;
    return TACIT_OK;
}

static const struct member *member_find(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (bytes_eq_cstr(name, members[i].name))
            return &members[i];
    return NULL;
}

/* Unknown members are passed over. `seen` has one bit a member. */
static enum tacit_err members_read(struct collateral *c, unsigned *seen, struct jwalk *w,
                                   const char **missing, struct arena *arena)
{
    struct bytes name;

    jwalk_enter(w, '{');
    while (jwalk_member(w, &name)) {
        const struct member *m = member_find(name);
        struct bytes raw = jwalk_skip(w);
        enum tacit_err err;

        if (m == NULL)
            continue;
        err = member_take(c, m, raw, arena);
        if (err == TACIT_FORMAT)
            *missing = m->name;
        if (err != TACIT_OK)
            return err;
        *seen |= BIT(m - members);
    }
    return w->is_bad ? TACIT_FORMAT : TACIT_OK;
}

enum tacit_err collateral_parse(struct collateral *out, const char **missing, struct bytes in,
                                struct arena *arena)
{
    struct collateral c = {0};
    const char *bad = NULL;
    unsigned seen = 0;
    struct jval root;
    struct jwalk w;
    enum tacit_err err;

    *out = c;
    if (missing != NULL)
        *missing = NULL;
    if (in.len > LIMIT_COLLATERAL_BYTES)
        return TACIT_LIMIT;
    if (jscan_object(&root, in) != TACIT_OK)
        return TACIT_FORMAT;
    w = jwalk_over(root);
    err = members_read(&c, &seen, &w, &bad, arena);
    for (size_t i = 0; err == TACIT_OK && i < ARRAY_LEN(members); i++)
        if (!members[i].is_optional && !(seen & BIT(i))) {
            bad = members[i].name;
            err = TACIT_FORMAT;
        }
    if (missing != NULL)
        *missing = bad;
    if (err == TACIT_OK)
        *out = c;
    return err;
}
