/* GPU vectors: manifest.json of cases, each a kind, files and the verdict that must come out. A
 * refusal must also name a row that fits what the manifest says was broken. */
#include "gpu_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "attest/gpu_evidence.h"
#include "codec/hex.h"

enum { FILE_MAX = 8 * 1024 * 1024, CASE_ARENA = 32 * 1024 * 1024 };

struct bytes gpu_file(struct gpu_case *c, const char *name)
{
    struct bytes path = jscan_str_dup(c->arena, jscan_member(c->files, name));
    struct buf b = buf_make(FILE_MAX);
    struct bytes out = {NULL, 0};

    if (path.ptr != NULL && vector_load(&b, c->dir, (const char *)path.ptr))
        out = arena_dup(c->arena, buf_bytes(&b));
    buf_done(&b);
    return out;
}

void gpu_conclude(struct gpu_case *c, const char *why)
{
    c->verdict = why == NULL ? "accept" : "reject";
    snprintf(c->why, sizeof(c->why), "%s", why == NULL ? "" : why);
}

void gpu_conclude_rows(struct gpu_case *c)
{
    const struct tacit_row *row = tacit_verdict_first_refusal(c->v);

    c->verdict = tacit_verdict_is_trusted(c->v) ? "accept" : "reject";
    if (row != NULL)
        snprintf(c->why, sizeof(c->why), "%s %s: %s", row->subject, row->id, row->reason);
}

/* NVIDIA's own roots are compiled in: where a case names them, the pins do the work. */
static struct bytes case_root(struct gpu_case *c, const char *name, const char *own)
{
    return jscan_str_eq_cstr(jscan_member(c->files, name), own) ? (struct bytes){NULL, 0}
                                                                : gpu_file(c, name);
}

static struct bytes device_root(struct gpu_case *c)
{
    return case_root(c, "device_root", "roots/nvidia-device-identity-ca.pem");
}

static struct bytes rim_root(struct gpu_case *c)
{
    return case_root(c, "rim_root", "roots/nvidia-rim-root.pem");
}

static struct tacit_gpu_opts case_opts(struct gpu_case *c, const struct tacit_gpu_policy *policy)
{
    struct tacit_gpu_opts o = {.now_unix_s = c->now_unix_s,
                               .arch = c->arch == TACIT_GPU_LS10 ? TACIT_GPU_ARCH_UNKNOWN : c->arch,
                               .device_root = device_root(c),
                               .rim_root = rim_root(c),
                               .policy = policy};

    memcpy(o.nonce, c->nonce, sizeof(o.nonce));
    return o;
}

static struct tacit_gpu_item case_item(struct gpu_case *c)
{
    return (struct tacit_gpu_item){gpu_file(c, "report"), gpu_file(c, "chain"), c->arch};
}

static void run_items(struct gpu_case *c, const struct tacit_gpu_item *items, size_t count,
                      const struct tacit_gpu_opts *o, unsigned flags)
{
    if (gpu_verify_run(c->v, NULL, items, count, o, flags) != TACIT_OK)
        gpu_conclude(c, "the run itself failed");
    else
        gpu_conclude_rows(c);
    if (o->device_root.len == 0 && c->v->is_simulated)
        gpu_conclude(c, "NVIDIA's roots were taken for others");
}

static void kind_full(struct gpu_case *c)
{
    static const struct tacit_gpu_policy policy;
    struct tacit_gpu_rim rims[2] = {{TACIT_GPU_RIM_VBIOS, gpu_file(c, "vbios_rim")}};
    struct tacit_gpu_opts o = case_opts(c, &policy);
    struct tacit_gpu_item item = case_item(c);

    o.rims = rims;
    o.rim_count = 1;
    if (jscan_member(c->files, "driver_rim").type == JVAL_STRING)
        rims[o.rim_count++] =
            (struct tacit_gpu_rim){TACIT_GPU_RIM_DRIVER, gpu_file(c, "driver_rim")};
    run_items(c, &item, 1, &o, GPU_RUN_NO_TOPOLOGY);
}

static void kind_evidence(struct gpu_case *c)
{
    static const struct tacit_gpu_policy policy = {.is_rim_waived = true};
    struct tacit_gpu_opts o = case_opts(c, &policy);
    struct tacit_gpu_item item = case_item(c);

    run_items(c, &item, 1, &o, GPU_RUN_NO_TOPOLOGY);
}

static void kind_evidence_json(struct gpu_case *c)
{
    static const struct tacit_gpu_policy policy = {.is_rim_waived = true};
    struct tacit_gpu_opts o = case_opts(c, &policy);
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    const char *why;
    size_t count;

    if (gpu_evidence_read(items, &count, &why, gpu_file(c, "evidence"), c->arena) != TACIT_OK)
        gpu_conclude(c, why);
    else
        run_items(c, items, count, &o, GPU_RUN_NO_TOPOLOGY);
}

static void kind_topology(struct gpu_case *c)
{
    static const struct tacit_gpu_policy policy = {.is_rim_waived = true};
    struct tacit_gpu_opts o = case_opts(c, &policy);

    o.switches = gpu_file(c, "switches");
    if (tacit_gpu_verify(c->v, NULL, gpu_file(c, "gpus"), &o) != TACIT_OK)
        gpu_conclude(c, "the run itself failed");
    else
        gpu_conclude_rows(c);
}

static void kind_chain(struct gpu_case *c)
{
    struct row_scope s = {.v = c->v, .subject = "gpu[0]", .authority = ""};
    struct gpu_links links = {0};
    struct gpu_chain chain;
    struct gpu_root root;
    const char *why;

    if (gpu_root_set(&root, device_root(c), false) != TACIT_OK)
        why = "the root is no certificate";
    else if (gpu_chain_parse(&chain, &why, gpu_file(c, "chain"), c->arena) == TACIT_OK)
        why = NULL;
    if (why != NULL) {
        row_fail(&s, "gpu.chain.format", TACIT_CAUSE_UNPARSABLE, "%s", why);
    } else {
        gpu_chain_rows(&s, &chain, &root, c->now_unix_s, &links);
    }
    gpu_links_done(&links);
    gpu_conclude_rows(c);
}

static void kind_rim(struct gpu_case *c)
{
    struct gpu_rim *rim = arena_alloc(c->arena, sizeof(*rim));
    struct gpu_links links = {0};
    struct gpu_rim_state state;
    struct gpu_root root;
    const char *why;

    if (gpu_root_set(&root, rim_root(c), true) != TACIT_OK) {
        gpu_conclude(c, "the root is no certificate");
        return;
    }
    if (gpu_rim_parse(rim, &why, gpu_file(c, "rim"), false, c->arena) != TACIT_OK) {
        gpu_conclude(c, why);
        return;
    }
    gpu_rim_verify(&state, rim, &root, c->now_unix_s, 0, &links);
    gpu_links_done(&links);
    gpu_conclude(c, state.signature_fault != NULL ? state.signature_fault
                    : state.chain_fault != NULL   ? state.chain_fault
                                                  : state.validity_fault);
}

static void kind_rim_parse(struct gpu_case *c)
{
    struct gpu_rim *rim = arena_alloc(c->arena, sizeof(*rim));
    const char *why;

    if (gpu_rim_parse(rim, &why, gpu_file(c, "rim"), true, c->arena) == TACIT_OK)
        why = NULL;
    gpu_conclude(c, why);
}

static uint64_t mask_wanted(struct jval list)
{
    struct jiter it = jscan_iter(list);
    uint64_t mask = 0, index;
    struct jval item;

    while (jscan_next(&it, NULL, &item))
        if (jscan_u64(&index, item, 63))
            mask |= UINT64_C(1) << index;
    return mask;
}

static void kind_measurements(struct gpu_case *c)
{
    struct gpu_rim *rim = arena_alloc(c->arena, sizeof(*rim));
    const struct gpu_rim *rims[] = {rim};
    struct gpu_comparison got;
    struct gpu_report report;
    char text[GPU_MASK_TEXT];
    const char *why;

    if (gpu_rim_parse(rim, &why, gpu_file(c, "rim"), false, c->arena) != TACIT_OK ||
        gpu_report_parse(&report, &why, gpu_file(c, "report"), false) != TACIT_OK) {
        gpu_conclude(c, why);
        return;
    }
    gpu_compare(&got, &report, rims, 1, false);
    gpu_conclude(c, got.mismatch_mask == 0 ? NULL : gpu_mask_text(text, got.mismatch_mask));
    if (got.mismatch_mask != mask_wanted(jscan_member(c->json, "mismatch")))
        c->verdict = "other indexes";
}

static const struct kind {
    const char *name;
    void (*run)(struct gpu_case *c);
} kinds[] = {
    {"full-offline", kind_full},
    {"evidence", kind_evidence},
    {"evidence-json", kind_evidence_json},
    {"topology", kind_topology},
    {"chain", kind_chain},
    {"rim", kind_rim},
    {"rim-parse", kind_rim_parse},
    {"measurements", kind_measurements},
    {"ocsp", gpu_kind_ocsp},
    {"nras-response", gpu_kind_nras},
    {"nras-claims-parse", gpu_kind_nras_parse},
    {"claims-golden", gpu_kind_claims},
    {"parse-golden", gpu_kind_parse_golden},
    {"binding", gpu_kind_binding},
};

/* What the manifest's rule names (a prefix) mean in rows (prefixes, any of them). */
static const struct rule {
    const char *name;
    const char *rows[3];
} rules[] = {
    {"MEAS_MISMATCH", {"gpu.measurements", "gpu.report.format"}},
    {"MEAS_", {"gpu.report.format", "gpu.measurements"}},
    {"SPDM_", {"gpu.report.format"}},
    {"OPAQUE", {"gpu.report.format"}},
    {"NVDEC", {"gpu.report.format"}},
    {"VER_", {"gpu.rim.", "gpu.report.format"}},
    {"FWID", {"gpu.chain.fwid", "gpu.report.format"}},
    {"SIG", {"gpu.report.signature", "gpu.chain.usage", "gpu.chain.trust"}},
    {"CHAIN_", {"gpu.chain."}},
    {"RIM_", {"gpu.rim."}},
    {"TRAILING", {"gpu.report.format"}},
    {"D_", {"gpu.nras.device", "gpu.nras.format"}},
    {"O_", {"gpu.nras.token", "gpu.nras.format"}},
    {"DIGEST", {"gpu.nras.device"}},
    {"JSON", {"gpu.nras.format"}},
    {"SHAPE", {"gpu.nras.format"}},
    {"COUNT", {"gpu.nras.result"}},
    {"RESULT", {"gpu.nras.result"}},
    {"NONCE", {"gpu.nras.result", "gpu.report.nonce"}},
    {"SUB", {"gpu.nras.result"}},
};

static bool row_failed(const struct tacit_verdict *v, const char *prefix)
{
    for (size_t i = 0; prefix != NULL && i < v->count; i++)
        if (v->rows[i].is_required && v->rows[i].result != TACIT_ROW_PASSED &&
            strncmp(v->rows[i].id, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static bool rule_is_shown(const struct tacit_verdict *v, struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (!bytes_starts_with(name, bytes_of(rules[i].name)))
            continue;
        for (size_t k = 0; k < ARRAY_LEN(rules[i].rows); k++)
            if (row_failed(v, rules[i].rows[k]))
                return true;
        return false;
    }
    return true; /* a rule that we have no words for */
}

/* A refusal shows a row for one of the rules that the case breaks. */
static bool refusal_fits(const struct gpu_case *c)
{
    struct jiter it = jscan_iter(jscan_member(c->json, "rules"));
    bool any = false, none = true;
    struct jval item;
    struct bytes name;

    if (c->v->count == 0)
        return c->why[0] != 0;
    while (jscan_next(&it, NULL, &item)) {
        none = false;
        any |= jscan_str_view(&name, item) && rule_is_shown(c->v, name);
    }
    return any || none;
}

static bool verdict_fits(const struct gpu_case *c, struct jval wanted)
{
    if (jscan_str_eq_cstr(wanted, "policy"))
        return strcmp(c->verdict, "accept") == 0 || strcmp(c->verdict, "good") == 0 ||
               refusal_fits(c);
    if (!jscan_str_eq_cstr(wanted, c->verdict))
        return false;
    return strcmp(c->verdict, "reject") != 0 || refusal_fits(c);
}

static bool case_prepare(struct gpu_case *c, const struct kind **kind)
{
    struct jval nonce = jscan_member(c->json, "nonce");
    struct bytes text;

    *kind = NULL;
    c->files = jscan_member(c->json, "files");
    if (jscan_str_view(&text, nonce))
        c->has_nonce = hex_decode_fixed(c->nonce, sizeof(c->nonce), text) == TACIT_OK;
    if (!jscan_i64(&c->now_unix_s, jscan_member(c->json, "verify_unix")))
        c->now_unix_s = 0;
    if (jscan_str_view(&text, jscan_member(c->json, "arch")) && !gpu_arch_parse(&c->arch, text))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (jscan_str_eq_cstr(jscan_member(c->json, "kind"), kinds[i].name))
            *kind = &kinds[i];
    /* a nonce of another form can never be the one that was signed */
    return *kind != NULL;
}

static void case_run(struct vectors *v, const char *dir, struct jval json)
{
    struct arena arena = arena_make(CASE_ARENA);
    struct gpu_case c = {.dir = dir, .json = json, .arena = &arena, .verdict = "not run"};
    struct jval wanted = jscan_member(json, "verdict");
    const struct kind *kind;
    char id[128] = "";
    struct bytes text;

    c.v = calloc(1, sizeof(*c.v));
    if (jscan_str_view(&text, jscan_member(json, "id")))
        snprintf(id, sizeof(id), "%.*s", BYTES_FMT(text));
    if (c.v == NULL || !case_prepare(&c, &kind)) {
        vector_report(v, id, false, "the case's kind or architecture is not known");
    } else {
        kind->run(&c);
        vector_report(v, id, verdict_fits(&c, wanted), "expected %.*s, got %s (%s)",
                      BYTES_FMT(wanted.raw), c.verdict, c.why);
    }
    free(c.v);
    arena_done(&arena);
}

static bool manifest_open(struct jval *cases, struct buf *text, const char *dir)
{
    struct jval root;

    if (!vector_load(text, dir, "manifest.json") ||
        jscan_object(&root, buf_bytes(text)) != TACIT_OK)
        return false;
    *cases = jscan_member(root, "cases");
    return cases->type == JVAL_ARRAY;
}

/* A manifest.json of cases whose first is of a kind of ours. */
static bool gpu_applies(const char *dir)
{
    struct buf text = buf_make(FILE_MAX);
    struct jval cases = JVAL_ABSENT;
    bool is_ours = false;

    if (vector_has(dir, "manifest.json") && manifest_open(&cases, &text, dir))
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
            is_ours |= jscan_str_eq_cstr(jscan_member(jscan_item(cases, 0), "kind"), kinds[i].name);
    buf_done(&text);
    return is_ours;
}

static void gpu_run(struct vectors *v, const char *dir)
{
    struct buf text = buf_make(FILE_MAX);
    size_t before = v->passed + v->failed;
    struct jval cases, item;
    struct jiter it;

    if (!manifest_open(&cases, &text, dir)) {
        vector_report(v, "manifest", false, "cannot be read");
    } else {
        it = jscan_iter(cases);
        while (jscan_next(&it, NULL, &item))
            case_run(v, dir, item);
    }
    printf("%sgpu: ran %zu cases of %s\n", v->is_tap ? "# " : "", v->passed + v->failed - before,
           dir);
    buf_done(&text);
}

const struct suite suite_gpu = {"gpu", gpu_applies, gpu_run};
