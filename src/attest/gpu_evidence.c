/* Evidence lists. What the text around a report claims is used for sorting only, never believed. */
#include "attest/gpu_evidence.h"

#include "codec/base64.h"
#include "codec/jscan.h"

const char *tacit_gpu_arch_name(enum tacit_gpu_arch arch)
{
    switch (arch) {
    case TACIT_GPU_ARCH_UNKNOWN:
        break;
    case TACIT_GPU_HOPPER:
        return "HOPPER";
    case TACIT_GPU_BLACKWELL:
        return "BLACKWELL";
    case TACIT_GPU_LS10:
        return "LS10";
    }
    return "UNKNOWN";
}

const char *tacit_gpu_mode_name(enum tacit_gpu_mode mode)
{
    switch (mode) {
    case TACIT_GPU_MODE_SPT:
        break;
    case TACIT_GPU_MODE_MPT:
        return "MPT";
    case TACIT_GPU_MODE_PPCIE:
        return "PPCIE";
    }
    return "SPT";
}

bool gpu_arch_parse(enum tacit_gpu_arch *out, struct bytes text)
{
    for (int a = TACIT_GPU_HOPPER; a <= TACIT_GPU_LS10; a++) {
        *out = (enum tacit_gpu_arch)a;
        if (bytes_eq_cstr(text, tacit_gpu_arch_name(*out)))
            return true;
    }
    *out = TACIT_GPU_ARCH_UNKNOWN;
    return false;
}

static enum tacit_err base64_read(struct bytes *out, struct jval v, struct arena *arena)
{
    struct bytes text = jscan_str_dup(arena, v);
    size_t room = base64_decoded_max(text.len);
    uint8_t *mem = arena_alloc(arena, room > 0 ? room : 1);
    struct buf b;

    if (v.type != JVAL_STRING)
        return TACIT_FORMAT;
    if (text.ptr == NULL || mem == NULL)
        return TACIT_NOMEM;
    b = buf_over(mem, room);
    if (base64_decode(&b, text, BASE64_STD) != TACIT_OK)
        return TACIT_FORMAT;
    *out = buf_bytes(&b);
    return TACIT_OK;
}

static enum tacit_err item_read(struct tacit_gpu_item *out, const char **why, struct jval item,
                                enum tacit_gpu_arch arch, struct arena *arena)
{
    struct jscan_field f[] = {{.name = "evidence"}, {.name = "certificate"}, {.name = "arch"}};
    struct bytes text;
    enum tacit_err err;

    *out = (struct tacit_gpu_item){.arch = arch};
    jscan_fields(item, f, ARRAY_LEN(f));
    err = base64_read(&out->report, f[0].val, arena);
    if (err == TACIT_OK)
        err = base64_read(&out->chain_pem, f[1].val, arena);
    if (err == TACIT_FORMAT)
        *why = "an item lacks its evidence or certificate, or they are not base64";
    if (err != TACIT_OK || f[2].val.type == JVAL_NONE)
        return err;
    if (!jscan_str_view(&text, f[2].val) || !gpu_arch_parse(&out->arch, text)) {
        *why = "an item declares an architecture that we do not know";
        return TACIT_FORMAT;
    }
    return TACIT_OK;
}

static enum tacit_err list_read(struct tacit_gpu_item *items, size_t *count, const char **why,
                                struct jval list, enum tacit_gpu_arch arch, struct arena *arena)
{
    struct jiter it = jscan_iter(list);
    enum tacit_err err = TACIT_OK;
    struct jval item;

    if (list.type != JVAL_ARRAY) {
        *why = "there is no evidence list";
        return TACIT_FORMAT;
    }
    while (err == TACIT_OK && jscan_next(&it, NULL, &item)) {
        if (*count == LIMIT_GPU_DEVICES) {
            *why = "there is evidence of more devices than a machine has";
            return TACIT_LIMIT;
        }
        err = item_read(&items[*count], why, item, arch, arena);
        (*count)++;
    }
    return err;
}

enum tacit_err gpu_evidence_read(struct tacit_gpu_item *items, size_t *count, const char **why,
                                 struct bytes json, struct arena *arena)
{
    enum tacit_gpu_arch arch = TACIT_GPU_ARCH_UNKNOWN;
    struct bytes text;
    struct jval root, declared;
    enum tacit_err err;

    *count = 0;
    *why = "the evidence list is larger than any machine's";
    if (json.len > LIMIT_GPU_EVIDENCE_BYTES)
        return TACIT_LIMIT;
    *why = "the evidence list is no strict JSON";
    err = jscan_validate(&root, NULL, json);
    if (err != TACIT_OK)
        return err;
    *why = "out of memory";
    if (root.type == JVAL_OBJECT) {
        declared = jscan_member(root, "arch");
        if (declared.type != JVAL_NONE &&
            (!jscan_str_view(&text, declared) || !gpu_arch_parse(&arch, text))) {
            *why = "the list declares an architecture that we do not know";
            return TACIT_FORMAT;
        }
        root = jscan_member(root, "evidence_list");
    }
    err = list_read(items, count, why, root, arch, arena);
    if (err != TACIT_OK)
        *count = 0;
    return err;
}
