/* Collateral over the network for commands: see pccs.h. */
#include "cli/pccs.h"

#include <stdio.h>
#include <string.h>

bool pccs_open(struct pccs *p, struct bytes root_der, const char *command)
{
    struct collateral_source_opts opts = {
        .pcs = {.proxy = p->proxy, .is_any_tls = p->is_any_tls, .is_early = p->is_early},
        .cache_dir = p->cache_dir,
        .root_der = root_der,
    };
    struct bytes url = bytes_of(p->url);
    enum tacit_err err;

    if (p->url == NULL)
        return true;
    while (bytes_ends_with(url, BYTES_LIT("/")))
        url.len--;
    if (strcmp(p->url, "intel") != 0) {
        if (!bytes_starts_with(url, BYTES_LIT("http")) || url.len >= sizeof(p->base)) {
            (void)cli_fail(command, "--pccs wants a URL (https://host:8081) or the word intel");
            return false;
        }
        memcpy(p->base, url.ptr, url.len);
        p->base[url.len] = 0;
        opts.pcs.base_url = p->base;
    }
    err = collateral_source_new(&p->loan.source, &opts);
    if (err == TACIT_OK)
        return true;
    (void)cli_fail(command, "collateral cannot be kept in %s: %s",
                   p->cache_dir == NULL ? "memory" : p->cache_dir, tacit_err_text(err));
    return false;
}

void pccs_close(struct pccs *p)
{
    collateral_loan_done(&p->loan);
    collateral_source_free(p->loan.source);
    p->loan.source = NULL;
}

bool pccs_is_open(const struct pccs *p)
{
    return p->loan.source != NULL;
}
