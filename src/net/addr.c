/* Addresses and URLs as operators write them, split and judged strictly: what is not clearly an
 * address is refused here, so that nothing unexpected reaches the resolver or a Host header. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

enum {
    UNIX_PATH_MAX_LEN = 107, /* sockaddr_un.sun_path without its NUL */
    HOST_NAME_MAX_LEN = 253, /* RFC 1035 2.3.4 */
    PORT_HTTP = 80,
    PORT_HTTPS = 443,
};

static bool copy_text(char *out, size_t cap, struct bytes text)
{
    if (text.len >= cap || bytes_find_byte(text, 0) != SIZE_MAX)
        return false;
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return true;
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits, '-', '_' and single inner dots: also every dotted IPv4 address. */
static bool is_host_name(struct bytes host)
{
    if (host.len == 0 || host.len > HOST_NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.ptr[i];
        bool is_edge = i == 0 || i + 1 == host.len;

        if (c == '.' && (is_edge || host.ptr[i - 1] == '.'))
            return false;
        if (c == '-' && i == 0)
            return false;
        if (c != '.' && c != '-' && c != '_' && !is_alnum(c))
            return false;
    }
    return true;
}

static bool is_ipv6(struct bytes host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;

    return copy_text(text, sizeof(text), host) && inet_pton(AF_INET6, text, &addr) == 1;
}

static enum tacit_err parse_unix(struct net_addr *out, struct bytes path)
{
    if (path.len < 2 || path.len > UNIX_PATH_MAX_LEN || path.ptr[0] != '/' ||
        path.ptr[path.len - 1] == '/')
        return TACIT_FORMAT;
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] < 0x20 || path.ptr[i] == 0x7f)
            return TACIT_FORMAT;
    out->is_unix = true;
    return copy_text(out->host, sizeof(out->host), path) ? TACIT_OK : TACIT_FORMAT;
}

/* host[:port]; default_port 0 means that the port must be there. */
static enum tacit_err parse_authority(struct net_addr *out, struct bytes text, bool needs_port,
                                      uint16_t default_port)
{
    struct bytes host, rest;
    uint64_t port = default_port;
    size_t end;
    bool is_v6 = bytes_starts_with(text, BYTES_LIT("["));

    end = bytes_find_byte(text, is_v6 ? ']' : ':');
    if (is_v6 && end == SIZE_MAX)
        return TACIT_FORMAT;
    host = is_v6 ? bytes_slice(text, 1, end - 1) : bytes_slice(text, 0, end);
    rest = end == SIZE_MAX ? (struct bytes){0} : bytes_slice(text, is_v6 ? end + 1 : end, text.len);
    if (is_v6 ? !is_ipv6(host) : !is_host_name(host))
        return TACIT_FORMAT;
    if (rest.len == 0 && needs_port)
        return TACIT_FORMAT;
    if (rest.len != 0 &&
        (rest.ptr[0] != ':' || !bytes_to_u64(&port, bytes_slice(rest, 1, rest.len), UINT16_MAX)))
        return TACIT_FORMAT;
    out->port = (uint16_t)port;
    return copy_text(out->host, sizeof(out->host), host) ? TACIT_OK : TACIT_FORMAT;
}

enum tacit_err addr_parse(struct net_addr *out, struct bytes text)
{
    struct net_addr addr = {0};
    enum tacit_err err;

    if (bytes_starts_with(text, BYTES_LIT("unix:")))
        err = parse_unix(&addr, bytes_slice(text, 5, text.len));
    else
        err = parse_authority(&addr, text, true, 0);
    *out = err == TACIT_OK ? addr : (struct net_addr){0};
    return err;
}

/* Printable ASCII of a path, without query or fragment; "/" alone counts as none. */
static bool parse_base(char out[static 256], struct bytes base)
{
    while (base.len > 0 && base.ptr[base.len - 1] == '/')
        base.len--;
    for (size_t i = 0; i < base.len; i++) {
        uint8_t c = base.ptr[i];

        if (c <= 0x20 || c >= 0x7f || c == '?' || c == '#' || c == '"' || c == '\\')
            return false;
    }
    return copy_text(out, 256, base);
}

static enum tacit_err parse_web(struct net_url *out, struct bytes rest)
{
    size_t slash = bytes_find_byte(rest, '/');
    struct bytes authority = bytes_slice(rest, 0, slash);
    struct bytes base = slash == SIZE_MAX ? (struct bytes){0} : bytes_slice(rest, slash, rest.len);
    enum tacit_err err =
        parse_authority(&out->addr, authority, false, out->is_tls ? PORT_HTTPS : PORT_HTTP);

    if (err != TACIT_OK)
        return err;
    return out->addr.port != 0 && parse_base(out->base, base) ? TACIT_OK : TACIT_FORMAT;
}

enum tacit_err url_parse(struct net_url *out, struct bytes text)
{
    struct net_url url = {0};
    enum tacit_err err = TACIT_FORMAT;

    if (bytes_starts_with(text, BYTES_LIT("unix:"))) {
        err = parse_unix(&url.addr, bytes_slice(text, 5, text.len));
    } else if (bytes_starts_with(text, BYTES_LIT("https://"))) {
        url.is_tls = true;
        err = parse_web(&url, bytes_slice(text, 8, text.len));
    } else if (bytes_starts_with(text, BYTES_LIT("http://"))) {
        err = parse_web(&url, bytes_slice(text, 7, text.len));
    }
    *out = err == TACIT_OK ? url : (struct net_url){0};
    return err;
}
