/* Collecting references. Invariant: services hear only of devices that a verified certificate chain
 * and a verified report signature stand behind, and of manifests that verify. */
#include "net/gpu_refs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/gpu_evidence.h"
#include "attest/gpu_rims.h"
#include "base/clock.h"
#include "codec/hex.h"
#include "crypto/sha2.h"
#include "net/gpu_refs_priv.h"

enum {
    SET_MEMORY = 24 * 1024 * 1024,
    WORK_MEMORY = 16 * 1024 * 1024,
    ID_LEN = 128,
    PAIR_MAX = 32 * 1024,
};

static bool text_copy(char **out, const char *text)
{
    *out = text == NULL ? NULL : strdup(text);
    return text == NULL || *out != NULL;
}

/* Base URLs are written with and without a slash at the end. */
static void slashes_cut(char *url)
{
    for (size_t len = url == NULL ? 0 : strlen(url); len > 0 && url[len - 1] == '/'; len--)
        url[len - 1] = 0;
}

static enum tacit_err refs_fill(struct gpu_refs *r, const struct gpu_refs_opts *o)
{
    struct keep_opts keep = {o->cache_dir, o->is_offline, o->now_unix_s};
    enum tacit_err err = TACIT_NOMEM;

    r->rim_expired_days = o->rim_expired_days;
    r->deadline_ms = o->deadline_ms == 0 ? GPU_REFS_DEADLINE_MS : o->deadline_ms;
    r->is_offline = o->is_offline;
    r->now_unix_s = o->now_unix_s == NULL ? clock_unix_s : o->now_unix_s;
    r->nras_root = buf_make(LIMIT_PEM_BYTES);
    buf_put(&r->nras_root, o->nras_root);
    if (text_copy(&r->rim_url, o->rim_url) && text_copy(&r->ocsp_url, o->ocsp_url) &&
        text_copy(&r->nras_url, o->nras_url) && text_copy(&r->nras_issuer, o->nras_issuer) &&
        text_copy(&r->proxy, o->proxy))
        err = buf_err(&r->nras_root);
    slashes_cut(r->rim_url);
    slashes_cut(r->nras_url);
    if (err == TACIT_OK)
        err = gpu_root_set(&r->device_root, o->device_root, false);
    if (err == TACIT_OK)
        err = gpu_root_set(&r->rim_root, o->rim_root, true);
    gpu_ref_kinds_make(r);
    return err == TACIT_OK ? keep_new(&r->keep, &keep) : err;
}

enum tacit_err gpu_refs_new(struct gpu_refs **out, const struct gpu_refs_opts *opts)
{
    struct gpu_refs *r = calloc(1, sizeof(*r));
    enum tacit_err err = r == NULL ? TACIT_NOMEM : refs_fill(r, opts);

    *out = NULL;
    if (err == TACIT_OK)
        *out = r;
    else
        gpu_refs_free(r);
    return err;
}

void gpu_refs_free(struct gpu_refs *r)
{
    if (r == NULL)
        return;
    keep_free(r->keep);
    buf_done(&r->nras_root);
    free(r->rim_url);
    free(r->ocsp_url);
    free(r->nras_url);
    free(r->nras_issuer);
    free(r->proxy);
    free(r);
}

/* --- one collection -----------------------------------------------------------------------------
 */

struct job {
    struct gpu_refs *refs;
    struct gpu_refs_set *out;
    struct arena arena; /* parsed things, released at the end */
    uint64_t deadline_mono_ms;
    int64_t now_unix_s;
    enum tacit_err err; /* the first */
    struct gpu_links links;
    struct gpu_report *reports; /* of devices that are genuine */
    struct gpu_chain *chains;
    size_t device_count;
    char (*ids)[ID_LEN];
    size_t id_count;
    char (*asked)[2 * SHA256_LEN + 1]; /* keys of OCSP answers */
    size_t asked_count;
};

/* The first error is the one that is told; later ones are often its children. */
static void job_fail(struct job *j, enum tacit_err err, const char *why)
{
    if (j->err != TACIT_OK)
        return;
    j->err = err;
    (void)snprintf(j->out->why, sizeof(j->out->why), "%s", why);
}

static struct bytes document_get(struct job *j, const struct keep_kind *kind, const char *key,
                                 struct bytes subject)
{
    struct keep_ask ask = {
        .kind = kind, .key = key, .subject = subject, .deadline_mono_ms = j->deadline_mono_ms};
    struct buf doc = buf_make(kind->limit);
    struct bytes kept = {NULL, 0};
    char why[KEEP_WHY_LEN];
    enum tacit_err err = keep_get(j->refs->keep, &doc, &ask, why);

    if (err == TACIT_OK) {
        kept = arena_dup(&j->out->arena, buf_bytes(&doc));
        if (kept.ptr == NULL)
            err = TACIT_NOMEM;
    }
    if (err != TACIT_OK)
        job_fail(j, err, why[0] != 0 ? why : tacit_err_text(err));
    buf_done(&doc);
    return kept;
}

static bool report_is_signed(struct job *j, const struct gpu_report *report,
                             const struct gpu_chain *chain)
{
    struct pubkey *key = NULL;
    bool is_signed = gpu_key_get(&key, &chain->certs[0], &j->links) == TACIT_OK &&
                     pubkey_verify_raw(key, report->signature, report->signed_part) == TACIT_OK;

    pubkey_free(key);
    return is_signed;
}

/* Takes the device if it is genuine. What is not is left to the verifier's rows. */
static void device_add(struct job *j, const struct tacit_gpu_item *item)
{
    struct gpu_report *report = &j->reports[j->device_count];
    struct gpu_chain *chain = &j->chains[j->device_count];
    enum tacit_row_cause cause;
    const char *why;

    if (gpu_report_parse(report, &why, item->report, true) == TACIT_OK &&
        gpu_chain_parse(chain, &why, item->chain_pem, &j->arena) == TACIT_OK &&
        gpu_path_verify(&cause, chain->certs, GPU_CHAIN_LEN, &j->refs->device_root, &j->links) ==
            NULL &&
        report_is_signed(j, report, chain))
        j->device_count++;
}

static void devices_read(struct job *j, struct bytes evidence)
{
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    const char *why;
    size_t count = 0;

    if (evidence.len == 0 ||
        gpu_evidence_read(items, &count, &why, evidence, &j->arena) != TACIT_OK)
        return;
    for (size_t i = 0; i < count; i++)
        device_add(j, &items[i]);
}

static void rim_get(struct job *j, const char *id)
{
    struct bytes xml;

    for (size_t i = 0; i < j->id_count; i++)
        if (strcmp(j->ids[i], id) == 0)
            return;
    if (id[0] == 0 || j->out->rim_count == LIMIT_RIMS)
        return;
    memcpy(j->ids[j->id_count++], id, ID_LEN);
    xml = document_get(j, &j->refs->rim, id, bytes_of(id));
    if (xml.ptr != NULL)
        j->out->rims[j->out->rim_count++] = (struct tacit_gpu_rim){TACIT_GPU_RIM_ANY, xml};
}

static void rims_get(struct job *j)
{
    char id[ID_LEN];

    if (j->refs->rim_url == NULL)
        return;
    for (size_t i = 0; i < j->device_count; i++)
        for (int role = TACIT_GPU_RIM_DRIVER; role <= TACIT_GPU_RIM_VBIOS; role++) {
            gpu_rim_id(id, &j->reports[i], (enum tacit_gpu_rim_role)role);
            rim_get(j, id);
        }
}

/* The same pair of certificates is asked about once in a collection. */
static bool is_asked(struct job *j, const char *key)
{
    for (size_t i = 0; i < j->asked_count; i++)
        if (strcmp(j->asked[i], key) == 0)
            return true;
    memcpy(j->asked[j->asked_count++], key, sizeof(j->asked[0]));
    return false;
}

static void ocsp_get(struct job *j, const struct x509_cert *cert, const struct x509_cert *issuer)
{
    struct buf pair = buf_make(PAIR_MAX);
    uint8_t digest[SHA256_LEN];
    char key[2 * SHA256_LEN + 1];
    struct bytes der;

    buf_put(&pair, cert->der);
    buf_put(&pair, issuer->der);
    sha256(digest, buf_bytes(&pair));
    hex_encode(key, sizeof(key), BYTES_ARRAY(digest));
    if (!pair.failed && j->asked_count < LIMIT_OCSP_ANSWERS && !is_asked(j, key)) {
        der = document_get(j, &j->refs->ocsp, key, buf_bytes(&pair));
        if (der.ptr != NULL)
            j->out->ocsp[j->out->ocsp_count++].der = der;
    }
    buf_done(&pair);
}

/* Manifests that were given may be a whole folder's: only those for versions at hand matter. */
static bool rim_matters(const struct job *j, const struct gpu_rim *rim)
{
    for (size_t i = 0; i < j->device_count; i++)
        if (bytes_eq_nocase(bytes_of(rim->version), bytes_of(j->reports[i].driver)) ||
            bytes_eq_nocase(bytes_of(rim->version), bytes_of(j->reports[i].vbios)))
            return true;
    return false;
}

static void rim_signers_ask(struct job *j, struct bytes xml)
{
    struct gpu_rim_state state;
    struct gpu_rim *rim = arena_alloc(&j->arena, sizeof(*rim));
    const char *why;

    if (rim == NULL || gpu_rim_parse(rim, &why, xml, false, &j->arena) != TACIT_OK ||
        !rim_matters(j, rim))
        return;
    gpu_rim_verify(&state, rim, &j->refs->rim_root, j->now_unix_s, j->refs->rim_expired_days,
                   &j->links);
    if (state.signature_fault != NULL || state.chain_fault != NULL)
        return;
    for (size_t i = 0; i + 1 < GPU_RIM_CHAIN_LEN; i++)
        ocsp_get(j, &rim->certs[i], &rim->certs[i + 1]);
}

static void answers_get(struct job *j)
{
    if (j->refs->ocsp_url == NULL)
        return;
    for (size_t i = 0; i < j->device_count; i++)
        for (size_t c = 1; c + 1 < GPU_CHAIN_LEN; c++)
            ocsp_get(j, &j->chains[i].certs[c], &j->chains[i].certs[c + 1]);
    for (size_t i = 0; i < j->out->rim_count; i++)
        rim_signers_ask(j, j->out->rims[i].xml);
}

static bool job_begin(struct job *j)
{
    j->arena = arena_make(WORK_MEMORY);
    j->out->arena = arena_make(SET_MEMORY);
    j->deadline_mono_ms = clock_mono_ms() + j->refs->deadline_ms;
    j->now_unix_s = j->refs->now_unix_s();
    j->reports = arena_alloc(&j->arena, 2 * LIMIT_GPU_DEVICES * sizeof(*j->reports));
    j->chains = arena_alloc(&j->arena, 2 * LIMIT_GPU_DEVICES * sizeof(*j->chains));
    j->ids = arena_alloc(&j->arena, 4 * LIMIT_GPU_DEVICES * sizeof(*j->ids));
    j->asked = arena_alloc(&j->arena, LIMIT_OCSP_ANSWERS * sizeof(*j->asked));
    return j->reports != NULL && j->chains != NULL && j->ids != NULL && j->asked != NULL;
}

enum tacit_err gpu_refs_collect(struct gpu_refs *refs, struct gpu_refs_set *out,
                                const struct gpu_refs_need *need)
{
    struct job j = {.refs = refs, .out = out};
    char why[KEEP_WHY_LEN] = "";
    enum tacit_err err;

    *out = (struct gpu_refs_set){0};
    if (!job_begin(&j))
        job_fail(&j, TACIT_NOMEM, tacit_err_text(TACIT_NOMEM));
    for (size_t i = 0; i < need->rim_count && i < LIMIT_RIMS; i++)
        out->rims[out->rim_count++] = need->rims[i];
    if (j.err == TACIT_OK) {
        devices_read(&j, need->evidence);
        devices_read(&j, need->switches);
        rims_get(&j);
        answers_get(&j);
    }
    if (refs->nras_url != NULL && j.device_count > 0) {
        err = gpu_ref_nras(refs, out, need->evidence, j.deadline_mono_ms, why);
        if (err != TACIT_OK)
            job_fail(&j, err, why);
    }
    gpu_links_done(&j.links);
    arena_done(&j.arena);
    return j.err;
}

void gpu_refs_apply(const struct gpu_refs_set *set, struct tacit_gpu_opts *opts)
{
    opts->rims = set->rims;
    opts->rim_count = set->rim_count;
    if (set->ocsp_count > 0) {
        opts->ocsp = set->ocsp;
        opts->ocsp_count = set->ocsp_count;
    }
    if (set->has_nras)
        opts->nras = &set->nras;
}

void gpu_refs_set_done(struct gpu_refs_set *set)
{
    arena_done(&set->arena);
    *set = (struct gpu_refs_set){0};
}

enum tacit_err gpu_refs_loan_get(struct tacit_gpu_opts *opts, char *why, struct bytes evidence,
                                 void *ctx)
{
    struct gpu_refs_loan *loan = ctx;
    struct gpu_refs_need need = {evidence, opts->switches, opts->rims, opts->rim_count};
    struct gpu_refs_set *set;
    enum tacit_err err;

    if (loan->refs == NULL)
        return TACIT_OK;
    set = loan->count == GPU_REFS_LOANS_MAX ? NULL : calloc(1, sizeof(*set));
    if (set == NULL)
        return loan->count == GPU_REFS_LOANS_MAX ? TACIT_LIMIT : TACIT_NOMEM;
    loan->sets[loan->count++] = set;
    err = gpu_refs_collect(loan->refs, set, &need);
    (void)snprintf(why, GPU_REFS_WHY_LEN, "%s", set->why);
    gpu_refs_apply(set, opts);
    return err;
}

void gpu_refs_loan_done(struct gpu_refs_loan *loan)
{
    for (size_t i = 0; i < loan->count; i++) {
        gpu_refs_set_done(loan->sets[i]);
        free(loan->sets[i]);
    }
    loan->count = 0;
}
