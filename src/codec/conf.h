/* Configuration files: `[section]` and `key = value` lines, comments from '#' or ';' at the start
 * of a line. Everything that is not in the schema is an error: unknown sections and keys,
 * duplicates, values out of range, lines over CONF_LINE_MAX, continuation lines. An error names
 * file and line in one sentence. Values are typed by a table; nothing comes from the environment.
 * The only door to inih.
 *
 *     static const struct conf_key listen_keys[] = {
 *         {.key = "address", .kind = CONF_STRING, .fallback = "127.0.0.1:8443"},
 *         {.key = "idle_timeout", .kind = CONF_DURATION, .fallback = "60s", .max = 3600000},
 *     };
 *     static const struct conf_section sections[] = {
 *         {.name = "listen", .keys = listen_keys, .key_count = ARRAY_LEN(listen_keys)},
 *         {.name = "node", .is_repeated = true, .keys = node_keys, ...},       [node alpha]
 *     };
 *     static const struct conf_schema schema = {sections, ARRAY_LEN(sections)};
 *
 * Threads: a conf is read-only after loading and may then be read by any thread. */
#ifndef CODEC_CONF_H
#define CODEC_CONF_H

#include "base/buf.h"

enum {
    CONF_LINE_MAX = 190, /* inih's own line buffer is 200 octets and it splits longer ones */
    CONF_NAME_MAX = 40,  /* NAME of [section NAME], and a key: [A-Za-z0-9._-] */
    CONF_FILE_MAX = 256 * 1024,
    CONF_MESSAGE_MAX = 512,
};

enum conf_kind {
    CONF_STRING,   /* any text without control characters; not empty */
    CONF_PATH,     /* the same, taken as a file name; relative ones are the caller's business */
    CONF_U64,      /* decimal, within min..max */
    CONF_BOOL,     /* true | false */
    CONF_DURATION, /* 250ms 30s 5m 2h 1d; conf_u64 gives milliseconds, within min..max */
    CONF_SIZE,     /* 512 (octets) 10KiB 10MiB 1GiB; conf_u64 gives octets, within min..max */
    CONF_ENUM,     /* one of choices; conf_u64 gives its index */
};

struct conf_key {
    const char *key;
    enum conf_kind kind;
    bool is_required;           /* must be written in every instance of its section */
    const char *fallback;       /* value text when not written; NULL: none, reads as unset */
    uint64_t min, max;          /* for numbers; max 0 means no upper bound */
    const char *const *choices; /* for CONF_ENUM, NULL-terminated */
};

struct conf_section {
    const char *name;
    bool is_repeated; /* written [name NAME], any number of times with different NAMEs */
    bool is_required; /* at least one must be there */
    const struct conf_key *keys;
    size_t key_count;
};

struct conf_schema {
    const struct conf_section *sections;
    size_t count;
};

struct conf;

/* Read and check a file.
 *
 * out       owned by the caller, released with conf_free; NULL on failure
 * message   on failure one sentence such as
 *           "node.conf:12: unknown key 'adress' in [listen]"; empty on success. May quote names
 *           and numbers of the file, never a value of kind CONF_STRING.
 *
 * Returns   TACIT_OK; TACIT_CONFIG for what the message says; TACIT_NOT_FOUND, TACIT_IO or
 *           TACIT_LIMIT if the file cannot be read; TACIT_NOMEM. */
MUST_CHECK enum tacit_err conf_load(struct conf **out, char message[static CONF_MESSAGE_MAX],
                                    const char *path, const struct conf_schema *schema);

/* The same over bytes; `file_name` is for messages only. `schema` must outlive the result. */
MUST_CHECK enum tacit_err conf_parse(struct conf **out, char message[static CONF_MESSAGE_MAX],
                                     struct bytes text, const char *file_name,
                                     const struct conf_schema *schema);

/* Erases (tokens may stand in it) and releases; accepts NULL. */
void conf_free(struct conf *c);

/* The exact bytes of the file, borrowed: what its measured digest covers. */
struct bytes conf_raw(const struct conf *c);

/* How often a section stands in the file (0 or 1 unless repeated), and the NAME of instance
 * `index` ("" for a section that is not repeated). */
size_t conf_count(const struct conf *c, const char *section);
const char *conf_instance_name(const struct conf *c, const char *section, size_t index);

/* Values, by section, instance (0 unless repeated) and key. Fallbacks apply also when the whole
 * section is missing. Asking for what is not in the schema, or for another kind, is our own bug
 * and asserted.
 *
 * conf_str   CONF_STRING, CONF_PATH, CONF_ENUM: NUL-terminated, owned by the conf; NULL if unset.
 * conf_u64   CONF_U64, CONF_DURATION (ms), CONF_SIZE (octets), CONF_ENUM (index): 0 if unset.
 * conf_bool  CONF_BOOL: false if unset. */
const char *conf_str(const struct conf *c, const char *section, size_t index, const char *key);
uint64_t conf_u64(const struct conf *c, const char *section, size_t index, const char *key);
bool conf_bool(const struct conf *c, const char *section, size_t index, const char *key);
/* Whether the file itself sets it. */
bool conf_is_set(const struct conf *c, const char *section, size_t index, const char *key);

#endif
