/* Field rules of RFC 9110 5 and target rules of RFC 3986, as tables and short scans. */
#include "http/header.h"

enum {
    CLASS_TOKEN = 1,  /* RFC 9110 tchar */
    CLASS_PATH = 2,   /* RFC 3986 pchar without '%', and '/' */
    CLASS_QUERY = 4,  /* the same and '?' */
    CLASS_DIGIT = 8,  /* 0-9 */
    CLASS_HEX = 16,   /* digits, a-f, A-F */
    CLASS_HOST = 32,  /* unreserved, sub-delims, and "[]:%" */
    CLASS_UPPER = 64, /* A-Z */
};

/* Each class as a constant expression, so that the table below is made by the compiler. */
#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')
#define IS_UPPER(c) ((c) >= 'A' && (c) <= 'Z')
#define IS_LOWER(c) ((c) >= 'a' && (c) <= 'z')
#define IS_HEX(c) (IS_DIGIT(c) || ((c) >= 'a' && (c) <= 'f') || ((c) >= 'A' && (c) <= 'F'))
#define IS_PLAIN(c)                                                                         \
    (IS_DIGIT(c) || IS_UPPER(c) || IS_LOWER(c) || (c) == '-' || (c) == '.' || (c) == '_' || \
     (c) == '~')
#define IS_SUB(c) \
    ((c) == '!' || (c) == '$' || ((c) >= '&' && (c) <= ',') || (c) == ';' || (c) == '=')
#define IS_TOKEN(c)                                                                          \
    (IS_PLAIN(c) || (c) == '!' || ((c) >= '#' && (c) <= '\'') || (c) == '*' || (c) == '+' || \
     (c) == '^' || (c) == '`' || (c) == '|')
#define IS_PATH(c) (IS_PLAIN(c) || IS_SUB(c) || (c) == ':' || (c) == '@' || (c) == '/')
#define IS_HOST(c) (IS_PLAIN(c) || IS_SUB(c) || (c) == ':' || (c) == '[' || (c) == ']')
#define CLASS(c)                                                                      \
    ((IS_TOKEN(c) ? CLASS_TOKEN : 0) | (IS_PATH(c) ? CLASS_PATH : 0) |                \
     (IS_PATH(c) || (c) == '?' ? CLASS_QUERY : 0) | (IS_DIGIT(c) ? CLASS_DIGIT : 0) | \
     (IS_HEX(c) ? CLASS_HEX : 0) | (IS_HOST(c) ? CLASS_HOST : 0) |                    \
     (IS_UPPER(c) ? CLASS_UPPER : 0))
#define CLASS_4(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASS_16(c) CLASS_4(c), CLASS_4((c) + 4), CLASS_4((c) + 8), CLASS_4((c) + 12)

static const uint8_t classes[256] = {
    CLASS_16(0),  CLASS_16(16), CLASS_16(32), CLASS_16(48),
    CLASS_16(64), CLASS_16(80), CLASS_16(96), CLASS_16(112),
};

static unsigned class_of(uint8_t c)
{
    return classes[c];
}

static bool is_all(struct bytes b, unsigned class)
{
    for (size_t i = 0; i < b.len; i++)
        if ((class_of(b.ptr[i]) & class) == 0)
            return false;
    return true;
}

struct bytes header_find(const struct header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_eq_cstr(headers[i].name, name))
            return headers[i].value;
    return (struct bytes){0};
}

bool http_is_token(struct bytes b)
{
    return b.len > 0 && is_all(b, CLASS_TOKEN);
}

bool http_is_lower_token(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if ((class_of(b.ptr[i]) & CLASS_UPPER) != 0)
            return false;
    return http_is_token(b);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

bool http_is_field_value(struct bytes b)
{
    if (b.len == 0)
        return true;
    if (is_space(b.ptr[0]) || is_space(b.ptr[b.len - 1]))
        return false;
    for (size_t i = 0; i < b.len; i++)
        if ((b.ptr[i] < 0x20 && b.ptr[i] != '\t') || b.ptr[i] == 0x7f)
            return false;
    return true;
}

bool http_list_has(struct bytes list, const char *token)
{
    while (list.len > 0) {
        size_t comma = bytes_find_byte(list, ',');
        struct bytes item = bytes_trim(bytes_slice(list, 0, comma));

        if (bytes_eq_nocase(item, bytes_of(token)))
            return true;
        list = comma == SIZE_MAX ? (struct bytes){0} : bytes_slice(list, comma + 1, SIZE_MAX);
    }
    return false;
}

/* Characters of one class, or '%' with two hex digits. */
static bool is_encoded(struct bytes b, unsigned class)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] == '%') {
            if (b.len - i < 3 || !is_all(bytes_slice(b, i + 1, 2), CLASS_HEX))
                return false;
            i += 2;
        } else if ((class_of(b.ptr[i]) & class) == 0) {
            return false;
        }
    }
    return true;
}

bool http_is_origin_form(struct bytes target)
{
    size_t mark = bytes_find_byte(target, '?');
    struct bytes query = {0};

    if (target.len == 0 || target.ptr[0] != '/')
        return false;
    if (mark != SIZE_MAX)
        query = bytes_slice(target, mark + 1, SIZE_MAX);
    return is_encoded(bytes_slice(target, 0, mark), CLASS_PATH) && is_encoded(query, CLASS_QUERY);
}

bool http_is_authority(struct bytes b)
{
    size_t colon;
    struct bytes host = b;

    for (colon = b.len; colon > 0 && (class_of(b.ptr[colon - 1]) & CLASS_DIGIT) != 0;)
        colon--;
    if (colon > 0 && b.ptr[colon - 1] == ':')
        host = bytes_slice(b, 0, colon - 1);
    if (host.len == 0 || !is_encoded(host, CLASS_HOST))
        return false;
    if (host.ptr[0] == '[')
        return host.len > 2 && bytes_find_byte(host, ']') == host.len - 1;
    return bytes_find_byte(host, ':') == SIZE_MAX && bytes_find_byte(host, '[') == SIZE_MAX &&
           bytes_find_byte(host, ']') == SIZE_MAX;
}

const char *http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } table[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {499, "Client Closed Request"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].status == status)
            return table[i].reason;
    return "";
}
