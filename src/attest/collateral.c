/* Reading the compact collateral file. */
#include "attest/collateral.h"

#include <stddef.h>

#include "base/limits.h"
#include "codec/hex.h"
#include "codec/jscan.h"

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
static enum tacit_err member_take(struct collateral *c, const struct member *m, struct jval val,
                                  struct arena *arena)
{
    struct bytes *out = (struct bytes *)(void *)((uint8_t *)c + m->at);
    struct bytes text;

    if (m->is_optional && jscan_is_nothing(val))
        return TACIT_OK;
    if (val.type != JVAL_STRING)
        return TACIT_FORMAT;
    if (!jscan_str_view(&text, val)) {
        text = jscan_str_dup(arena, val);
        if (text.ptr == NULL)
            return TACIT_NOMEM;
    }
    if (m->is_hex)
        return hex_dup(out, text, arena);
    *out = text;
    return TACIT_OK;
}

enum tacit_err collateral_parse(struct collateral *out, const char **missing, struct bytes in,
                                struct arena *arena)
{
    struct jscan_field fields[ARRAY_LEN(members)] = {0};
    struct collateral c = {0};
    struct jval root;

    *out = c;
    if (missing != NULL)
        *missing = NULL;
    if (in.len > LIMIT_COLLATERAL_BYTES)
        return TACIT_LIMIT;
    if (jscan_object(&root, in) != TACIT_OK)
        return TACIT_FORMAT;
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        fields[i].name = members[i].name;
    jscan_fields(root, fields, ARRAY_LEN(fields));
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        enum tacit_err err = member_take(&c, &members[i], fields[i].val, arena);

        if (err == TACIT_FORMAT && missing != NULL)
            *missing = members[i].name;
        if (err != TACIT_OK)
            return err;
    }
    *out = c;
    return TACIT_OK;
}
