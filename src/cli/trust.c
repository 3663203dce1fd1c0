/* Root, collateral and time for verifying commands: see trust.h. */
#include "cli/trust.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utc.h"
#include "codec/jscan.h"
#include "crypto/x509.h"

enum { TRUST_MEMORY = 16 * 1024 * 1024, COLLATERAL_LIMIT = 2 * 1024 * 1024 };

static bool read_into(struct trust *t, struct bytes *out, const char *path, size_t limit)
{
    struct buf file = buf_make(limit);
    bool is_read = file_read(&file, path) == TACIT_OK;

    *out = is_read ? arena_dup(&t->arena, buf_bytes(&file)) : (struct bytes){NULL, 0};
    buf_done(&file);
    return is_read && out->ptr != NULL;
}

static bool load_root(struct trust *t, const char *command)
{
    struct x509_cert cert;
    size_t count = 0;

    if (t->root_path == NULL)
        return true;
    if (!read_into(t, &t->root_der, t->root_path, LIMIT_PEM_BYTES)) {
        (void)cli_fail(command, "cannot read the root certificate %s", t->root_path);
        return false;
    }
    if (!bytes_starts_with(t->root_der, BYTES_LIT("-----BEGIN")))
        return true; /* DER; the verifier judges it */
    if (x509_parse_pem(&cert, 1, &count, t->root_der, &t->arena) != TACIT_OK || count != 1) {
        (void)cli_fail(command, "%s does not hold exactly one PEM certificate", t->root_path);
        return false;
    }
    t->root_der = cert.der;
    return true;
}

bool trust_load(struct trust *t, const char *command)
{
    t->arena = arena_make(TRUST_MEMORY);
    t->now_unix_s = clock_unix_s();
    if (t->at != NULL && utc_parse(&t->now_unix_s, bytes_of(t->at)) != TACIT_OK) {
        (void)cli_fail(command, "--at wants YYYY-MM-DDThh:mm:ssZ");
        return false;
    }
    for (size_t i = 0; i < t->collateral_paths.count; i++) {
        const char *path = t->collateral_paths.items[i];

        if (!read_into(t, &t->collateral[i], path, COLLATERAL_LIMIT)) {
            (void)cli_fail(command, "cannot read the collateral %s", path);
            return false;
        }
    }
    return load_root(t, command) && pccs_open(&t->pccs, t->root_der, command) &&
           gpu_opts_load(&t->gpu, t->pccs.proxy, command);
}

void trust_done(struct trust *t)
{
    pccs_close(&t->pccs);
    gpu_opts_done(&t->gpu);
    arena_done(&t->arena);
}

/* Whether the file speaks of that platform; the verifier checks what it says, this only chooses. */
static bool is_for(struct bytes collateral, const uint8_t fmspc[static 6])
{
    char hex[13];

    for (size_t i = 0; i + 12 <= collateral.len; i++) {
        bool is_same = true;

        (void)snprintf(hex, sizeof hex, "%02X%02X%02X%02X%02X%02X", fmspc[0], fmspc[1], fmspc[2],
                       fmspc[3], fmspc[4], fmspc[5]);
        is_same = bytes_eq_nocase(bytes_slice(collateral, i, 12), bytes_of(hex));
        if (is_same)
            return true;
    }
    return false;
}

static enum tacit_err find_collateral(struct bytes *json, char *why,
                                      const struct tacit_collateral_need *need, void *ctx)
{
    struct trust *t = ctx;

    *json = (struct bytes){NULL, 0};
    if (t->collateral_paths.count == 1 && !pccs_is_open(&t->pccs)) {
        *json = t->collateral[0];
        return TACIT_OK;
    }
    for (size_t i = 0; i < t->collateral_paths.count; i++) {
        if (is_for(t->collateral[i], need->fmspc)) {
            *json = t->collateral[i];
            return TACIT_OK;
        }
    }
    if (pccs_is_open(&t->pccs))
        return collateral_loan_get(json, why, need, &t->pccs.loan);
    (void)snprintf(why, TACIT_ROW_REASON_MAX, "%s",
                   t->collateral_paths.count == 0 ? "no --collateral and no --pccs was given"
                                                  : "no --collateral is for this platform");
    return TACIT_NOT_FOUND;
}

void trust_take_up(struct trust *t, const struct upfile *up)
{
    if (t->root_path == NULL)
        t->root_path = up->trust_root;
    if (t->collateral_paths.count == 0 && up->collateral != NULL)
        t->collateral_paths.items[t->collateral_paths.count++] = up->collateral;
    if (t->gpu.demand == NULL && up->gpu_root != NULL)
        t->gpu.demand = "required";
    if (t->gpu.root_path == NULL)
        t->gpu.root_path = up->gpu_root;
    if (t->gpu.rim_root_path == NULL)
        t->gpu.rim_root_path = up->gpu_rim_root;
    if (t->gpu.rims.count == 0 && up->gpu_rims != NULL)
        t->gpu.rims.items[t->gpu.rims.count++] = up->gpu_rims;
}

void trust_apply(struct trust *t, struct tacit_report_opts *opts)
{
    opts->root_der = t->root_der;
    opts->now_unix_s = t->now_unix_s;
    opts->collateral = find_collateral;
    opts->collateral_ctx = t;
    gpu_opts_apply(&t->gpu, opts);
}
