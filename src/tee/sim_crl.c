/* The CRLs of the simulated PKI: empty, unless the plan revokes somebody. */
#include "tee/sim_priv.h"

enum { PCK_CRL_DAYS = 30, ROOT_CRL_DAYS = 365, CRL_NUMBER = 1 };

/* What the plan says is wrong with one of the two lists. */
struct spoil {
    enum sim_fault forged, expired, future;
};

static enum tacit_err crl_of(struct sim *sim, struct buf *der, struct crl_spec *spec,
                             enum sim_cert issuer, enum sim_key by, const struct spoil *spoil)
{
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);
    struct sim_window time = {spec->this_update_unix_s, spec->next_update_unix_s};
    int64_t days = (time.to - time.from) / 86400;

    if (err != TACIT_OK)
        return err;
    if (sim_is(sim, spoil->expired))
        time = sim_window_moved(time, -2 * days);
    if (sim_is(sim, spoil->future))
        time = sim_window_moved(time, 2);
    spec->this_update_unix_s = time.from;
    spec->next_update_unix_s = time.to;
    spec->issuer_name = buf_bytes(&pki->names[issuer]);
    spec->number = CRL_NUMBER;
    spec->key_id = pki->key_ids[issuer];
    return crl_make(der, spec,
                    sim_is(sim, spoil->forged) ? pki->keys[SIM_KEY_ROGUE]
                                               : sim_key_of(sim, pki, by));
}

static enum tacit_err pck_list(struct sim *sim, struct buf *der, int64_t now_unix_s)
{
    static const struct spoil spoil = {SIM_CRL_PCK_FORGED, SIM_CRL_PCK_EXPIRED, SIM_CRL_PCK_FUTURE};
    struct sim_window time = sim_window_at(now_unix_s, PCK_CRL_DAYS);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);
    struct crl_entry revoked;
    struct crl_spec spec = {.this_update_unix_s = time.from,
                            .next_update_unix_s = time.to,
                            .has_number = !sim_is(sim, SIM_CRL_PCK_UNNUMBERED),
                            .revoked = &revoked,
                            .revoked_count = sim_is(sim, SIM_PCK_REVOKED) ? 1 : 0};

    if (err != TACIT_OK)
        return err;
    revoked = (struct crl_entry){BYTES_ARRAY(pki->serials[SIM_CERT_PCK]), time.from};
    return crl_of(sim, der, &spec, SIM_CERT_CA,
                  sim->plan.shape.is_processor_ca ? SIM_KEY_PROCESSOR_CA : SIM_KEY_PLATFORM_CA,
                  &spoil);
}

enum tacit_err sim_root_crl(struct sim *sim, struct buf *der, int64_t now_unix_s)
{
    static const struct spoil spoil = {SIM_CRL_ROOT_FORGED, SIM_CRL_ROOT_EXPIRED,
                                       SIM_CRL_ROOT_FUTURE};
    struct sim_window time = sim_window_at(now_unix_s, ROOT_CRL_DAYS);
    bool is_ca = sim_is(sim, SIM_CA_REVOKED);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);
    struct crl_entry revoked;
    struct crl_spec spec = {.this_update_unix_s = time.from,
                            .next_update_unix_s = time.to,
                            .has_number = true,
                            .revoked = &revoked,
                            .revoked_count = is_ca || sim_is(sim, SIM_TCB_SIGNER_REVOKED) ? 1 : 0};

    if (err != TACIT_OK)
        return err;
    revoked = (struct crl_entry){
        BYTES_ARRAY(pki->serials[is_ca ? SIM_CERT_CA : SIM_CERT_TCB_SIGNING]), time.from};
    return crl_of(sim, der, &spec, SIM_CERT_ROOT, SIM_KEY_ROOT, &spoil);
}

enum tacit_err sim_pck_crl(struct sim *sim, struct buf *der, int64_t now_unix_s)
{
    size_t from = der->len;
    enum tacit_err err = sim_is(sim, SIM_CRL_PCK_OF_ROOT) ? sim_root_crl(sim, der, now_unix_s)
                                                          : pck_list(sim, der, now_unix_s);

    if (err == TACIT_OK && sim_is(sim, SIM_CRL_PCK_GARBAGE))
        der->len = from + (der->len - from) / 2;
    return err;
}
