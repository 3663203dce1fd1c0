/* Revocation rows. Invariant: "good" needs a signed, matching, timely answer; everything else is
 * said as what it is, and silence is never good where policy wants an answer. */
#include "attest/gpu_ocsp.h"

#include "crypto/sha2.h"

static enum gpu_ocsp_outcome invalid(const char **why, enum tacit_row_cause *cause,
                                     enum tacit_row_cause what, const char *text)
{
    *why = text;
    *cause = what;
    return GPU_OCSP_INVALID;
}

static enum gpu_ocsp_outcome state_judge(const char **why, enum tacit_row_cause *cause,
                                         const struct ocsp_entry *e, bool is_hold_allowed)
{
    *why = NULL;
    *cause = TACIT_CAUSE_NONE;
    switch (e->state) {
    case OCSP_STATE_GOOD:
        return GPU_OCSP_GOOD;
    case OCSP_STATE_REVOKED:
        if (is_hold_allowed && e->reason == OCSP_REASON_HOLD)
            return GPU_OCSP_GOOD;
        *why = e->reason == OCSP_REASON_HOLD ? "the certificate is on hold"
                                             : "the certificate is revoked";
        *cause = TACIT_CAUSE_REVOKED;
        return GPU_OCSP_REVOKED;
    case OCSP_STATE_UNKNOWN:
        break;
    }
    *why = "the responder does not know the certificate";
    *cause = TACIT_CAUSE_UNTRUSTED;
    return GPU_OCSP_UNKNOWN;
}

static const char *time_fault(const struct ocsp_entry *e, const struct gpu_ocsp_rules *rules)
{
    if (e->this_update_unix_s > rules->now_unix_s)
        return "the OCSP answer is from the future";
    if (!e->has_next_update)
        return "the OCSP answer does not say how long it holds";
    if (rules->now_unix_s > e->next_update_unix_s)
        return "the OCSP answer is out of date";
    if (rules->max_age_s > 0 && rules->now_unix_s - e->this_update_unix_s > rules->max_age_s)
        return "the OCSP answer is older than policy allows";
    return NULL;
}

enum gpu_ocsp_outcome gpu_ocsp_judge(const char **why, enum tacit_row_cause *cause,
                                     const struct ocsp_answer *answer, const struct x509_cert *cert,
                                     const struct x509_cert *issuer, struct bytes nonce,
                                     const struct gpu_ocsp_rules *rules)
{
    const struct ocsp_entry *entry;
    const char *fault;

    if (answer->response_status != OCSP_RESPONSE_OK)
        return invalid(why, cause, TACIT_CAUSE_UNOBTAINABLE, "the OCSP responder gave no answer");
    entry = ocsp_find(answer, cert, issuer);
    if (entry == NULL)
        return invalid(why, cause, TACIT_CAUSE_MISMATCH,
                       "the OCSP answer is about another certificate");
    switch (ocsp_verify(answer, issuer, rules->now_unix_s)) {
    case TACIT_OK:
        break;
    case TACIT_UNTRUSTED:
        return invalid(why, cause, TACIT_CAUSE_UNTRUSTED,
                       "the OCSP answer is signed by none that the issuer appointed");
    case TACIT_EXPIRED:
        return invalid(why, cause, TACIT_CAUSE_OUT_OF_DATE,
                       "the OCSP responder's certificate is out of date");
    default:
        return invalid(why, cause, TACIT_CAUSE_FORGED,
                       "the OCSP answer's signature does not verify");
    }
    if (nonce.len > 0 && !bytes_eq(nonce, answer->nonce))
        return invalid(why, cause, TACIT_CAUSE_MISMATCH, "the OCSP answer is to another request");
    fault = time_fault(entry, rules);
    if (fault != NULL)
        return invalid(why, cause, TACIT_CAUSE_OUT_OF_DATE, fault);
    return state_judge(why, cause, entry, rules->is_hold_allowed);
}

enum tacit_err gpu_ocsp_pool_make(struct gpu_ocsp_pool *out, size_t *unread,
                                  const struct tacit_gpu_ocsp *given, size_t count,
                                  const struct gpu_ocsp_rules *rules, struct arena *arena)
{
    struct ocsp_answer *answers;
    struct bytes *nonces;

    *out = (struct gpu_ocsp_pool){.rules = *rules};
    *unread = 0;
    if (count > LIMIT_OCSP_ANSWERS)
        return TACIT_LIMIT;
    if (count == 0)
        return TACIT_OK;
    answers = arena_alloc(arena, count * sizeof(*answers));
    nonces = arena_alloc(arena, count * sizeof(*nonces));
    if (answers == NULL || nonces == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (given[i].der.len > LIMIT_OCSP_BYTES ||
            ocsp_parse(&answers[out->count], given[i].der) != TACIT_OK) {
            (*unread)++;
            continue;
        }
        nonces[out->count++] = given[i].nonce;
    }
    out->answers = answers;
    out->nonces = nonces;
    return TACIT_OK;
}

/* The best that any answer about the certificate says; a revocation that holds beats a good one. */
static struct gpu_ocsp_known pool_ask(const struct gpu_ocsp_pool *pool,
                                      const struct x509_cert *cert, const struct x509_cert *issuer)
{
    struct gpu_ocsp_known best = {.why = "there is no OCSP answer about it",
                                  .cause = TACIT_CAUSE_UNOBTAINABLE};

    for (size_t i = 0; i < pool->count; i++) {
        struct gpu_ocsp_known k = {0};

        if (ocsp_find(&pool->answers[i], cert, issuer) == NULL)
            continue;
        k.outcome = gpu_ocsp_judge(&k.why, &k.cause, &pool->answers[i], cert, issuer,
                                   pool->nonces[i], &pool->rules);
        if (k.outcome == GPU_OCSP_REVOKED)
            return k;
        if (best.outcome != GPU_OCSP_GOOD)
            best = k;
    }
    return best;
}

static struct gpu_ocsp_known pool_outcome(struct gpu_ocsp_pool *pool, const struct x509_cert *cert,
                                          const struct x509_cert *issuer)
{
    uint8_t pair[2][32];
    struct gpu_ocsp_known k;

    sha256(pair[0], cert->der);
    sha256(pair[1], issuer->der);
    for (size_t i = 0; i < pool->known_count; i++)
        if (memcmp(pool->known[i].pair, pair, sizeof(pair)) == 0)
            return pool->known[i];
    k = pool_ask(pool, cert, issuer);
    memcpy(k.pair, pair, sizeof(pair));
    if (pool->known_count < GPU_LINKS_MAX)
        pool->known[pool->known_count++] = k;
    return k;
}

bool gpu_ocsp_row(const struct row_scope *s, const char *id, struct gpu_ocsp_pool *pool,
                  const struct x509_cert *certs, size_t first, size_t last, bool is_required)
{
    struct row_scope optional = *s;
    size_t silent = 0;

    optional.is_optional = true;
    for (size_t i = first; i <= last; i++) {
        struct gpu_ocsp_known k = pool_outcome(pool, &certs[i], &certs[i + 1]);

        if (k.outcome == GPU_OCSP_GOOD)
            continue;
        if (k.outcome == GPU_OCSP_NONE && !is_required) {
            silent++;
            continue;
        }
        row_fail(s, id, k.cause, "certificate %zu: %s", i, k.why);
        return false;
    }
    if (silent > 0)
        row_not_run(&optional, id, TACIT_CAUSE_UNOBTAINABLE,
                    "no OCSP answer about %zu of %zu certificates; revocation is not known", silent,
                    last - first + 1);
    else
        row_pass(s, id);
    return true;
}
