/* Addresses as operators write them: "127.0.0.1:8443", "[::1]:8443", "host:443", "unix:/path". */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "base/bytes.h"
#include "base/err.h"

struct net_addr {
    bool is_unix;
    char host[256]; /* host name, address without brackets, or the socket's path */
    uint16_t port;  /* 0 for unix; 0 for a listener means any free port */
};

/* TACIT_FORMAT for anything else. Resolves nothing. Pure, any thread. */
MUST_CHECK enum tacit_err addr_parse(struct net_addr *out, struct bytes text);
/* "https://host[:port][/base]" and "http://…", "unix:/path": splits; base has no trailing slash. */
struct net_url {
    struct net_addr addr;
    bool is_tls;
    char base[256]; /* "" or "/v1" */
};
MUST_CHECK enum tacit_err url_parse(struct net_url *out, struct bytes text);

#endif
