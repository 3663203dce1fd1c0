/* JSON trees over jansson. Invariant: a child handed over is owned by the parent or released,
 * never left to the caller. `struct json` is jansson's json_t under another name. */
#include "codec/json.h"

#include <jansson.h>

#include "codec/jscan.h"
#include "codec/utf8.h"

static json_t *down(struct json *j)
{
    return (json_t *)(void *)j;
}

static const json_t *down_const(const struct json *j)
{
    return (const json_t *)(const void *)j;
}

static struct json *up(json_t *j)
{
    return (struct json *)(void *)j;
}

struct json *json_new_object(void)
{
    return up(json_object());
}

struct json *json_new_array(void)
{
    return up(json_array());
}

struct json *json_new_str(struct bytes text)
{
    /* Checked here: jansson's own check is laxer about NULL and noncharacters by version. */
    if (!utf8_is_valid(text))
        return NULL;
    return up(json_stringn(text.len == 0 ? "" : (const char *)text.ptr, text.len));
}

struct json *json_new_i64(int64_t v)
{
    return up(json_integer(v));
}

struct json *json_new_bool(bool v)
{
    return up(json_boolean(v));
}

struct json *json_new_null(void)
{
    return up(json_null());
}

void json_free(struct json *j)
{
    json_decref(down(j));
}

enum tacit_err json_set(struct json *object, const char *name, struct json *child)
{
    enum tacit_err err = TACIT_OK;

    if (object == NULL || child == NULL)
        err = TACIT_NOMEM;
    else if (!json_is_object(down(object)))
        err = TACIT_USAGE;
    else if (json_object_get(down(object), name) != NULL)
        err = TACIT_EXISTS;
    if (err != TACIT_OK) {
        json_free(child);
        return err;
    }
    return json_object_set_new(down(object), name, down(child)) == 0 ? TACIT_OK : TACIT_NOMEM;
}

enum tacit_err json_append(struct json *array, struct json *child)
{
    if (array == NULL || child == NULL || !json_is_array(down(array))) {
        json_free(child);
        return array == NULL || child == NULL ? TACIT_NOMEM : TACIT_USAGE;
    }
    return json_array_append_new(down(array), down(child)) == 0 ? TACIT_OK : TACIT_NOMEM;
}

enum tacit_err json_set_str(struct json *object, const char *name, struct bytes text)
{
    return json_set(object, name, json_new_str(text));
}

enum tacit_err json_set_cstr(struct json *object, const char *name, const char *text)
{
    return json_set(object, name, json_new_str(bytes_of(text)));
}

enum tacit_err json_set_i64(struct json *object, const char *name, int64_t v)
{
    return json_set(object, name, json_new_i64(v));
}

enum tacit_err json_set_bool(struct json *object, const char *name, bool v)
{
    return json_set(object, name, json_new_bool(v));
}

enum tacit_err json_parse(struct json **out, struct bytes in)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    enum tacit_err err;
    struct jval root;
    json_error_t detail;

    *out = NULL;
    err = jscan_validate(&root, NULL, in);
    if (err != TACIT_OK)
        return err;
    *out = up(json_loadb((const char *)root.raw.ptr, root.raw.len, flags, &detail));
    if (*out != NULL)
        return TACIT_OK;
    return json_error_code(&detail) == json_error_out_of_memory ? TACIT_NOMEM : TACIT_FORMAT;
}

const struct json *json_get(const struct json *object, const char *name)
{
    return object == NULL ? NULL : up(json_object_get(down_const(object), name));
}

const struct json *json_at(const struct json *array, size_t index)
{
    return array == NULL ? NULL : up(json_array_get(down_const(array), index));
}

size_t json_len(const struct json *container)
{
    if (container == NULL)
        return 0;
    return json_is_object(down_const(container)) ? json_object_size(down_const(container))
                                                 : json_array_size(down_const(container));
}

bool json_str(struct bytes *out, const struct json *j)
{
    *out = (struct bytes){NULL, 0};
    if (j == NULL || !json_is_string(down_const(j)))
        return false;
    *out = bytes_make(json_string_value(down_const(j)), json_string_length(down_const(j)));
    return true;
}

bool json_i64(int64_t *out, const struct json *j)
{
    *out = 0;
    if (j == NULL || !json_is_integer(down_const(j)))
        return false;
    *out = json_integer_value(down_const(j));
    return true;
}

bool json_bool(bool *out, const struct json *j)
{
    *out = j != NULL && json_is_true(down_const(j));
    return j != NULL && json_is_boolean(down_const(j));
}

static int put_text(const char *text, size_t len, void *out)
{
    buf_put(out, bytes_make(text, len));
    return ((struct buf *)out)->failed ? -1 : 0;
}

enum tacit_err json_write(struct buf *out, const struct json *j, bool is_sorted)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (is_sorted ? JSON_SORT_KEYS : 0U);

    if (j == NULL || json_dump_callback(down_const(j), put_text, out, flags) != 0)
        out->failed = true;
    return buf_err(out);
}
