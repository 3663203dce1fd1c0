/* The one validating pass over a JSON text. Invariants: the cursor never passes `end`; names of all
 * open objects lie on one stack, those of the innermost open object on top, so that a new name is
 * compared with its siblings only and a closed object gives its room back. */
#include "codec/jscan.h"
#include "codec/jscan_priv.h"
#include "codec/utf8.h"

enum {
    OPEN_NAMES_MAX = 2 * LIMIT_JSON_MEMBERS, /* of all objects open at once */
    COLLISIONS_MAX = 64, /* equal hashes of different names: honest texts have none */
};

struct scan {
    const uint8_t *p, *end, *start;
    const char *what; /* set: the text is refused */
    enum tacit_err err;
    unsigned depth;
    unsigned collisions;
    uint64_t object_bits;                     /* bit d: the container at depth d is an object */
    uint32_t name_base[LIMIT_JSON_DEPTH + 1]; /* where the names of depth d begin */
    uint32_t name_count;
    uint32_t hash[OPEN_NAMES_MAX];
    uint32_t at[OPEN_NAMES_MAX]; /* offset of the name's first octet */
};

static bool refuse(struct scan *s, enum tacit_err err, const char *what)
{
    s->err = err;
    s->what = what;
    return false;
}

/* An octet of a string that is not plain ASCII. */
static bool scan_special(struct scan *s)
{
    uint8_t decoded[4];
    size_t decoded_len;
    size_t n;

    if (*s->p == '\\') {
        n = jstr_escape(decoded, &decoded_len, s->p, s->end);
        if (n == 0)
            return refuse(s, TACIT_FORMAT, "bad escape sequence");
    } else if (*s->p < 0x20) {
        return refuse(s, TACIT_FORMAT, "control character in a string");
    } else {
        n = utf8_char_len(bytes_make(s->p, (size_t)(s->end - s->p)));
        if (n == 0)
            return refuse(s, TACIT_FORMAT, "invalid UTF-8");
    }
    s->p += n;
    return true;
}

/* Cursor on the opening quote; leaves it after the closing one. */
static bool scan_string(struct scan *s)
{
    s->p++;
    for (;;) {
        while (s->end - s->p >= 8) {
            uint64_t x = swar_load(s->p);
            uint64_t hit = (x & SWAR(0x80)) | ((x - SWAR(0x20)) & ~x & SWAR(0x80)) |
                           swar_zeros(x ^ SWAR('"')) | swar_zeros(x ^ SWAR('\\'));

            if (hit != 0) {
                s->p += __builtin_ctzll(hit) >> 3;
                break;
            }
            s->p += 8;
        }
        if (s->p >= s->end)
            return refuse(s, TACIT_FORMAT, "unterminated string");
        if (*s->p == '"') {
            s->p++;
            return true;
        }
        if (*s->p >= 0x20 && *s->p < 0x80 && *s->p != '\\')
            s->p++;
        else if (!scan_special(s))
            return false;
    }
}

static uint64_t hash_step(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9E3779B97F4A7C15ULL;
    return h ^ h >> 29;
}

/* Over the unescaped octets, eight at a time. */
static uint32_t name_hash(const uint8_t *p, const uint8_t *end)
{
    struct jstr_walk w = jstr_walk_over(p, end);
    uint64_t h = 0;
    uint64_t word = 0;
    uint64_t len = 0;
    int c;

    if (json_find_quote(p, end) == end) {
        for (; end - p >= 8; p += 8, len += 8)
            h = hash_step(h, swar_load(p));
        for (; p < end; p++, len++)
            word |= (uint64_t)*p << (8 * (len & 7));
    } else {
        while ((c = jstr_walk_next(&w)) >= 0) {
            word |= (uint64_t)c << (8 * (len & 7));
            if ((++len & 7) == 0) {
                h = hash_step(h, word);
                word = 0;
            }
        }
    }
    h = hash_step(h, word);
    h = hash_step(h, len);
    return (uint32_t)(h >> 32);
}

static bool names_equal(const struct scan *s, uint32_t a_at, uint32_t b_at)
{
    struct jstr_walk a = jstr_walk_over(s->start + a_at, s->end);
    struct jstr_walk b = jstr_walk_over(s->start + b_at, s->end);

    for (;;) {
        int x = jstr_walk_next(&a);

        if (x != jstr_walk_next(&b))
            return false;
        if (x < 0)
            return true;
    }
}

/* Notes a name of the innermost object; refuses one that is there already. */
static bool note_name(struct scan *s, const uint8_t *name, const uint8_t *name_end)
{
    uint32_t base = s->name_base[s->depth];
    uint32_t count = s->name_count;
    uint32_t hash = name_hash(name, name_end);
    uint32_t at = (uint32_t)(name - s->start);

    if (count - base >= LIMIT_JSON_MEMBERS || count >= OPEN_NAMES_MAX)
        return refuse(s, TACIT_LIMIT, "too many members in an object");
    for (uint32_t i = base; i < count; i++) {
        if (s->hash[i] != hash)
            continue;
        if (names_equal(s, s->at[i], at))
            return refuse(s, TACIT_FORMAT, "duplicate member name");
        if (++s->collisions > COLLISIONS_MAX)
            return refuse(s, TACIT_LIMIT, "member names made to collide");
    }
    s->hash[count] = hash;
    s->at[count] = at;
    s->name_count++;
    return true;
}

/* `"name" :` with white space before, between and after. */
static bool scan_name(struct scan *s)
{
    const uint8_t *name;

    s->p = json_skip_space(s->p, s->end);
    if (s->p >= s->end || *s->p != '"')
        return refuse(s, TACIT_FORMAT, "member name expected");
    name = s->p + 1;
    if (!scan_string(s) || !note_name(s, name, s->p - 1))
        return false;
    s->p = json_skip_space(s->p, s->end);
    if (s->p >= s->end || *s->p != ':')
        return refuse(s, TACIT_FORMAT, "colon expected");
    s->p++;
    return true;
}

static bool scan_digits(struct scan *s)
{
    const uint8_t *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from ? true : refuse(s, TACIT_FORMAT, "bad number");
}

static bool scan_number(struct scan *s)
{
    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!scan_digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!scan_digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return scan_digits(s);
    }
    return true;
}

static bool scan_word(struct scan *s, struct bytes word)
{
    if (!bytes_starts_with(bytes_make(s->p, (size_t)(s->end - s->p)), word))
        return refuse(s, TACIT_FORMAT, "value expected");
    s->p += word.len;
    return true;
}

static bool scan_scalar(struct scan *s)
{
    switch (*s->p) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, BYTES_LIT("true"));
    case 'f':
        return scan_word(s, BYTES_LIT("false"));
    case 'n':
        return scan_word(s, BYTES_LIT("null"));
    default:
        if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
            return scan_number(s);
        return refuse(s, TACIT_FORMAT, "value expected");
    }
}

static bool is_in_object(const struct scan *s)
{
    return (s->object_bits >> s->depth & 1) != 0;
}

static bool open_container(struct scan *s, bool is_object)
{
    if (s->depth >= LIMIT_JSON_DEPTH)
        return refuse(s, TACIT_LIMIT, "nested too deeply");
    s->p++;
    s->depth++;
    s->object_bits &= ~(1ULL << s->depth);
    s->object_bits |= (uint64_t)is_object << s->depth;
    s->name_base[s->depth] = s->name_count;
    return true;
}

/* Closes containers and passes commas until a value is due (true) or the text ends or is refused
 * (false). `fresh` says that the innermost container was just opened. */
static bool to_next_value(struct scan *s, bool fresh)
{
    while (s->depth > 0) {
        s->p = json_skip_space(s->p, s->end);
        if (s->p >= s->end)
            return refuse(s, TACIT_FORMAT, "unterminated array or object");
        if (*s->p == (is_in_object(s) ? '}' : ']')) {
            s->p++;
            s->name_count = s->name_base[s->depth];
            s->depth--;
            fresh = false;
            continue;
        }
        if (!fresh) {
            if (*s->p != ',')
                return refuse(s, TACIT_FORMAT, "comma or closing bracket expected");
            s->p++;
        }
        return is_in_object(s) ? scan_name(s) : true;
    }
    return false;
}

static bool scan_document(struct scan *s)
{
    do {
        bool fresh = false;

        s->p = json_skip_space(s->p, s->end);
        if (s->p >= s->end)
            return refuse(s, TACIT_FORMAT, "value expected");
        if (*s->p == '{' || *s->p == '[') {
            if (!open_container(s, *s->p == '{'))
                return false;
            fresh = true;
        } else if (!scan_scalar(s)) {
            return false;
        }
        if (!to_next_value(s, fresh))
            break;
    } while (s->what == NULL);
    return s->what == NULL;
}

static enum jval_type type_of(uint8_t c)
{
    switch (c) {
    case '{':
        return JVAL_OBJECT;
    case '[':
        return JVAL_ARRAY;
    case '"':
        return JVAL_STRING;
    case 't':
    case 'f':
        return JVAL_BOOL;
    case 'n':
        return JVAL_NULL;
    default:
        return JVAL_NUMBER;
    }
}

enum tacit_err jscan_validate(struct jval *root, struct jscan_fault *fault, struct bytes in)
{
    struct scan s; /* not zeroed as a whole: 32 KiB of names */
    const uint8_t *from;

    s.what = NULL;
    s.err = TACIT_OK;
    s.depth = s.collisions = 0;
    s.object_bits = 0;
    s.name_count = 0;
    s.p = s.start = in.ptr;
    s.end = in.len == 0 ? in.ptr : in.ptr + in.len;
    *root = JVAL_ABSENT;
    if (fault != NULL)
        *fault = (struct jscan_fault){0, NULL};
    from = json_skip_space(s.p, s.end);
    if (in.len > UINT32_MAX)
        (void)refuse(&s, TACIT_LIMIT, "too long");
    else if (scan_document(&s)) {
        *root = (struct jval){type_of(*from), {from, (size_t)(s.p - from)}};
        s.p = json_skip_space(s.p, s.end);
        if (s.p != s.end)
            (void)refuse(&s, TACIT_FORMAT, "something after the value");
    }
    if (s.err != TACIT_OK) {
        *root = JVAL_ABSENT;
        if (fault != NULL)
            *fault = (struct jscan_fault){(size_t)(s.p - s.start), s.what};
    }
    return s.err;
}

enum tacit_err jscan_object(struct jval *root, struct bytes in)
{
    enum tacit_err err = jscan_validate(root, NULL, in);

    if (err == TACIT_OK && root->type != JVAL_OBJECT) {
        *root = JVAL_ABSENT;
        err = TACIT_FORMAT;
    }
    return err;
}
