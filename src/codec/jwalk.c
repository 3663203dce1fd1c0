/* The walk. Invariant: at <= end; a bad walk has at == end. */
#include "codec/jwalk.h"

static void fail(struct jwalk *w)
{
    w->is_bad = true;
    w->at = w->end;
}

struct jwalk jwalk_over(struct jval root)
{
    static const uint8_t nothing[1];
    struct jwalk w = {nothing, nothing, root.raw.len == 0};

    if (root.raw.len > 0)
        w = (struct jwalk){root.raw.ptr, root.raw.ptr + root.raw.len, false};
    return w;
}

/* The next octet that is not white space (a comma or colon counts as such), or 0. */
static uint8_t next(struct jwalk *w)
{
    while (w->at < w->end) {
        uint8_t c = *w->at;

        if (c != ',' && c != ':' && c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return c;
        w->at++;
    }
    return 0;
}

bool jwalk_enter(struct jwalk *w, uint8_t open)
{
    if (next(w) != open) {
        fail(w);
        return false;
    }
    w->at++;
    return true;
}

struct bytes jwalk_str(struct jwalk *w)
{
    struct bytes s = {NULL, 0};
    const uint8_t *p;

    if (next(w) != '"') {
        fail(w);
        return s;
    }
    for (p = w->at + 1; p < w->end && *p != '"'; p++)
        if (*p == '\\')
            break;
    if (p == w->end || *p != '"') {
        fail(w);
        return s;
    }
    s = (struct bytes){w->at + 1, (size_t)(p - w->at) - 1};
    w->at = p + 1;
    return s;
}

bool jwalk_member(struct jwalk *w, struct bytes *name)
{
    uint8_t c = next(w);

    *name = (struct bytes){NULL, 0};
    if (c == '}') {
        w->at++;
        return false;
    }
    *name = jwalk_str(w);
    return !w->is_bad;
}

bool jwalk_item(struct jwalk *w)
{
    uint8_t c = next(w);

    if (c == ']') {
        w->at++;
        return false;
    }
    if (c == 0)
        fail(w);
    return !w->is_bad;
}

uint64_t jwalk_u64(struct jwalk *w, uint64_t max)
{
    const uint8_t *from;
    uint64_t value = 0;

    next(w);
    from = w->at;
    while (w->at < w->end && ((*w->at >= '0' && *w->at <= '9') || *w->at == '.' || *w->at == '-' ||
                              *w->at == '+' || *w->at == 'e' || *w->at == 'E'))
        w->at++;
    if (!bytes_to_u64(&value, (struct bytes){from, (size_t)(w->at - from)}, max))
        fail(w);
    return value;
}

/* Behind the string that starts at `p`. */
static const uint8_t *string_pass(const uint8_t *p, const uint8_t *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : end;
}

static const uint8_t *container_pass(const uint8_t *p, const uint8_t *end)
{
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = string_pass(p, end);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
        p++;
    }
    return end;
}

struct bytes jwalk_skip(struct jwalk *w)
{
    uint8_t c = next(w);
    const uint8_t *from = w->at;

    if (c == 0 || c == '}' || c == ']') {
        fail(w);
        return (struct bytes){NULL, 0};
    }
    if (c == '"') {
        w->at = string_pass(from, w->end);
    } else if (c == '{' || c == '[') {
        w->at = container_pass(from, w->end);
    } else {
        while (w->at < w->end && *w->at != ',' && *w->at != '}' && *w->at != ']' && *w->at != ' ' &&
               *w->at != '\n' && *w->at != '\r' && *w->at != '\t')
            w->at++;
    }
    return (struct bytes){from, (size_t)(w->at - from)};
}
