/* Verification of a machine's GPUs and switches: takes the evidence apart, judges every device,
 * then the set of them, then what NVIDIA's service says. Every refusal is a row. */
#include <stdio.h>

#include "attest/gpu_evidence.h"
#include "attest/gpu_nras.h"
#include "attest/gpu_policy.h"
#include "attest/gpu_priv.h"

#define OVERALL_CLAIMS "{\"sub\":\"NVIDIA-PLATFORM-ATTESTATION\",\"x-nvidia-ver\":\"3.0\","

enum { GPU_ARENA_BYTES = 8 * 1024 * 1024 };

static const struct tacit_gpu_policy default_policy;

static void set_fail(struct tacit_verdict *v, const char *id, enum tacit_row_cause cause,
                     const char *why)
{
    struct row_scope s = {.v = v, .subject = "gpus", .authority = ""};

    row_fail(&s, id, cause, "%s", why);
}

/* Roots, answers and manifests that all devices are judged with. */
static enum tacit_err run_prepare(struct gpu_run *run)
{
    const struct tacit_gpu_opts *o = run->opts;
    struct gpu_ocsp_rules rules = {.now_unix_s = o->now_unix_s,
                                   .max_age_s = run->policy->ocsp_max_age_s,
                                   .is_hold_allowed = run->policy->is_hold_allowed};
    size_t unread;
    enum tacit_err err = gpu_root_set(&run->device_root, o->device_root, false);

    if (err == TACIT_OK)
        err = gpu_root_set(&run->rims.root, o->rim_root, true);
    if (err != TACIT_OK)
        return err;
    run->v->is_simulated |= run->device_root.is_simulated || run->rims.root.is_simulated;
    run->rims.now_unix_s = o->now_unix_s;
    run->rims.expired_days = run->policy->rim_expired_days;
    run->rims.is_ocsp_required = run->policy->is_ocsp_required;
    run->rims.links = &run->links;
    run->rims.ocsp = &run->ocsp;
    err = gpu_ocsp_pool_make(&run->ocsp, &unread, o->ocsp, o->ocsp_count, &rules, &run->arena);
    if (err == TACIT_OK && unread > 0)
        set_fail(run->v, "gpu.ocsp.format", TACIT_CAUSE_UNPARSABLE,
                 "an OCSP answer that was given cannot be read");
    if (err == TACIT_OK)
        err = gpu_rims_parse(&run->rims, o->rims, o->rim_count, &run->arena);
    return err;
}

static enum tacit_err subject_parse(struct gpu_run *run, struct gpu_subject *d)
{
    enum tacit_err err;

    d->has_report = gpu_report_parse(&d->report, &d->report_fault, d->item.report,
                                     run->policy->is_trailing_allowed) == TACIT_OK;
    err = gpu_chain_parse(&d->chain, &d->chain_fault, d->item.chain_pem, &run->arena);
    d->has_chain = err == TACIT_OK;
    d->is_switch =
        d->has_report ? d->report.arch == TACIT_GPU_LS10 : d->item.arch == TACIT_GPU_LS10;
    return err == TACIT_NOMEM ? err : TACIT_OK;
}

static enum tacit_err subjects_parse(struct gpu_run *run, const struct tacit_gpu_item *items,
                                     size_t count)
{
    size_t gpus = 0, switches = 0;
    enum tacit_err err = TACIT_OK;

    run->subjects = arena_alloc(&run->arena, count * sizeof(*run->subjects));
    if (run->subjects == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; i < count && err == TACIT_OK; i++) {
        struct gpu_subject *d = &run->subjects[i];

        d->item = items[i];
        err = subject_parse(run, d);
        snprintf(d->name, sizeof(d->name), d->is_switch ? "switch[%zu]" : "gpu[%zu]",
                 d->is_switch ? switches : gpus);
        switches += d->is_switch ? 1 : 0;
        gpus += d->is_switch ? 0 : 1;
    }
    run->count = count;
    return err;
}

static size_t gpu_count(const struct gpu_run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        count += run->subjects[i].is_switch ? 0 : 1;
    return count;
}

static bool count_row(const struct row_scope *s, const struct gpu_run *run)
{
    size_t gpus = gpu_count(run);
    size_t min = run->policy->devices_min > 0 ? run->policy->devices_min : 1;
    size_t max = run->policy->devices_max;

    /* a switch may be judged alone only when nothing was said about how many GPUs there are */
    if (gpus == 0 && run->count > 0 && run->policy->devices_min == 0)
        min = 0;
    if (gpus >= min && (max == 0 || gpus <= max)) {
        row_pass(s, "gpu.set.count");
        return true;
    }
    row_fail(s, "gpu.set.count", gpus == 0 ? TACIT_CAUSE_UNOBTAINABLE : TACIT_CAUSE_POLICY,
             "there is evidence of %zu GPUs, policy wants at least %zu and at most %zu", gpus, min,
             max > 0 ? max : (size_t)LIMIT_GPU_DEVICES);
    return false;
}

/* In protected PCIe without any switch evidence, where policy puts up with that. */
static bool switches_are_waived(const struct gpu_run *run)
{
    if (!run->policy->is_switch_waived)
        return false;
    for (size_t i = 0; i < run->count; i++)
        if (run->subjects[i].is_switch || run->subjects[i].report.mode != TACIT_GPU_MODE_PPCIE)
            return false;
    return true;
}

static void topology(struct gpu_run *run)
{
    struct row_scope s = {.v = run->v, .subject = "gpus", .authority = run->device_root.authority};
    struct row_scope optional = s;
    struct gpu_member members[LIMIT_GPU_DEVICES];
    bool one_by_one = (run->flags & GPU_RUN_NO_TOPOLOGY) != 0;

    for (size_t i = 0; i < run->count; i++) {
        const struct gpu_subject *d = &run->subjects[i];

        if (!d->has_report || !d->has_chain) {
            row_not_run(&s, "gpu.set.unique", TACIT_CAUSE_UNPARSABLE,
                        "not every device's evidence could be read");
            return;
        }
        members[i] = (struct gpu_member){&d->report, &d->chain, d->is_switch};
    }
    optional.is_optional = true;
    if (!one_by_one && switches_are_waived(run)) {
        one_by_one = true;
        row_not_run(&optional, "gpu.topology.count", TACIT_CAUSE_UNOBTAINABLE,
                    "no switch evidence was given: the links between the GPUs are not proven");
    }
    gpu_topology_rows(&s, members, run->count, one_by_one);
}

static void nras_rows(struct gpu_run *run)
{
    struct row_scope s = {.v = run->v, .subject = "nras", .authority = "NVIDIA Remote Attestation"};
    char ueids[LIMIT_GPU_DEVICES][TACIT_GPU_TEXT_MAX] = {{0}};
    struct gpu_nras_expect expect = {.nonce = run->opts->nonce,
                                     .now_unix_s = run->opts->now_unix_s,
                                     .ueids = (const char(*)[TACIT_GPU_TEXT_MAX])ueids};

    if (run->opts->nras == NULL) {
        if (run->policy->is_nras_required)
            row_not_run(&s, "gpu.nras.format", TACIT_CAUSE_UNOBTAINABLE,
                        "policy wants NVIDIA's answer, none was given");
        return;
    }
    for (size_t i = 0; i < run->count; i++) {
        const struct gpu_subject *d = &run->subjects[i];

        if (d->is_switch)
            continue;
        if (d->has_chain)
            gpu_serial_decimal(ueids[expect.device_count], d->chain.certs[0].serial);
        expect.device_count++;
    }
    gpu_nras_rows(&s, run->opts->nras, &expect, &run->arena);
}

static void set_rows(struct gpu_run *run)
{
    struct row_scope s = {.v = run->v, .subject = "gpus", .authority = run->device_root.authority};
    struct row_scope optional = s;

    count_row(&s, run);
    topology(run);
    if (run->policy->is_simulated_refused && run->v->is_simulated)
        row_fail(&s, "gpu.policy.simulated", TACIT_CAUSE_POLICY,
                 "policy refuses roots other than NVIDIA's");
    if (run->policy->rules.len > 0)
        gpu_rules_row(&s, run->policy->rules, "overall-claims",
                      tacit_verdict_is_trusted(run->v)
                          ? BYTES_LIT(OVERALL_CLAIMS "\"x-nvidia-overall-att-result\":true}")
                          : BYTES_LIT(OVERALL_CLAIMS "\"x-nvidia-overall-att-result\":false}"));
    optional.is_optional = true;
    optional.authority = "";
    row_not_run(&optional, "gpu.binding.hardware", TACIT_CAUSE_UNOBTAINABLE,
                "no hardware proof ties these GPUs to the CPU; the measured guest is the witness");
}

enum tacit_err gpu_verify_run(struct tacit_verdict *v, struct tacit_gpu_facts *facts,
                              const struct tacit_gpu_item *items, size_t count,
                              const struct tacit_gpu_opts *opts, unsigned flags)
{
    struct tacit_gpu_device unused;
    struct gpu_run run = {.v = v, .opts = opts, .flags = flags};
    enum tacit_err err = TACIT_OK;

    if (facts != NULL)
        *facts = (struct tacit_gpu_facts){0};
    if (count == 0 || count > LIMIT_GPU_DEVICES) {
        set_fail(v, "gpu.set.count", TACIT_CAUSE_UNOBTAINABLE,
                 count == 0 ? "there is no evidence of any device"
                            : "there is evidence of more devices than a machine has");
        return TACIT_OK;
    }
    run.policy = opts->policy != NULL ? opts->policy : &default_policy;
    run.arena = arena_make(GPU_ARENA_BYTES);
    err = run_prepare(&run);
    if (err == TACIT_OK)
        err = subjects_parse(&run, items, count);
    for (size_t i = 0; i < run.count && err == TACIT_OK; i++)
        gpu_device_rows(&run, &run.subjects[i], facts != NULL ? &facts->devices[i] : &unused);
    if (err == TACIT_OK) {
        if (facts != NULL)
            facts->count = run.count;
        gpu_rims_unread_rows(v, &run.rims);
        set_rows(&run);
        nras_rows(&run);
    } else {
        set_fail(v, "gpu.set.count", TACIT_CAUSE_UNOBTAINABLE, tacit_err_text(err));
    }
    gpu_links_done(&run.links);
    arena_done(&run.arena);
    return err == TACIT_LIMIT ? TACIT_OK : err;
}

enum tacit_err tacit_gpu_verify_items(struct tacit_verdict *v, struct tacit_gpu_facts *facts,
                                      const struct tacit_gpu_item *items, size_t count,
                                      const struct tacit_gpu_opts *opts)
{
    return gpu_verify_run(v, facts, items, count, opts, 0);
}

enum tacit_err tacit_gpu_verify(struct tacit_verdict *v, struct tacit_gpu_facts *facts,
                                struct bytes evidence, const struct tacit_gpu_opts *opts)
{
    struct tacit_gpu_item items[2 * LIMIT_GPU_DEVICES];
    struct arena arena = arena_make(GPU_ARENA_BYTES);
    size_t count = 0, more = 0;
    const char *why = NULL;
    enum tacit_err err = gpu_evidence_read(items, &count, &why, evidence, &arena);

    if (facts != NULL)
        *facts = (struct tacit_gpu_facts){0};
    if (err == TACIT_OK && opts->switches.len > 0)
        err = gpu_evidence_read(items + count, &more, &why, opts->switches, &arena);
    for (size_t i = 0; i < more; i++)
        if (items[count + i].arch == TACIT_GPU_ARCH_UNKNOWN)
            items[count + i].arch = TACIT_GPU_LS10;
    if (err != TACIT_OK) {
        set_fail(v, "gpu.evidence.format", TACIT_CAUSE_UNPARSABLE, why);
        err = err == TACIT_NOMEM ? err : TACIT_OK;
    } else {
        err = tacit_gpu_verify_items(v, facts, items, count + more, opts);
    }
    arena_done(&arena);
    return err;
}

static bool id_add(char (*ids)[128], size_t *count, size_t cap, const char *id)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    if (id[0] == 0 || *count == cap)
        return id[0] == 0;
    memcpy(ids[(*count)++], id, 128);
    return true;
}

size_t tacit_gpu_rim_ids(char (*ids)[128], size_t cap, struct bytes evidence)
{
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    struct arena arena = arena_make(GPU_ARENA_BYTES);
    size_t count = 0, found = 0;
    const char *why;

    if (gpu_evidence_read(items, &count, &why, evidence, &arena) != TACIT_OK)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        struct gpu_report report;
        char id[128];

        if (gpu_report_parse(&report, &why, items[i].report, true) != TACIT_OK)
            continue;
        for (int role = TACIT_GPU_RIM_DRIVER; role <= TACIT_GPU_RIM_VBIOS; role++) {
            gpu_rim_id(id, &report, (enum tacit_gpu_rim_role)role);
            if (!id_add(ids, &found, cap, id))
                break;
        }
    }
    arena_done(&arena);
    return found;
}
