/* The table of faults, as data. */
#include "tee/sim_priv.h"

static const struct sim_fault_info faults[] = {
#define SIM_FAULT_INFO(symbol, name, row, needs, does) {name, does, row},
    SIM_FAULTS(SIM_FAULT_INFO)
#undef SIM_FAULT_INFO
};

static const enum sim_need needs_of[] = {[SIM_HONEST] = SIM_NEED_ANY,
#define SIM_FAULT_NEED(symbol, name, row, needs, does) [SIM_##symbol] = SIM_NEED_##needs,
                                         SIM_FAULTS(SIM_FAULT_NEED)
#undef SIM_FAULT_NEED
};

const struct sim_fault_info *sim_faults(size_t *count)
{
    *count = ARRAY_LEN(faults);
    return faults;
}

enum sim_need sim_fault_need(enum sim_fault fault)
{
    return needs_of[fault];
}
