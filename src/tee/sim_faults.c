/* The table of faults, as data. */
#include "tee/sim_priv.h"

static const struct sim_fault_info faults[] = {
#define SIM_FAULT_INFO(symbol, name, row, does) {name, does, row},
    SIM_FAULTS(SIM_FAULT_INFO)
#undef SIM_FAULT_INFO
};

const struct sim_fault_info *sim_faults(size_t *count)
{
    *count = ARRAY_LEN(faults);
    return faults;
}
