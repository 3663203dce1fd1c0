/* A simulated trust domain, shared by sim_td.c (start, events, quotes) and sim_info.c (what
 * dstack's Info says, keys). */
#ifndef TEE_SIM_TD_PRIV_H
#define TEE_SIM_TD_PRIV_H

#include "base/arena.h"
#include "base/limits.h"
#include "tee/sim_priv.h"

enum { SIM_WORKLOAD_MAX = 40, SIM_COMPOSE_MAX = 8192 };

struct sim_event {
    unsigned imr;
    uint32_t type;
    uint8_t digest[48];
    struct bytes name, payload; /* in the TD's arena */
};

struct sim_td {
    struct sim *sim;
    struct signkey *ak;
    char workload[SIM_WORKLOAD_MAX + 1];
    struct sim_registers regs;
    struct arena arena;
    struct sim_event events[LIMIT_EVENT_LOG_EVENTS];
    size_t event_count;
    struct buf app_compose;
    struct buf key_provider;
    uint8_t compose_hash[32];
    uint8_t app_id[20];
    uint8_t instance_id[20];
    uint8_t os_image_hash[32];
    uint8_t device_id[32];
};

#endif
