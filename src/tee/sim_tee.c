/* The simulator as a provider of tee.h. Refreshes root.pem and collateral.json in its folder at
 * every start, so that whoever is told to trust this simulator finds what it needs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tee/sim.h"
#include "tee/tee_priv.h"

struct provider {
    struct sim *sim;
    struct sim_td *td;
};

static struct sim_td *td_of(void *self)
{
    return ((struct provider *)self)->td;
}

static enum tacit_err op_quote(void *self, struct buf *quote,
                               const uint8_t report_data[static TEE_REPORT_DATA_LEN])
{
    return sim_td_quote(td_of(self), quote, report_data);
}

static enum tacit_err op_event(void *self, const char *event, struct bytes payload)
{
    return sim_td_event(td_of(self), event, payload);
}

static enum tacit_err op_event_log(void *self, struct buf *json)
{
    return sim_td_event_log(td_of(self), json);
}

static enum tacit_err op_info(void *self, struct buf *json)
{
    return sim_td_info(td_of(self), json);
}

static enum tacit_err op_key(void *self, uint8_t out[static 32], const char *path,
                             const char *purpose)
{
    return sim_td_key(td_of(self), out, path, purpose);
}

static void op_close(void *self)
{
    struct provider *p = self;

    sim_td_free(p->td);
    sim_free(p->sim);
    free(p);
}

static const struct tee_ops sim_ops = {
    .quote = op_quote,
    .event = op_event,
    .event_log = op_event_log,
    .info = op_info,
    .key = op_key,
    .close = op_close,
};

static enum tacit_err provider_open(struct provider *p, const char *dir, const char *workload,
                                    char why[static TEE_WHY_LEN])
{
    enum tacit_err err = sim_open(&p->sim, dir, why);

    if (err != TACIT_OK)
        return err;
    err = sim_export(p->sim, clock_unix_s());
    if (err == TACIT_OK)
        err = sim_td_new(&p->td, p->sim, workload);
    if (err == TACIT_USAGE)
        snprintf(why, TEE_WHY_LEN,
                 "a simulated workload's name has 1 to 40 letters, digits, '-', '_' or '.'");
    else if (err != TACIT_OK)
        snprintf(why, TEE_WHY_LEN, "the simulator in %s cannot start: %s", dir,
                 tacit_err_text(err));
    return err;
}

enum tacit_err tee_sim_open(struct tee *tee, const struct tee_opts *opts,
                            char why[static TEE_WHY_LEN])
{
    struct provider *p;
    enum tacit_err err;

    if (opts->path == NULL) {
        snprintf(why, TEE_WHY_LEN, "the simulator needs a folder for its state");
        return TACIT_USAGE;
    }
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return TACIT_NOMEM;
    err = provider_open(p, opts->path, opts->workload == NULL ? "tacit" : opts->workload, why);
    if (err != TACIT_OK) {
        op_close(p);
        return err;
    }
    tee->ops = &sim_ops;
    tee->self = p;
    tee->name = "SIMULATED";
    tee->is_simulated = true;
    return TACIT_OK;
}
