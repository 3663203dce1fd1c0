/* Configuration files through inih. inih is lenient (it cuts long lines in two, joins indented
 * lines, drops what follows ';' or a section's ']'), so every line is checked here before inih sees
 * it. Invariant: a conf that was handed out has every section and key of its schema exactly as
 * written, or the fallback. */
#include "codec/conf.h"

#include <assert.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "codec/conf_priv.h"
#include "codec/utf8.h"

struct value {
    uint64_t num;
    size_t text_at; /* offset in conf.text */
    bool is_set;    /* has a value: written or fallback */
    bool is_written;
};

/* One occurrence of a section; a section that is not in the file has one that is not written. */
struct instance {
    struct instance *next;
    const struct conf_section *section;
    char name[CONF_NAME_MAX + 1];
    bool is_written;
    struct value values[];
};

struct conf {
    const struct conf_schema *schema;
    struct buf raw;
    struct buf text; /* values, each with a NUL behind it */
    struct arena arena;
    struct instance *first, *last;
};

struct parse {
    struct conf *conf;
    const char *file_name;
    char *message;
    struct bytes rest;
    size_t line;
    struct instance *open; /* where keys go */
    enum tacit_err err;
};

static void refuse(struct parse *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Keeps the first complaint. */
static void refuse(struct parse *p, const char *fmt, ...)
{
    va_list args;
    int n;

    if (p->err != TACIT_OK)
        return;
    p->err = TACIT_CONFIG;
    if (p->line > 0)
        n = snprintf(p->message, CONF_MESSAGE_MAX, "%.200s:%zu: ", p->file_name, p->line);
    else
        n = snprintf(p->message, CONF_MESSAGE_MAX, "%.200s: ", p->file_name);
    if (n < 0 || n >= CONF_MESSAGE_MAX)
        return;
    va_start(args, fmt);
    (void)vsnprintf(p->message + n, CONF_MESSAGE_MAX - (size_t)n, fmt, args);
    va_end(args);
}

static bool is_name(struct bytes b)
{
    if (b.len == 0 || b.len > CONF_NAME_MAX)
        return false;
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static const struct conf_section *section_find(const struct conf_schema *schema, struct bytes name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (bytes_eq_cstr(name, schema->sections[i].name))
            return &schema->sections[i];
    return NULL;
}

static struct instance *instance_add(struct conf *c, const struct conf_section *section,
                                     struct bytes name)
{
    size_t size = sizeof(struct instance) + section->key_count * sizeof(struct value);
    struct instance *in = arena_alloc(&c->arena, size);

    if (in == NULL)
        return NULL;
    in->section = section;
    if (name.len > 0)
        memcpy(in->name, name.ptr, name.len);
    if (c->last == NULL)
        c->first = in;
    else
        c->last->next = in;
    c->last = in;
    return in;
}

static bool is_there(const struct conf *c, const struct conf_section *section, struct bytes name)
{
    for (const struct instance *in = c->first; in != NULL; in = in->next)
        if (in->section == section && bytes_eq_cstr(name, in->name))
            return true;
    return false;
}

/* `[name]` or `[name NAME]`, brackets included. */
static void section_line(struct parse *p, struct bytes line)
{
    struct bytes inner = bytes_slice(line, 1, line.len - 2);
    size_t space = bytes_find_byte(inner, ' ');
    struct bytes name = bytes_slice(inner, 0, space);
    struct bytes label =
        space == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(inner, space + 1, SIZE_MAX);
    const struct conf_section *section;

    p->open = NULL;
    if (line.len < 3 || line.ptr[line.len - 1] != ']' || !is_name(name) ||
        (space != SIZE_MAX && !is_name(label))) {
        refuse(p, "a section is written [name] or [name NAME], nothing behind it");
        return;
    }
    section = section_find(p->conf->schema, name);
    if (section == NULL) {
        refuse(p, "unknown section [%.*s]", BYTES_FMT(name));
    } else if (section->is_repeated != (label.len > 0)) {
        refuse(p,
               section->is_repeated ? "section [%s NAME] needs a name"
                                    : "section [%s] takes no name",
               section->name);
    } else if (is_there(p->conf, section, label)) {
        refuse(p, "section [%.*s] is there twice", BYTES_FMT(inner));
    } else {
        p->open = instance_add(p->conf, section, label);
        if (p->open != NULL)
            p->open->is_written = true;
        else
            p->err = TACIT_NOMEM;
    }
}

static void choices_put(char *out, size_t size, const struct conf_key *key)
{
    struct buf b = buf_over((uint8_t *)out, size - 1);

    for (size_t i = 0; key->choices != NULL && key->choices[i] != NULL; i++)
        buf_putf(&b, "%s%s", i == 0 ? "" : ", ", key->choices[i]);
    out[b.failed ? 0 : b.len] = '\0';
}

static void refuse_value(struct parse *p, const struct conf_key *key, const char *why)
{
    const char *unit = key->kind == CONF_DURATION ? " milliseconds"
                       : key->kind == CONF_SIZE   ? " octets"
                                                  : "";
    char choices[200];

    choices_put(choices, sizeof(choices), key);
    if (key->kind == CONF_ENUM)
        refuse(p, "'%s' must be %s%s", key->key, why, choices);
    else if (strcmp(why, "within ") != 0)
        refuse(p, "'%s' must be %s", key->key, why);
    else if (key->max == 0)
        refuse(p, "'%s' must be at least %llu%s", key->key, (unsigned long long)key->min, unit);
    else
        refuse(p, "'%s' must be between %llu and %llu%s", key->key, (unsigned long long)key->min,
               (unsigned long long)key->max, unit);
}

static void value_store(struct parse *p, struct value *v, const struct conf_key *key,
                        struct bytes text)
{
    struct conf *c = p->conf;
    const char *why = conf_value_parse(&v->num, key, text);

    if (why != NULL) {
        refuse_value(p, key, why);
        return;
    }
    v->text_at = c->text.len;
    v->is_set = true;
    buf_put(&c->text, text);
    buf_putc(&c->text, 0);
    if (c->text.failed)
        p->err = TACIT_NOMEM;
}

static size_t key_find(const struct conf_section *section, const char *key)
{
    size_t i = 0;

    while (i < section->key_count && strcmp(section->keys[i].key, key) != 0)
        i++;
    return i;
}

/* Called by inih for each key; sections are followed by line_check. */
static int on_key(void *user, const char *section, const char *key, const char *value)
{
    struct parse *p = user;
    size_t i;

    UNUSED(section);
    if (p->err != TACIT_OK)
        return 0;
    if (p->open == NULL || !is_name(bytes_of(key))) {
        refuse(p, p->open == NULL ? "a key needs a section before it" : "malformed key");
        return 0;
    }
    i = key_find(p->open->section, key);
    if (i == p->open->section->key_count)
        refuse(p, "unknown key '%s' in [%s]", key, p->open->section->name);
    else if (p->open->values[i].is_written)
        refuse(p, "'%s' is set twice in [%s]", key, p->open->section->name);
    else {
        p->open->values[i].is_written = true;
        value_store(p, &p->open->values[i], &p->open->section->keys[i], bytes_of(value));
    }
    return p->err == TACIT_OK;
}

static bool has_inline_comment(struct bytes line)
{
    for (size_t i = 1; i < line.len; i++)
        if (line.ptr[i] == ';' && (line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t'))
            return true;
    return false;
}

static bool has_control(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((line.ptr[i] < 0x20 && line.ptr[i] != '\t') || line.ptr[i] == 0x7F)
            return true;
    return false;
}

/* Everything inih would not tell us about a line. */
static void line_check(struct parse *p, struct bytes line)
{
    struct bytes text;
    size_t equals;

    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    text = bytes_trim(line);
    equals = bytes_find_byte(text, '=');
    if (line.len > CONF_LINE_MAX)
        refuse(p, "the line is longer than %d octets", CONF_LINE_MAX);
    else if (has_control(line) || !utf8_is_valid(line))
        refuse(p, "the line holds control characters or is no UTF-8");
    else if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == ';')
        return;
    else if (text.ptr != line.ptr)
        refuse(p, "the line is indented; values do not continue on the next line");
    else if (text.ptr[0] == '[')
        section_line(p, text);
    else if (equals == SIZE_MAX || bytes_find_byte(bytes_slice(text, 0, equals), ':') != SIZE_MAX)
        refuse(p, "'key = value' or '[section]' expected");
    else if (has_inline_comment(text))
        refuse(p, "comments stand on lines of their own");
}

/* inih's fgets: one checked line at a time. */
static char *next_line(char *out, int size, void *user)
{
    struct parse *p = user;
    size_t len = bytes_find_byte(p->rest, '\n');
    struct bytes line = bytes_slice(p->rest, 0, len);

    if (p->rest.len == 0 || p->err != TACIT_OK)
        return NULL;
    p->line++;
    p->rest = len == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(p->rest, len + 1, SIZE_MAX);
    line_check(p, line);
    if (p->err != TACIT_OK)
        return NULL;
    assert(size > CONF_LINE_MAX + 2);
    if (line.len > 0)
        memcpy(out, line.ptr, line.len);
    out[line.len] = '\n';
    out[line.len + 1] = '\0';
    return out;
}

/* Fallbacks, and what must be there. */
static void instance_finish(struct parse *p, struct instance *in)
{
    const struct conf_section *s = in->section;

    for (size_t i = 0; i < s->key_count && p->err == TACIT_OK; i++) {
        if (in->values[i].is_written)
            continue;
        if (s->keys[i].is_required && in->is_written) {
            refuse(p, "[%s%s%s] needs '%s'", s->name, in->name[0] == '\0' ? "" : " ", in->name,
                   s->keys[i].key);
        } else if (s->keys[i].fallback != NULL) {
            value_store(p, &in->values[i], &s->keys[i], bytes_of(s->keys[i].fallback));
            assert(p->err != TACIT_CONFIG); /* fallbacks are ours */
        }
    }
}

static void finish(struct parse *p)
{
    const struct conf_schema *schema = p->conf->schema;
    struct bytes none = {NULL, 0};

    p->line = 0;
    for (size_t i = 0; i < schema->count && p->err == TACIT_OK; i++) {
        const struct conf_section *s = &schema->sections[i];

        if (conf_count(p->conf, s->name) > 0)
            continue;
        if (s->is_required)
            refuse(p, "section [%s%s] is missing", s->name, s->is_repeated ? " NAME" : "");
        else if (!s->is_repeated && instance_add(p->conf, s, none) == NULL)
            p->err = TACIT_NOMEM;
    }
    for (struct instance *in = p->conf->first; in != NULL && p->err == TACIT_OK; in = in->next)
        instance_finish(p, in);
}

enum tacit_err conf_parse(struct conf **out, char message[static CONF_MESSAGE_MAX],
                          struct bytes text, const char *file_name,
                          const struct conf_schema *schema)
{
    struct parse p = {.file_name = file_name, .message = message};

    *out = NULL;
    message[0] = '\0';
    if (text.len > CONF_FILE_MAX) {
        refuse(&p, "the file is too large for a configuration");
        return TACIT_LIMIT;
    }
    p.conf = calloc(1, sizeof(*p.conf));
    if (p.conf == NULL) {
        (void)snprintf(message, CONF_MESSAGE_MAX, "%.200s: out of memory", file_name);
        return TACIT_NOMEM;
    }
    p.conf->schema = schema;
    p.conf->raw = buf_make_secret(CONF_FILE_MAX);
    p.conf->text = buf_make_secret(2 * CONF_FILE_MAX);
    p.conf->arena = arena_make(4 * CONF_FILE_MAX);
    buf_put(&p.conf->raw, text);
    p.rest = text;
    if (p.conf->raw.failed)
        p.err = TACIT_NOMEM;
    if (ini_parse_stream(next_line, &p, on_key, &p) != 0)
        refuse(&p, "'key = value' or '[section]' expected");
    if (p.err == TACIT_OK)
        finish(&p);
    if (p.err == TACIT_OK)
        *out = p.conf;
    else
        conf_free(p.conf);
    if (p.err == TACIT_NOMEM)
        (void)snprintf(message, CONF_MESSAGE_MAX, "%.200s: out of memory", file_name);
    return p.err;
}

enum tacit_err conf_load(struct conf **out, char message[static CONF_MESSAGE_MAX], const char *path,
                         const struct conf_schema *schema)
{
    struct buf raw = buf_make_secret(CONF_FILE_MAX);
    enum tacit_err err = file_read(&raw, path);

    *out = NULL;
    message[0] = '\0';
    if (err == TACIT_OK)
        err = conf_parse(out, message, buf_bytes(&raw), path, schema);
    else
        (void)snprintf(message, CONF_MESSAGE_MAX, "%.200s: %s", path,
                       err == TACIT_NOT_FOUND ? "there is no such file"
                       : err == TACIT_LIMIT   ? "the file is too large for a configuration"
                                              : "the file cannot be read");
    buf_done(&raw);
    return err;
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    buf_done(&c->raw);
    buf_done(&c->text);
    arena_done(&c->arena);
    free(c);
}

struct bytes conf_raw(const struct conf *c)
{
    return buf_bytes(&c->raw);
}

size_t conf_count(const struct conf *c, const char *section)
{
    size_t n = 0;

    for (const struct instance *in = c->first; in != NULL; in = in->next)
        n += in->is_written && strcmp(in->section->name, section) == 0;
    return n;
}

static const struct instance *instance_find(const struct conf *c, const char *section, size_t index)
{
    const struct instance *in = c->first;

    for (; in != NULL; in = in->next)
        if (strcmp(in->section->name, section) == 0 && index-- == 0)
            break;
    assert(in != NULL);
    return in;
}

const char *conf_instance_name(const struct conf *c, const char *section, size_t index)
{
    return instance_find(c, section, index)->name;
}

/* `kinds` is a set of BIT(kind). */
static const struct value *value_find(const struct conf *c, const char *section, size_t index,
                                      const char *key, unsigned kinds)
{
    const struct instance *in = instance_find(c, section, index);
    size_t i = key_find(in->section, key);

    assert(i < in->section->key_count && (kinds & BIT(in->section->keys[i].kind)) != 0);
    return &in->values[i];
}

const char *conf_str(const struct conf *c, const char *section, size_t index, const char *key)
{
    const struct value *v =
        value_find(c, section, index, key, BIT(CONF_STRING) | BIT(CONF_PATH) | BIT(CONF_ENUM));

    return v->is_set ? (const char *)c->text.ptr + v->text_at : NULL;
}

uint64_t conf_u64(const struct conf *c, const char *section, size_t index, const char *key)
{
    return value_find(c, section, index, key,
                      BIT(CONF_U64) | BIT(CONF_DURATION) | BIT(CONF_SIZE) | BIT(CONF_ENUM))
        ->num;
}

bool conf_bool(const struct conf *c, const char *section, size_t index, const char *key)
{
    return value_find(c, section, index, key, BIT(CONF_BOOL))->num == 1;
}

bool conf_is_set(const struct conf *c, const char *section, size_t index, const char *key)
{
    return value_find(c, section, index, key, UINT32_MAX)->is_written;
}
