/* What the simulator is to make: the shape of quotes, and what is to be wrong. A change of plan
 * forgets the PKI, which is made anew when it is next needed. */
#include "tee/sim_priv.h"

struct sim_shape sim_shape_default(void)
{
    return (struct sim_shape){.version = 4, .body = TACIT_BODY_TD10};
}

static bool shape_exists(struct sim_shape s)
{
    if (s.version == 3)
        return s.body == TACIT_BODY_SGX;
    if (s.version == 4)
        return s.body == TACIT_BODY_SGX || s.body == TACIT_BODY_TD10;
    return s.version == 5 && s.body >= TACIT_BODY_SGX && s.body <= TACIT_BODY_TD15_EX;
}

static void plan_changed(struct sim *sim)
{
    if (sim->has_pki)
        sim_pki_done(&sim->pki);
    sim->has_pki = false;
}

enum tacit_err sim_set_shape(struct sim *sim, struct sim_shape shape)
{
    if (!shape_exists(shape))
        return TACIT_UNSUPPORTED;
    if (shape.version == sim->plan.shape.version && shape.body == sim->plan.shape.body &&
        shape.is_processor_ca == sim->plan.shape.is_processor_ca)
        return TACIT_OK;
    sim->plan.shape = shape;
    plan_changed(sim);
    return TACIT_OK;
}

/* Some faults are faults of one shape only. */
static void shape_fit(struct sim_shape *shape, enum sim_need need)
{
    switch (need) {
    case SIM_NEED_ANY:
        return;
    case SIM_NEED_TD10:
        if (shape->body == TACIT_BODY_SGX)
            *shape = sim_shape_default();
        return;
    case SIM_NEED_TD15:
        shape->version = 5;
        if (shape->body != TACIT_BODY_TD15_EX)
            shape->body = TACIT_BODY_TD15;
        return;
    case SIM_NEED_SGX3:
        shape->version = 3;
        shape->body = TACIT_BODY_SGX;
        return;
    }
}

enum tacit_err sim_set_fault(struct sim *sim, const char *name)
{
    size_t count;
    const struct sim_fault_info *list = sim_faults(&count);
    size_t found = 0;

    while (name != NULL && found < count && strcmp(list[found].name, name) != 0)
        found++;
    if (found == count)
        return TACIT_NOT_FOUND;
    sim->plan.fault = name == NULL ? SIM_HONEST : (enum sim_fault)(found + 1);
    shape_fit(&sim->plan.shape, sim_fault_need(sim->plan.fault));
    plan_changed(sim);
    return TACIT_OK;
}
