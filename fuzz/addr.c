/* Addresses and URLs: whatever is accepted is a text without NUL, within bounds, and is accepted
 * again when written back. */
#include <assert.h>
#include <stdio.h>

#include "net/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addr(struct bytes text)
{
    struct net_addr a, again;
    char back[300];

    if (addr_parse(&a, text) != TACIT_OK)
        return;
    assert(memchr(a.host, 0, sizeof(a.host)) != NULL && a.host[0] != 0);
    if (a.is_unix)
        (void)snprintf(back, sizeof(back), "unix:%s", a.host);
    else
        (void)snprintf(back, sizeof(back), strchr(a.host, ':') == NULL ? "%s:%u" : "[%s]:%u",
                       a.host, (unsigned)a.port);
    assert(addr_parse(&again, bytes_of(back)) == TACIT_OK);
    assert(strcmp(again.host, a.host) == 0 && again.port == a.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {data, size};
    struct net_url u;

    check_addr(text);
    if (url_parse(&u, text) == TACIT_OK) {
        assert(u.addr.is_unix || u.addr.port != 0);
        assert(!bytes_ends_with(bytes_of(u.base), BYTES_LIT("/")));
    }
    return 0;
}
