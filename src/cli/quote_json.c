/* Printing the result of a quote's verification. Nothing of a quote that is not genuine is shown.
 */
#include "cli/quote_json.h"

#include "attest/verdict.h"
#include "base/utc.h"
#include "codec/jwrite.h"

enum { JSON_LIMIT = 4 * 1024 * 1024 };

static void date_put(struct jw *w, const char *name, int64_t unix_s)
{
    char text[UTC_TEXT_LEN + 1];

    utc_format(text, unix_s);
    jw_key_cstr(w, name, text);
}

static void hex_put(struct jw *w, const char *name, struct bytes octets)
{
    jw_key(w, name);
    jw_hex(w, octets);
}

static void advisories_put(struct jw *w, const char *name, const char (*list)[TACIT_ADVISORY_LEN],
                           size_t count)
{
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < count; i++)
        jw_cstr(w, list[i]);
    jw_end(w);
}

static void flag_put(struct jw *w, const char *name, enum tacit_platform_flag flag)
{
    jw_key(w, name);
    if (flag == TACIT_FLAG_UNKNOWN)
        jw_null(w);
    else
        jw_bool(w, flag == TACIT_FLAG_TRUE);
}

static void tcb_put(struct jw *w, const struct tacit_quote_result *r)
{
    advisories_put(w, "advisories", r->advisories, r->advisory_count);
    date_put(w, "tcb_date", r->tcb_date_unix_s);
    jw_key_u64(w, "eval_number", r->eval_number);
    date_put(w, "earliest_expiry", r->earliest_expiry_unix_s);
    date_put(w, "json_earliest_expiry", r->json_earliest_expiry_unix_s);
    date_put(w, "earliest_issue", r->earliest_issue_unix_s);
    date_put(w, "latest_issue", r->latest_issue_unix_s);
    if (!r->has_current)
        return;
    jw_key_cstr(w, "current_tcb_status", tacit_tcb_status_name(r->current_tcb_status));
    advisories_put(w, "current_advisories", r->current_advisories, r->current_advisory_count);
    date_put(w, "current_tcb_date", r->current_tcb_date_unix_s);
}

static void platform_put(struct jw *w, const struct tacit_quote_result *r)
{
    jw_key(w, "platform");
    jw_object(w);
    hex_put(w, "fmspc", BYTES_ARRAY(r->fmspc));
    hex_put(w, "pceid", BYTES_ARRAY(r->pceid));
    hex_put(w, "ppid", BYTES_ARRAY(r->ppid));
    jw_key_cstr(w, "ca", r->is_platform_ca ? "platform" : "processor");
    jw_key_u64(w, "sgx_type", r->sgx_type);
    jw_key_u64(w, "pcesvn", r->pcesvn);
    hex_put(w, "tcb_components", BYTES_ARRAY(r->tcb_components));
    if (r->has_platform_instance_id)
        hex_put(w, "platform_instance_id", BYTES_ARRAY(r->platform_instance_id));
    flag_put(w, "dynamic_platform", r->dynamic_platform);
    flag_put(w, "cached_keys", r->cached_keys);
    flag_put(w, "smt_enabled", r->smt_enabled);
    hex_put(w, "pck_serial", bytes_make(r->pck_serial, r->pck_serial_len));
    jw_end(w);
}

static void td_put(struct jw *w, const struct tacit_td_report *td)
{
    static const char *const rtmr[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};

    hex_put(w, "tee_tcb_svn", td->tee_tcb_svn);
    hex_put(w, "mrseam", td->mrseam);
    hex_put(w, "td_attributes", td->td_attributes);
    hex_put(w, "xfam", td->xfam);
    hex_put(w, "mrtd", td->mrtd);
    hex_put(w, "mrconfigid", td->mrconfigid);
    hex_put(w, "mrowner", td->mrowner);
    hex_put(w, "mrownerconfig", td->mrownerconfig);
    for (size_t i = 0; i < 4; i++)
        hex_put(w, rtmr[i], td->rtmr[i]);
    if (td->tee_tcb_svn2.len > 0) {
        hex_put(w, "tee_tcb_svn2", td->tee_tcb_svn2);
        hex_put(w, "mrservicetd", td->mrservicetd);
    }
    hex_put(w, "report_data", td->report_data);
}

static void sgx_put(struct jw *w, const struct tacit_sgx_report *sgx)
{
    hex_put(w, "cpusvn", sgx->cpusvn);
    hex_put(w, "attributes", sgx->attributes);
    hex_put(w, "mrenclave", sgx->mrenclave);
    hex_put(w, "mrsigner", sgx->mrsigner);
    jw_key_u64(w, "isvprodid", sgx->isvprodid);
    jw_key_u64(w, "isvsvn", sgx->isvsvn);
    hex_put(w, "report_data", sgx->report_data);
}

static void body_put(struct jw *w, const struct tacit_quote *q)
{
    jw_key_u64(w, "quote_version", q->version);
    jw_key_cstr(w, "tee", q->body == TACIT_BODY_SGX ? "sgx" : "tdx");
    jw_key(w, "body");
    jw_object(w);
    if (q->body == TACIT_BODY_SGX)
        sgx_put(w, &q->sgx);
    else
        td_put(w, &q->td);
    jw_end(w);
}

bool quote_json_print(FILE *f, const struct tacit_verdict *v, const struct tacit_quote_result *r)
{
    struct buf out = buf_make(JSON_LIMIT);
    struct buf rows = buf_make(JSON_LIMIT);
    struct jw w = jw_make(&out);
    struct bytes text;
    bool ok;

    verdict_json(&rows, v, true);
    text = buf_bytes(&rows);
    /* The bare verdict is members without braces: it goes in front of ours. */
    buf_putc(&out, '{');
    buf_put(&out, text);
    buf_puts(&out, ",\"quote\":");
    if (r->is_genuine) {
        jw_object(&w);
        jw_key_cstr(&w, "tcb_status", tacit_tcb_status_name(r->tcb_status));
        tcb_put(&w, r);
        platform_put(&w, r);
        body_put(&w, &r->quote);
        jw_end(&w);
    } else {
        buf_puts(&out, "null");
    }
    buf_puts(&out, ",\"tcb_status\":");
    if (r->is_genuine)
        buf_putf(&out, "\"%s\"", tacit_tcb_status_name(r->tcb_status));
    else
        buf_puts(&out, "null");
    buf_puts(&out, "}\n");
    text = buf_bytes(&out);
    ok = !rows.failed && !out.failed && fwrite(text.ptr, 1, text.len, f) == text.len;
    buf_done(&rows);
    buf_done(&out);
    return ok;
}

void quote_json_error(FILE *f)
{
    (void)fprintf(f, "{\"verdict\":\"error\",\"simulated\":false,\"rows\":[],"
                     "\"quote\":null,\"tcb_status\":null}\n");
}

void quote_facts_print(FILE *f, const struct tacit_quote_result *r)
{
    char when[UTC_TEXT_LEN + 1];

    if (!r->is_genuine)
        return;
    utc_format(when, r->tcb_date_unix_s);
    (void)fprintf(f, "\nTCB status   %s (level of %.10s, evaluation number %u)\n",
                  tacit_tcb_status_name(r->tcb_status), when, r->eval_number);
    (void)fprintf(f, "advisories   ");
    for (size_t i = 0; i < r->advisory_count; i++)
        (void)fprintf(f, "%s%s", i > 0 ? ", " : "", r->advisories[i]);
    (void)fprintf(f, "%s\n", r->advisory_count == 0 ? "none" : "");
    utc_format(when, r->earliest_expiry_unix_s);
    (void)fprintf(f, "valid until  %s (what expires first)\n", when);
    (void)fprintf(f, "platform     FMSPC %02x%02x%02x%02x%02x%02x, %s CA\n", r->fmspc[0],
                  r->fmspc[1], r->fmspc[2], r->fmspc[3], r->fmspc[4], r->fmspc[5],
                  r->is_platform_ca ? "Platform" : "Processor");
}
