/* TCB info and QE identity of the simulated platform: Intel's member order, compact, signed as they
 * stand. Dated to the start of the day, so that one seed and one day give the same bytes. */
#include "base/utc.h"
#include "codec/jwrite.h"
#include "tee/sim_priv.h"

enum { DAY_S = 86400, JSON_LIFE_DAYS = 30, EVALUATION_NUMBER = 19, NESTING = 40 };

static const char zeros48[] = "00000000000000000000000000000000000000000000000000000000000000000000"
                              "0000000000000000000000000000";

struct sim_window sim_window_at(int64_t now_unix_s, int64_t life_days)
{
    int64_t from = now_unix_s - now_unix_s % DAY_S;

    return (struct sim_window){from, from + life_days * DAY_S};
}

struct sim_window sim_window_moved(struct sim_window w, int64_t days)
{
    return (struct sim_window){w.from + days * DAY_S, w.to + days * DAY_S};
}

struct sim_signer sim_signer_of(const struct sim *sim, bool is_tcb_info)
{
    if (sim_is(sim, is_tcb_info ? SIM_TCB_SIGNER_NAME : SIM_QEID_SIGNER_NAME))
        return (struct sim_signer){SIM_KEY_TCB_SIGNING, SIM_CERT_ODD_SIGNER};
    if (sim_is(sim, is_tcb_info ? SIM_TCB_SIGNER_PCK : SIM_QEID_SIGNER_PCK))
        return (struct sim_signer){SIM_KEY_PCK, SIM_CERT_PCK};
    return (struct sim_signer){SIM_KEY_TCB_SIGNING, SIM_CERT_TCB_SIGNING};
}

static void hex_upper(struct jw *w, const char *name, struct bytes octets)
{
    char text[65];

    for (size_t i = 0; i < octets.len && i < 32; i++) {
        text[2 * i] = "0123456789ABCDEF"[octets.ptr[i] >> 4];
        text[2 * i + 1] = "0123456789ABCDEF"[octets.ptr[i] & 15];
        text[2 * i + 2] = 0;
    }
    jw_key_cstr(w, name, text);
}

static void date(struct jw *w, const char *name, int64_t unix_s)
{
    char text[UTC_TEXT_LEN + 1];

    utc_format(text, unix_s);
    jw_key_cstr(w, name, text);
}

/* tcbDate, tcbStatus and, if there are any, advisoryIDs of a level. */
static void level_tail(struct jw *w, const char *tcb_date, const char *status, const char *advisory)
{
    jw_key_cstr(w, "tcbDate", tcb_date);
    jw_key_cstr(w, "tcbStatus", status);
    if (advisory != NULL) {
        jw_key(w, "advisoryIDs");
        jw_array(w);
        jw_cstr(w, advisory);
        jw_end(w);
    }
    jw_end(w);
}

static void isvsvn_level(struct jw *w, unsigned isvsvn, const char *tcb_date, const char *status,
                         const char *advisory)
{
    jw_object(w);
    jw_key(w, "tcb");
    jw_object(w);
    jw_key_u64(w, "isvsvn", isvsvn);
    jw_end(w);
    level_tail(w, tcb_date, status, advisory);
}

static void module(struct jw *w, const char *id)
{
    jw_object(w);
    jw_key_cstr(w, "id", id);
    jw_key_cstr(w, "mrsigner", zeros48);
    jw_key_cstr(w, "attributes", "0000000000000000");
    jw_key_cstr(w, "attributesMask", "FFFFFFFFFFFFFFFF");
    jw_key(w, "tcbLevels");
    jw_array(w);
}

static void modules(const struct sim *sim, struct jw *w)
{
    jw_key(w, "tdxModule");
    jw_object(w);
    jw_key_cstr(w, "mrsigner", zeros48);
    jw_key_cstr(w, "attributes", "0000000000000000");
    jw_key_cstr(w, "attributesMask", "FFFFFFFFFFFFFFFF");
    jw_end(w);
    if (sim_is(sim, SIM_MODULE_LIST_ABSENT))
        return;
    jw_key(w, "tdxModuleIdentities");
    jw_array(w);
    module(w, "TDX_03");
    isvsvn_level(w, 3, "2025-05-14T00:00:00Z", "UpToDate", NULL);
    jw_end(w);
    jw_end(w);
    module(w, "TDX_01");
    isvsvn_level(w, 6, "2025-05-14T00:00:00Z", "UpToDate", NULL);
    isvsvn_level(w, 4, "2024-03-13T00:00:00Z", "OutOfDate", "INTEL-SA-99001");
    isvsvn_level(w, 2, "2023-08-09T00:00:00Z", "Revoked", "INTEL-SA-99002");
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void components(const struct sim *sim, struct jw *w, const char *name,
                       const uint8_t svn[static SIM_SVN_COUNT])
{
    size_t count = sim_is(sim, SIM_TCB_FIFTEEN) ? SIM_SVN_COUNT - 1 : SIM_SVN_COUNT;

    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < count; i++) {
        jw_object(w);
        jw_key_u64(w, "svn", sim_is(sim, SIM_TCB_SVN_256) && i == 0 ? 256 : svn[i]);
        jw_end(w);
    }
    jw_end(w);
}

struct level {
    uint8_t sgx[SIM_SVN_COUNT];
    uint16_t pcesvn;
    uint8_t tdx[SIM_SVN_COUNT];
    const char *date, *status, *advisory;
};

static const struct level levels[] = {
    {{3, 3, 2, 2, 4, 1, 0, 5}, 13, {5, 0, 3}, "2025-05-14T00:00:00Z", "UpToDate", NULL},
    {{2, 2, 2, 2, 4, 1, 0, 5},
     13,
     {5, 0, 3},
     "2025-05-14T00:00:00Z",
     "SWHardeningNeeded",
     "INTEL-SA-99010"},
    {{2, 2, 2, 2, 3, 1, 0, 5},
     13,
     {5, 0, 3},
     "2025-05-14T00:00:00Z",
     "ConfigurationNeeded",
     "INTEL-SA-99011"},
    {{2, 2, 2, 2, 3, 1, 0, 5},
     11,
     {5, 0, 2},
     "2024-03-13T00:00:00Z",
     "OutOfDate",
     "INTEL-SA-99012"},
    {{1, 1, 1, 1, 1, 1, 0, 1}, 5, {3, 0, 1}, "2018-01-04T00:00:00Z", "Revoked", "INTEL-SA-99013"},
};

static void level(const struct sim *sim, struct jw *w, const struct level *l, bool is_td)
{
    jw_object(w);
    jw_key(w, "tcb");
    jw_object(w);
    components(sim, w, "sgxtcbcomponents", l->sgx);
    jw_key_u64(w, "pcesvn", l->pcesvn);
    if (is_td)
        components(sim, w, "tdxtcbcomponents", l->tdx);
    jw_end(w);
    level_tail(w, l->date, l->status, l->advisory);
}

static void tcb_levels(const struct sim *sim, struct jw *w, bool is_td)
{
    jw_key(w, "tcbLevels");
    jw_array(w);
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        level(sim, w, &levels[i], is_td);
        if (sim_is(sim, SIM_TCB_SAME_LEVELS) && i == 0)
            level(sim, w, &levels[i], is_td);
    }
    jw_end(w);
}

/* An unknown member, which verifiers ignore, but nested beyond reason. */
static void nested_member(struct jw *w)
{
    char deep[2 * NESTING];

    memset(deep, '[', NESTING);
    memset(deep + NESTING, ']', NESTING);
    jw_key_raw(w, "nested", bytes_make(deep, sizeof(deep)));
}

static enum tacit_err sign_text(const struct sim *sim, bool is_tcb_info, struct bytes text,
                                uint8_t sig[static 64])
{
    uint8_t raw[SIGNKEY_RAW_MAX];
    uint8_t digest[SHA256_LEN];
    size_t len;
    enum tacit_err err;

    sha256(digest, text);
    err = signkey_sign_raw(sim->pki.keys[sim_signer_of(sim, is_tcb_info).key], raw, &len,
                           BYTES_ARRAY(digest));
    memcpy(sig, raw, 64);
    if (sim_is(sim, is_tcb_info ? SIM_TCB_SIGNATURE : SIM_QEID_SIGNATURE))
        sig[20] ^= 1;
    return err;
}

/* What happens to a document after it was signed. */
static void text_spoil(const struct sim *sim, bool is_tcb_info, struct buf *json, size_t from)
{
    static const char mark[] = "\"tcbDate\":\"202";
    struct bytes text = bytes_make(json->ptr + from, json->len - from);

    if (sim_is(sim, is_tcb_info ? SIM_TCB_CHANGED : SIM_QEID_CHANGED)) {
        size_t at = bytes_find(text, bytes_of(mark));

        if (at != SIZE_MAX)
            json->ptr[from + at + sizeof(mark) - 1] = '6';
    }
    if (is_tcb_info && sim_is(sim, SIM_TCB_WHITE_SPACE)) {
        buf_putc(json, ' ');
        if (!json->failed) {
            json->ptr[json->len - 1] = '}';
            json->ptr[json->len - 2] = ' ';
        }
    }
}

static enum tacit_err document_finish(const struct sim *sim, bool is_tcb_info, struct buf *json,
                                      size_t from, uint8_t sig[static 64])
{
    enum tacit_err err;

    if (json->failed)
        return TACIT_NOMEM;
    err = sign_text(sim, is_tcb_info, bytes_make(json->ptr + from, json->len - from), sig);
    if (err != TACIT_OK)
        return err;
    text_spoil(sim, is_tcb_info, json, from);
    return buf_err(json);
}

static void dates(struct jw *w, const struct sim *sim, bool is_tcb_info, int64_t now_unix_s)
{
    struct sim_window time = sim_window_at(now_unix_s, JSON_LIFE_DAYS);

    if (sim_is(sim, is_tcb_info ? SIM_TCB_EXPIRED : SIM_QEID_EXPIRED))
        time = sim_window_moved(time, -2 * JSON_LIFE_DAYS);
    if (sim_is(sim, is_tcb_info ? SIM_TCB_FUTURE : SIM_QEID_FUTURE))
        time = sim_window_moved(time, 2);
    date(w, "issueDate", time.from);
    date(w, "nextUpdate", time.to);
}

enum tacit_err sim_tcb_info(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                            int64_t now_unix_s)
{
    static const uint8_t other_fmspc[6] = {0xf0, 'O', 'T', 'H', 'E', 'R'};
    bool is_td = sim_is_td(sim) && !sim_is(sim, SIM_TCB_OTHER_TEE);
    size_t from = json->len;
    struct jw w = jw_make(json);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    jw_object(&w);
    jw_key_cstr(&w, "id", is_td ? "TDX" : "SGX");
    jw_key_u64(&w, "version", 3);
    dates(&w, sim, true, now_unix_s);
    hex_upper(&w, "fmspc",
              sim_is(sim, SIM_TCB_FMSPC) ? BYTES_ARRAY(other_fmspc)
                                         : BYTES_ARRAY(sim_fmspc_octets));
    if (sim_is(sim, SIM_TCB_DUPLICATE))
        hex_upper(&w, "fmspc", BYTES_ARRAY(other_fmspc));
    jw_key_cstr(&w, "pceId", sim_is(sim, SIM_TCB_PCE_ID) ? "0001" : "0000");
    jw_key_u64(&w, "tcbType", 0);
    jw_key_u64(&w, "tcbEvaluationDataNumber", EVALUATION_NUMBER);
    if (sim_is(sim, SIM_TCB_NESTED))
        nested_member(&w);
    if (is_td)
        modules(sim, &w);
    tcb_levels(sim, &w, is_td);
    jw_end(&w);
    if (sim_is(sim, SIM_TCB_TRAILING))
        buf_puts(json, "{}");
    return document_finish(sim, true, json, from, sig);
}

enum tacit_err sim_qe_identity(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                               int64_t now_unix_s)
{
    bool is_td = sim_is_td(sim) && !sim_is(sim, SIM_QEID_OTHER_TEE);
    size_t from = json->len;
    struct jw w = jw_make(json);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    jw_object(&w);
    jw_key_cstr(&w, "id", is_td ? "TD_QE" : "QE");
    jw_key_u64(&w, "version", 2);
    dates(&w, sim, false, now_unix_s);
    jw_key_u64(&w, "tcbEvaluationDataNumber", EVALUATION_NUMBER);
    jw_key_cstr(&w, "miscselect", "00000000");
    jw_key_cstr(&w, "miscselectMask", "FFFFFFFF");
    jw_key_cstr(&w, "attributes", "11000000000000000000000000000000");
    jw_key_cstr(&w, "attributesMask", "FBFFFFFFFFFFFFFF0000000000000000");
    hex_upper(&w, "mrsigner", BYTES_ARRAY(sim_qe_mrsigner[is_td]));
    if (sim_is(sim, SIM_QEID_DUPLICATE))
        hex_upper(&w, "mrsigner", BYTES_ARRAY(sim_qe_mrsigner[!is_td]));
    jw_key_u64(&w, "isvprodid", is_td ? 2 : 1);
    jw_key(&w, "tcbLevels");
    jw_array(&w);
    isvsvn_level(&w, 4, "2025-05-14T00:00:00Z", "UpToDate", NULL);
    isvsvn_level(&w, 3, "2023-08-09T00:00:00Z", "OutOfDate", "INTEL-SA-99020");
    isvsvn_level(&w, 1, "2022-08-09T00:00:00Z", "Revoked", "INTEL-SA-99021");
    jw_end(&w);
    jw_end(&w);
    return document_finish(sim, false, json, from, sig);
}

/* Which evaluations there are: the one that every document here is of. */
enum tacit_err sim_eval_numbers(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                                int64_t now_unix_s)
{
    struct sim_window time = sim_window_at(now_unix_s, JSON_LIFE_DAYS);
    size_t from = json->len;
    struct jw w = jw_make(json);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    jw_object(&w);
    jw_key_cstr(&w, "id", sim_is_td(sim) ? "TDX" : "SGX");
    jw_key_u64(&w, "version", 1);
    date(&w, "issueDate", time.from);
    date(&w, "nextUpdate", time.to);
    jw_key(&w, "tcbEvalNumbers");
    jw_array(&w);
    jw_object(&w);
    jw_key_u64(&w, "tcbEvaluationDataNumber", EVALUATION_NUMBER);
    jw_key_cstr(&w, "tcbRecoveryEventDate", "2025-05-14T00:00:00Z");
    jw_key_cstr(&w, "tcbDate", "2025-05-14T00:00:00Z");
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    if (json->failed)
        return TACIT_NOMEM;
    return sign_text(sim, true, bytes_make(json->ptr + from, json->len - from), sig);
}
