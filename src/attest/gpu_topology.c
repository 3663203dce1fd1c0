/* Machine-wide rules. Invariant: identities come from certificates (low octets of the identity
 * certificate's serial); what devices claim about one another must agree with those, not merely
 * with each other (spec: gpu.md 2.5). */
#include "attest/gpu_topology.h"

enum { PPCIE_GPUS = 8, PPCIE_SWITCHES = 4 };

struct pdi_set {
    size_t count;
    uint8_t pdi[LIMIT_GPU_DEVICES][GPU_PDI_LEN];
};

static bool set_has(const struct pdi_set *set, const uint8_t *pdi)
{
    for (size_t i = 0; i < set->count; i++)
        if (memcmp(set->pdi[i], pdi, GPU_PDI_LEN) == 0)
            return true;
    return false;
}

/* False if the device has no identity, or one that is there already. */
static bool set_add(struct pdi_set *set, const struct gpu_chain *chain)
{
    if (!chain->has_pdi || set_has(set, chain->pdi) || set->count == LIMIT_GPU_DEVICES)
        return false;
    memcpy(set->pdi[set->count++], chain->pdi, GPU_PDI_LEN);
    return true;
}

static bool fail(const struct row_scope *s, const char *id, const char *why)
{
    row_fail(s, id, TACIT_CAUSE_MISMATCH, "%s", why);
    return false;
}

static bool pass(const struct row_scope *s, const char *id)
{
    row_pass(s, id);
    return true;
}

static bool same_device(const struct gpu_chain *a, const struct gpu_chain *b)
{
    return bytes_eq(a->certs[0].serial, b->certs[0].serial) ||
           bytes_eq(a->certs[0].spki, b->certs[0].spki) ||
           bytes_eq(a->certs[1].serial, b->certs[1].serial) ||
           bytes_eq(a->certs[1].spki, b->certs[1].spki);
}

static bool unique_row(const struct row_scope *s, const struct gpu_member *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (same_device(m[i].chain, m[k].chain))
                return fail(s, "gpu.set.unique", "one device is listed twice");
    return pass(s, "gpu.set.unique");
}

static const struct gpu_report *first_gpu(const struct gpu_member *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!m[i].is_switch)
            return m[i].report;
    return NULL;
}

static bool mode_row(const struct row_scope *s, const struct gpu_member *m, size_t count)
{
    const struct gpu_report *first = first_gpu(m, count);

    for (size_t i = 0; i < count; i++) {
        if (m[i].is_switch)
            continue;
        if (m[i].report->mode != first->mode)
            return fail(s, "gpu.set.mode", "the GPUs are not all in the same mode");
        if (m[i].report->arch != first->arch)
            return fail(s, "gpu.set.mode", "the GPUs are not all of the same architecture");
    }
    return pass(s, "gpu.set.mode");
}

/* One driver serves a machine; boards of one kind carry one VBIOS. */
static bool driver_row(const struct row_scope *s, const struct gpu_member *m, size_t count)
{
    const struct gpu_report *first = first_gpu(m, count);

    for (size_t i = 0; i < count; i++) {
        if (m[i].is_switch)
            continue;
        if (strcmp(m[i].report->driver, first->driver) != 0)
            return fail(s, "gpu.set.driver", "the GPUs do not all run the same driver");
        for (size_t k = 0; k < i; k++)
            if (!m[k].is_switch && strcmp(m[i].report->project, m[k].report->project) == 0 &&
                strcmp(m[i].report->project_sku, m[k].report->project_sku) == 0 &&
                strcmp(m[i].report->chip_sku, m[k].report->chip_sku) == 0 &&
                strcmp(m[i].report->vbios, m[k].report->vbios) != 0)
                return fail(s, "gpu.set.driver", "GPUs of one kind do not all have the same VBIOS");
    }
    return pass(s, "gpu.set.driver");
}

/* Each GPU's ports lead to exactly the four attested switches. */
static bool ports_row(const struct row_scope *s, const struct gpu_member *m, size_t count,
                      const struct pdi_set *switches)
{
    uint8_t seen[GPU_PORTS][GPU_PDI_LEN];

    for (size_t i = 0; i < count; i++) {
        size_t n;

        if (m[i].is_switch)
            continue;
        n = gpu_report_port_pdis(m[i].report, seen);
        for (size_t k = 0; k < n; k++)
            if (!set_has(switches, seen[k]))
                return fail(s, "gpu.topology.ports",
                            "a GPU is linked to a switch whose identity is not attested");
        if (n != switches->count)
            return fail(s, "gpu.topology.ports", "a GPU is not linked to every switch");
    }
    return pass(s, "gpu.topology.ports");
}

static const char *switch_fault(const struct gpu_member *m, const struct pdi_set *gpus)
{
    struct bytes own = gpu_report_tlv(m->report, GPU_TLV_PDI);
    struct bytes peers = gpu_report_tlv(m->report, GPU_TLV_SWITCH_GPU_PDIS);
    struct pdi_set named = {0};

    if (!bytes_eq(own, BYTES_ARRAY(m->chain->pdi)))
        return "a switch names itself otherwise than its certificate does";
    if (peers.len < GPU_SWITCH_PEERS * GPU_PDI_LEN)
        return "a switch does not name its GPUs";
    for (size_t i = 0; i < GPU_SWITCH_PEERS; i++) {
        const uint8_t *pdi = peers.ptr + i * GPU_PDI_LEN;

        if (!set_has(gpus, pdi))
            return "a switch serves a GPU whose identity is not attested";
        if (set_has(&named, pdi))
            return "a switch names a GPU twice";
        memcpy(named.pdi[named.count++], pdi, GPU_PDI_LEN);
    }
    return named.count == gpus->count ? NULL : "a switch does not name every GPU";
}

static bool switches_row(const struct row_scope *s, const struct gpu_member *m, size_t count,
                         const struct pdi_set *gpus)
{
    for (size_t i = 0; i < count; i++) {
        const char *why = m[i].is_switch ? switch_fault(&m[i], gpus) : NULL;

        if (why != NULL)
            return fail(s, "gpu.topology.switches", why);
    }
    return pass(s, "gpu.topology.switches");
}

static bool ppcie_rows(const struct row_scope *s, const struct gpu_member *m, size_t count)
{
    struct pdi_set gpus = {0}, switches = {0};
    bool identified = true;

    for (size_t i = 0; i < count; i++)
        identified &= set_add(m[i].is_switch ? &switches : &gpus, m[i].chain);
    if (!identified)
        return fail(s, "gpu.topology.count", "a device has no identity of its own");
    if (gpus.count != PPCIE_GPUS || switches.count != PPCIE_SWITCHES) {
        row_fail(s, "gpu.topology.count", TACIT_CAUSE_MISMATCH,
                 "protected PCIe joins 8 GPUs and 4 switches, here are %zu and %zu", gpus.count,
                 switches.count);
        return false;
    }
    row_pass(s, "gpu.topology.count");
    identified = ports_row(s, m, count, &switches);
    return switches_row(s, m, count, &gpus) && identified;
}

bool gpu_topology_rows(const struct row_scope *s, const struct gpu_member *members, size_t count,
                       bool one_by_one)
{
    const struct gpu_report *first = first_gpu(members, count);
    bool has_switch = false;
    bool ok = unique_row(s, members, count);

    for (size_t i = 0; i < count; i++)
        has_switch |= members[i].is_switch;
    if (one_by_one || first == NULL)
        return ok; /* switches alone: judged one by one */
    ok &= mode_row(s, members, count);
    ok &= driver_row(s, members, count);
    if (first->mode == TACIT_GPU_MODE_PPCIE)
        return ppcie_rows(s, members, count) && ok;
    if (has_switch)
        return fail(s, "gpu.topology.count", "there are switches, but the GPUs do not use them");
    return ok;
}
