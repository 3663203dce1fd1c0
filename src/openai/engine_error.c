/* What may pass of an engine's error. Engines quote the input they refuse; whatever carries such a
 * quotation is cut to the kind of error and its fixed text. Invariant: nothing after an input
 * marker on a line gets through. */
#include <stdio.h>

#include "codec/jscan.h"
#include "codec/utf8.h"
#include "openai/error.h"

enum { ENGINE_MESSAGE_MAX = 64 * 1024 };

static bool has(struct bytes line, const char *needle)
{
    return bytes_find(line, bytes_of(needle)) != SIZE_MAX;
}

/* The text in quotes after `key` ("'msg': "), if it stands before offset `limit`. */
static struct bytes quoted_after(struct bytes line, const char *key, size_t limit)
{
    size_t at = bytes_find(line, bytes_of(key));
    struct bytes rest;
    uint8_t quote;

    if (at == SIZE_MAX || at >= limit)
        return (struct bytes){NULL, 0};
    rest = bytes_trim(bytes_slice(bytes_slice(line, 0, limit), at + strlen(key), SIZE_MAX));
    if (rest.len < 2 || (rest.ptr[0] != '\'' && rest.ptr[0] != '"'))
        return (struct bytes){NULL, 0};
    quote = rest.ptr[0];
    rest = bytes_slice(rest, 1, SIZE_MAX);
    at = bytes_find_byte(rest, quote);
    return at == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(rest, 0, at);
}

/* [{'type': T, 'loc': …, 'msg': M, 'input': …}] becomes "T: M". */
static void put_dict_form(struct buf *out, struct bytes line)
{
    size_t input = bytes_find(line, BYTES_LIT("'input':"));
    size_t ctx = bytes_find(line, BYTES_LIT("'ctx':"));
    size_t limit = input < ctx ? input : ctx;
    struct bytes type = quoted_after(line, "'type':", limit);
    struct bytes msg = quoted_after(line, "'msg':", limit);

    if (type.len == 0 && msg.len == 0) {
        buf_puts(out, "validation error");
        return;
    }
    buf_put(out, type);
    buf_puts(out, type.len > 0 && msg.len > 0 ? ": " : "");
    buf_put(out, msg);
}

/* "TEXT [type=T, input_value=…, input_type=…]" becomes "TEXT [type=T]". */
static void put_pydantic_form(struct buf *out, struct bytes line)
{
    size_t value = bytes_find(line, BYTES_LIT("input_value="));
    size_t kind = bytes_find(line, BYTES_LIT("input_type="));
    struct bytes kept = bytes_slice(line, 0, value < kind ? value : kind);
    size_t open;

    kept = bytes_trim(kept);
    while (kept.len > 0 && (kept.ptr[kept.len - 1] == ',' || kept.ptr[kept.len - 1] == ' '))
        kept.len--;
    open = bytes_find(kept, BYTES_LIT("[type="));
    buf_put(out, kept);
    buf_puts(out, open == SIZE_MAX ? "" : "]");
}

/* Stack traces, and parsers that quote what they last read. */
static bool is_trace_line(struct bytes line)
{
    struct bytes t = bytes_trim(line);

    return bytes_starts_with(t, BYTES_LIT("File \"")) || bytes_starts_with(t, BYTES_LIT("at ")) ||
           bytes_starts_with(t, BYTES_LIT("Traceback")) || bytes_starts_with(t, BYTES_LIT("^"));
}

static size_t quotation_at(struct bytes line)
{
    static const char *const markers[] = {"last read:", "Failed to parse input at pos",
                                          "while parsing", "input:", "prompt:"};
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < ARRAY_LEN(markers); i++) {
        size_t at = bytes_find(line, bytes_of(markers[i]));

        if (at < first)
            first = at;
    }
    return first;
}

static void put_line(struct buf *out, struct bytes line)
{
    if (has(line, "'input':") || has(line, "'ctx':"))
        put_dict_form(out, line);
    else if (has(line, "input_value=") || has(line, "input_type="))
        put_pydantic_form(out, line);
    else
        buf_put(out, bytes_trim(bytes_slice(line, 0, quotation_at(line))));
}

/* Lines of code under a "File …" line are indented and go with it. */
static void sanitise(struct buf *out, struct bytes text)
{
    bool in_trace = false;

    while (text.len > 0) {
        size_t end = bytes_find_byte(text, '\n');
        struct bytes line = bytes_slice(text, 0, end);

        text = end == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(text, end + 1, SIZE_MAX);
        if (is_trace_line(line)) {
            in_trace = true;
            continue;
        }
        if (bytes_trim(line).len == 0 || (in_trace && line.ptr[0] == ' '))
            continue;
        in_trace = false;
        if (out->len > 0)
            buf_putc(out, '\n');
        put_line(out, line);
    }
}

/* At most `size` - 1 octets, cut between characters. */
static void copy_text(char *out, size_t size, struct bytes text)
{
    size_t len = 0;

    while (len < text.len) {
        size_t n = utf8_char_len(bytes_slice(text, len, SIZE_MAX));

        if (n == 0 || len + n > size - 1)
            break;
        len += n;
    }
    if (len > 0)
        memcpy(out, text.ptr, len);
    out[len] = '\0';
}

static bool is_type_name(struct bytes type)
{
    if (type.len == 0 || type.len >= OPENAI_TYPE_MAX)
        return false;
    for (size_t i = 0; i < type.len; i++) {
        uint8_t c = type.ptr[i];

        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' && c != '.' && c != '-' &&
            !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

/* What of an engine's status concerns the client: not that the node may not talk to it. */
static unsigned status_for_client(unsigned status)
{
    if (status < 400 || status > 599 || status == 401 || status == 403 || status == 407)
        return 502;
    return status;
}

void openai_error_of_engine(struct openai_error *out, unsigned status, struct bytes body)
{
    struct buf text = buf_make_secret(ENGINE_MESSAGE_MAX);
    struct buf clean = buf_make_secret(ENGINE_MESSAGE_MAX);
    struct bytes type;
    struct jval root;
    struct jval e;

    memset(out, 0, sizeof(*out));
    out->status = status_for_client(status);
    out->retry_after_s = out->status == 429 || out->status == 503 ? 2 : 0;
    out->is_permanent = out->status < 500 && out->status != 429 && out->status != 408;
    (void)snprintf(out->type, sizeof(out->type), "upstream_error");
    if (out->status == status && jscan_object(&root, body) == TACIT_OK) {
        e = jscan_member(root, "error");
        if (e.type != JVAL_OBJECT)
            e = root;
        if (jscan_str_view(&type, jscan_member(e, "type")) && is_type_name(type))
            copy_text(out->type, sizeof(out->type), type);
        if (jscan_str_copy(&text, jscan_member(e, "message")) == TACIT_OK)
            sanitise(&clean, buf_bytes(&text));
        copy_text(out->message, sizeof(out->message), buf_bytes(&clean));
    }
    if (out->message[0] == '\0')
        (void)snprintf(out->message, sizeof(out->message), "Upstream request failed with status %u",
                       status);
    buf_done(&text);
    buf_done(&clean);
}
