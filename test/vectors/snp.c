/* SEV-SNP vectors: manifest.tsv of reports, leaf certificates, chains, the only trusted root, a
 * time, and the verdicts without (core) and with (strict) the default policy. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

#include "attest/snp.h"
#include "attest/verdict.h"

enum { FIELDS = 11, FILE_MAX = 1024 * 1024 };
enum { F_ID, F_REPORT, F_LEAF, F_CHAIN, F_ROOT, F_PRODUCT, F_TIME, F_CORE, F_STRICT, F_LEVEL };

struct files {
    struct buf report, leaf, chain, root_pem;
};

static bool file_load(struct buf *out, const char *dir, struct bytes name)
{
    char path[256];

    return tsv_str(path, sizeof(path), name) && vector_load(out, dir, path);
}

static bool files_load(struct files *f, const char *dir, const struct bytes *fields)
{
    bool ok = file_load(&f->report, dir, fields[F_REPORT]);

    ok &= file_load(&f->leaf, dir, fields[F_LEAF]);
    ok &= file_load(&f->chain, dir, fields[F_CHAIN]);
    return ok & file_load(&f->root_pem, dir, fields[F_ROOT]);
}

static bool is_trusted(const struct files *f, struct bytes root, int64_t now,
                       const struct tacit_snp_policy *policy, char *why, size_t why_size)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct tacit_snp_input in = {.report = buf_bytes(&f->report),
                                 .leaf_der = buf_bytes(&f->leaf),
                                 .chain_pem = buf_bytes(&f->chain),
                                 .root_der = root,
                                 .now_unix_s = now,
                                 .policy = policy};
    const struct tacit_row *row;
    struct tacit_snp_result found;
    bool trusted = false;

    if (v != NULL && tacit_snp_verify(v, &found, &in) == TACIT_OK)
        trusted = tacit_verdict_is_trusted(v) && found.is_genuine;
    row = v == NULL ? NULL : tacit_verdict_first_refusal(v);
    snprintf(why, why_size, "%s", row == NULL ? "accept" : row->id);
    free(v);
    return trusted;
}

static void judge(struct vectors *v, const struct bytes *fields, const struct files *f,
                  struct bytes root, int64_t now)
{
    static const struct tacit_snp_policy standard;
    bool either = bytes_eq_cstr(fields[F_LEVEL], "either");
    bool core_wanted = bytes_starts_with(fields[F_CORE], BYTES_LIT("accept"));
    bool strict_wanted = bytes_starts_with(fields[F_STRICT], BYTES_LIT("accept"));
    char core_why[64], strict_why[64], id[128];
    bool core = is_trusted(f, root, now, NULL, core_why, sizeof(core_why));
    bool strict = is_trusted(f, root, now, &standard, strict_why, sizeof(strict_why));

    if (!tsv_str(id, sizeof(id), fields[F_ID]))
        id[0] = 0;
    vector_report(v, id, either || (core == core_wanted && strict == strict_wanted),
                  "expected %.*s and %.*s with policy, got %s and %s", BYTES_FMT(fields[F_CORE]),
                  BYTES_FMT(fields[F_STRICT]), core_why, strict_why);
}

static void run_one(struct vectors *v, const char *dir, const struct bytes *fields, size_t count)
{
    struct files f = {buf_make(FILE_MAX), buf_make(FILE_MAX), buf_make(FILE_MAX),
                      buf_make(FILE_MAX)};
    struct arena arena = arena_make(FILE_MAX);
    struct x509_cert root;
    size_t roots = 0;
    uint64_t now = 0;

    if (count < FIELDS - 1 || !files_load(&f, dir, fields) ||
        !bytes_to_u64(&now, fields[F_TIME], INT64_MAX) ||
        x509_parse_pem(&root, 1, &roots, buf_bytes(&f.root_pem), &arena) != TACIT_OK)
        vector_report(v, "manifest", false, "line of %.*s cannot be used", BYTES_FMT(fields[F_ID]));
    else
        judge(v, fields, &f, root.der, (int64_t)now);
    arena_done(&arena);
    buf_done(&f.report);
    buf_done(&f.leaf);
    buf_done(&f.chain);
    buf_done(&f.root_pem);
}

static void snp_run(struct vectors *v, const char *dir)
{
    struct buf manifest = buf_make(64 * 1024 * 1024);
    struct bytes fields[FIELDS] = {0};
    struct tsv t;
    size_t count;

    if (!vector_load(&manifest, dir, "manifest.tsv"))
        vector_report(v, "manifest", false, "cannot be read");
    t = (struct tsv){buf_bytes(&manifest)};
    while (tsv_next(&t, fields, FIELDS, &count))
        run_one(v, dir, fields, count);
    buf_done(&manifest);
}

static bool snp_applies(const char *dir)
{
    return manifest_begins(dir, "manifest.tsv", "#id\treport\tleaf\tchain\troot\t");
}

const struct suite suite_snp = {"snp", snp_applies, snp_run};
