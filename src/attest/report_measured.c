/* What an event log proves once it replays to a genuine quote: composition, image, application; and
 * whether the unmeasured `info` agrees with it. */
#include <stdio.h>

#include "attest/report_priv.h"
#include "base/limits.h"
#include "codec/hex.h"
#include "crypto/sha2.h"

static const char replay_authority[] = "RTMR3 replay";

static enum tacit_row_cause fault_cause(enum event_log_fault fault)
{
    return fault == EVENT_LOG_DIGEST || fault == EVENT_LOG_DUPLICATE ? TACIT_CAUSE_FORGED
                                                                     : TACIT_CAUSE_UNPARSABLE;
}

/* A gateway sends the log as text, a node as an array (near.md 3.5). */
static struct bytes log_text(struct report_run *run, struct jval log)
{
    struct bytes text;

    if (log.type != JVAL_STRING)
        return log.raw;
    if (jscan_str_view(&text, log))
        return text;
    text = jscan_str_dup(&run->arena, log);
    run->is_out_of_memory |= text.ptr == NULL;
    return text;
}

static void replay_rows(struct event_log *log, const struct row_scope *scope,
                        const struct tacit_td_report *td)
{
    event_log_prove(log, td->rtmr);
    if ((log->proven_mask & 7) == 7)
        row_pass(scope, "log.boot");
    else
        row_fail(scope, "log.boot", TACIT_CAUSE_MISMATCH,
                 "the boot events do not replay to RTMR%u of the quote",
                 (log->proven_mask & 1) == 0   ? 0U
                 : (log->proven_mask & 2) == 0 ? 1U
                                               : 2U);
    if ((log->proven_mask & 8) != 0)
        row_pass(scope, "log.replay");
    else
        row_fail(scope, "log.replay", TACIT_CAUSE_MISMATCH,
                 "the runtime events do not replay to RTMR3 of the quote");
}

bool report_log_rows(struct report_run *run, struct event_log *out, const struct row_scope *scope,
                     struct jval log, const struct tacit_td_report *td)
{
    enum tacit_err err = event_log_read(out, log_text(run, log), &run->arena);

    if (err == TACIT_NOMEM)
        run->is_out_of_memory = true;
    if (err != TACIT_OK) {
        row_fail(scope, "log.read", fault_cause(out->fault),
                 "entry %zu of the event log is refused: %s", out->fault_index,
                 event_log_fault_name(out->fault));
        row_not_run(scope, "log.boot", TACIT_CAUSE_UNPARSABLE, "the event log is refused");
        row_not_run(scope, "log.replay", TACIT_CAUSE_UNPARSABLE, "the event log is refused");
        return false;
    }
    row_pass(scope, "log.read");
    replay_rows(out, scope, td);
    return (out->proven_mask & 8) != 0;
}

void report_log(struct side *s)
{
    report_log_rows(s->run, &s->log, &s->scope, jscan_member(s->obj, "event_log"),
                    &s->result->quote.td);
}

/* Copies a system event's payload if it has the right length. */
static bool event_copy(const struct event_log *log, const char *name, uint8_t *out, size_t len)
{
    const struct event_log_event *e = event_log_system(log, name);

    if (e == NULL || e->payload.len != len)
        return false;
    memcpy(out, e->payload.ptr, len);
    return true;
}

static void identity_collect(struct side *s)
{
    struct tacit_side_facts *f = s->facts;

    f->has_compose_hash = event_copy(&s->log, "compose-hash", f->compose_hash, 32);
    f->has_os_image_hash = event_copy(&s->log, "os-image-hash", f->os_image_hash, 32);
    f->has_app_id = event_copy(&s->log, "app-id", f->app_id, 20);
    f->has_instance_id = event_copy(&s->log, "instance-id", f->instance_id, 20);
}

/* tcb_info is an object, or text of one in older agents. */
static struct jval tcb_info_open(struct side *s)
{
    struct jval val = jscan_member(jscan_member(s->obj, "info"), "tcb_info");
    struct jval root;
    struct bytes text;

    if (val.type != JVAL_STRING)
        return val;
    text = jscan_str_dup(&s->run->arena, val);
    s->run->is_out_of_memory |= text.ptr == NULL;
    return jscan_object(&root, text) == TACIT_OK ? root : JVAL_ABSENT;
}

static void compose_check(struct side *s, struct jval tcb_info)
{
    uint8_t hash[32];

    s->app_compose = report_str(s->run, tcb_info, "app_compose");
    if (s->app_compose.ptr == NULL) {
        row_fail(&s->scope, "compose.hash", TACIT_CAUSE_UNPARSABLE,
                 "info.tcb_info.app_compose is missing");
        return;
    }
    if (!s->facts->has_compose_hash) {
        row_not_run(&s->scope, "compose.hash", TACIT_CAUSE_UNOBTAINABLE,
                    "no compose-hash event of 32 octets is proven");
        return;
    }
    sha256(hash, s->app_compose);
    if (bytes_eq(BYTES_ARRAY(hash), BYTES_ARRAY(s->facts->compose_hash)))
        row_pass(&s->scope, "compose.hash");
    else
        row_fail(&s->scope, "compose.hash", TACIT_CAUSE_MISMATCH,
                 "app_compose is not the text whose hash was measured");
}

/* MRCONFIGID version 1: 01, compose hash, zeros. Set before boot, so it holds without any log. */
static void mrconfigid_check(struct side *s)
{
    struct bytes id = s->result->quote.td.mrconfigid;
    uint8_t hash[32];

    if (s->app_compose.ptr == NULL) {
        row_not_run(&s->scope, "compose.mrconfigid", TACIT_CAUSE_UNOBTAINABLE,
                    "there is no app_compose to compare with");
        return;
    }
    sha256(hash, s->app_compose);
    if (id.ptr[0] != 1)
        row_fail(&s->scope, "compose.mrconfigid", TACIT_CAUSE_MISMATCH,
                 "MRCONFIGID has version %u; only version 1 is known here", id.ptr[0]);
    else if (!bytes_eq(bytes_slice(id, 1, 32), BYTES_ARRAY(hash)) ||
             !bytes_is_zero(bytes_slice(id, 33, 15)))
        row_fail(&s->scope, "compose.mrconfigid", TACIT_CAUSE_MISMATCH,
                 "MRCONFIGID commits to another composition");
    else
        row_pass(&s->scope, "compose.mrconfigid");
}

static void allow32_check(struct side *s, const char *id, struct tacit_allow32 list, bool has,
                          const uint8_t value[static 32])
{
    char hex[65];

    if (list.count == 0)
        return;
    hex_encode(hex, sizeof(hex), bytes_make(value, 32));
    for (size_t i = 0; has && i < list.count; i++)
        if (bytes_eq(bytes_make(list.values[i], 32), bytes_make(value, 32))) {
            row_pass(&s->scope, id);
            return;
        }
    row_fail(&s->scope, id, TACIT_CAUSE_POLICY, "%s is not on the allow-list",
             has ? hex : "what is not proven");
}

static void app_id_check(struct side *s)
{
    if (s->policy->app_id_count == 0)
        return;
    for (size_t i = 0; s->facts->has_app_id && i < s->policy->app_id_count; i++)
        if (bytes_eq(bytes_make(s->policy->app_ids[i], 20), BYTES_ARRAY(s->facts->app_id))) {
            row_pass(&s->scope, "policy.app_id");
            return;
        }
    row_fail(&s->scope, "policy.app_id", TACIT_CAUSE_POLICY,
             "the application id is not on the allow-list");
}

/* Whether a member that is present as non-empty hex equals the proven value. */
static bool member_agrees(struct side *s, struct jval obj, const char *name, struct bytes proven,
                          bool is_proven)
{
    struct bytes text = report_str(s->run, obj, name);
    struct bytes value;

    if (text.len == 0)
        return true;
    value = report_hex(s->run, obj, name);
    return is_proven && bytes_eq(value, proven);
}

static const char *info_disagreement(struct side *s, struct jval info, struct jval tcb)
{
    const struct tacit_td_report *td = &s->result->quote.td;
    const struct tacit_side_facts *f = s->facts;
    const struct {
        struct jval obj;
        const char *name;
        struct bytes proven;
        bool is_proven;
    } members[] = {
        {info, "app_id", BYTES_ARRAY(f->app_id), f->has_app_id},
        {info, "instance_id", BYTES_ARRAY(f->instance_id), f->has_instance_id},
        {info, "compose_hash", BYTES_ARRAY(f->compose_hash), f->has_compose_hash},
        {info, "os_image_hash", BYTES_ARRAY(f->os_image_hash), f->has_os_image_hash},
        {tcb, "compose_hash", BYTES_ARRAY(f->compose_hash), f->has_compose_hash},
        {tcb, "os_image_hash", BYTES_ARRAY(f->os_image_hash), f->has_os_image_hash},
        {tcb, "mrtd", td->mrtd, true},
        {tcb, "rtmr0", td->rtmr[0], true},
        {tcb, "rtmr1", td->rtmr[1], true},
        {tcb, "rtmr2", td->rtmr[2], true},
        {tcb, "rtmr3", td->rtmr[3], true},
    };

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (!member_agrees(s, members[i].obj, members[i].name, members[i].proven,
                           members[i].is_proven))
            return members[i].name;
    return NULL;
}

/* `info` is shown to people, so it may not say otherwise than what is proven. */
static void info_check(struct side *s, struct jval tcb_info)
{
    const char *differs;

    if ((s->log.proven_mask & 8) == 0) {
        row_not_run(&s->scope, "info.agreement", TACIT_CAUSE_UNOBTAINABLE,
                    "RTMR3 is not proven, so there is nothing to compare with");
        return;
    }
    differs = info_disagreement(s, jscan_member(s->obj, "info"), tcb_info);
    if (differs == NULL)
        row_pass(&s->scope, "info.agreement");
    else
        row_fail(&s->scope, "info.agreement", TACIT_CAUSE_MISMATCH,
                 "info says another %s than what is proven", differs);
}

void report_measured(struct side *s)
{
    struct jval tcb_info = tcb_info_open(s);

    s->scope.authority = replay_authority;
    identity_collect(s);
    compose_check(s, tcb_info);
    s->scope.authority = s->result->is_simulated ? "SIMULATED quote" : "TDX quote";
    mrconfigid_check(s);
    s->scope.authority = replay_authority;
    allow32_check(s, "policy.compose", s->policy->compose_hashes, s->facts->has_compose_hash,
                  s->facts->compose_hash);
    allow32_check(s, "policy.os_image", s->policy->os_image_hashes, s->facts->has_os_image_hash,
                  s->facts->os_image_hash);
    app_id_check(s);
    info_check(s, tcb_info);
}
