/* The rows of a verdict on one exchange, and its files. */
#include <stdio.h>

#include "attest/verdict.h"
#include "base/file.h"
#include "cli/convo.h"
#include "codec/jscan.h"
#include "receipt/near_signature.h"

enum { PATH_MAX_LEN = 4096 };

static void check_whole(const struct row_scope *s, const struct convo *c)
{
    if (c->is_error)
        row_fail(s, "chat.complete", TACIT_CAUSE_MISMATCH, "the server answered with an error");
    else if (!c->is_done)
        row_fail(s, "chat.complete", TACIT_CAUSE_MISMATCH,
                 "the stream broke off before its end was announced");
    else
        row_pass(s, "chat.complete");
}

/* The near_signature rows in the words of a verdict. */
static void add_rows(const struct row_scope *s, const enum near_check_result *results,
                     bool is_by_gateway)
{
    for (int i = 0; i < NEAR_CHECK_ROWS; i++) {
        enum near_check_row row = (enum near_check_row)i;
        bool is_forged = row == NEAR_CHECK_SIGNATURE;

        if (row == NEAR_CHECK_MODEL && is_by_gateway)
            row_note(s, near_check_row_id(row), "signed by the gateway, whose text names no model");
        else if (results[i] == NEAR_PASSED)
            row_pass(s, near_check_row_id(row));
        else if (results[i] == NEAR_FAILED)
            row_fail(s, near_check_row_id(row),
                     is_forged ? TACIT_CAUSE_FORGED : TACIT_CAUSE_MISMATCH, "%s",
                     near_check_row_reason(row));
        else
            row_not_run(s, near_check_row_id(row), TACIT_CAUSE_UNOBTAINABLE,
                        "not evaluated: what it compares with is missing or unreadable");
    }
}

static bool is_gateway_kind(const struct near_signature *sig)
{
    return bytes_eq(sig->kind, BYTES_LIT("gateway"));
}

/* Whose address must have signed: the node's, or the gateway's where the signature says so. Both
 * were proven by the report; without a report (and without signer) there is none to compare with.
 */
static struct bytes expected_signer(char text[static NEAR_ADDRESS_TEXT_MAX + 1],
                                    const struct near_signature *sig,
                                    const struct tacit_report_facts *facts, struct bytes signer)
{
    const struct tacit_side_facts *side = is_gateway_kind(sig) ? &facts->gateway : &facts->node;
    struct buf out = buf_over((uint8_t *)text, NEAR_ADDRESS_TEXT_MAX);

    if (signer.len == 0 && side->is_trusted)
        signer = bytes_make(side->signing_address, side->signing_address_len);
    if (signer.len == 20)
        buf_puts(&out, "0x");
    buf_hex(&out, signer);
    return buf_bytes(&out);
}

void convo_check(struct tacit_verdict *v, const struct convo *c,
                 const struct tacit_report_facts *facts, struct bytes signer)
{
    struct row_scope s = {.v = v,
                          .subject = "reply",
                          .authority = signer.len > 0 ? "the signer that was named"
                                                      : "attested signing key"};
    enum near_check_result results[NEAR_CHECK_ROWS] = {NEAR_NOT_RUN};
    struct near_signature sig;
    char address[NEAR_ADDRESS_TEXT_MAX + 1] = "";
    enum tacit_err err = near_signature_read(&sig, buf_bytes(&c->signature));

    check_whole(&s, c);
    if (err != TACIT_OK) {
        row_fail(&s, "chat.signature_json", TACIT_CAUSE_UNOBTAINABLE,
                 err == TACIT_NOT_FOUND ? "the server has no signature for this reply"
                                        : "the server's signature reply is unreadable");
        return;
    }
    struct near_expected expected = {
        .request = buf_bytes(&c->request),
        .response = buf_bytes(&c->response),
        .model = is_gateway_kind(&sig) ? (struct bytes){NULL, 0} : bytes_of(c->model),
        .address = expected_signer(address, &sig, facts, signer),
    };
    bool is_good = near_signature_check(results, &sig, &expected);
    UNUSED(is_good); /* each row says it for itself */
    add_rows(&s, results, is_gateway_kind(&sig));
}

static enum tacit_err save_one(const char *folder, const char *name, const struct buf *content)
{
    char path[PATH_MAX_LEN];

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return TACIT_LIMIT;
    return file_write(path, buf_bytes(content), 0600);
}

enum tacit_err convo_save(const struct convo *c, const char *folder)
{
    enum tacit_err err = dir_make(folder, 0700);

    if (err == TACIT_OK)
        err = save_one(folder, "request.json", &c->request);
    if (err == TACIT_OK)
        err = save_one(folder, "response", &c->response);
    if (err == TACIT_OK)
        err = save_one(folder, "signature.json", &c->signature);
    return err;
}

/* A client believes the model that he asked for: the one in his own request. */
static enum tacit_err take_model(struct convo *c)
{
    struct jval root;
    struct bytes name;

    if (jscan_object(&root, buf_bytes(&c->request)) != TACIT_OK ||
        !jscan_str_view(&name, jscan_member(root, "model")) || name.len >= sizeof c->model_text)
        return TACIT_FORMAT;
    (void)snprintf(c->model_text, sizeof c->model_text, "%.*s", BYTES_FMT(name));
    c->model = c->model_text;
    return TACIT_OK;
}

enum tacit_err convo_load(struct convo *c, const char *request_path, const char *response_path,
                          const char *signature_path)
{
    struct buf response = buf_make_secret(LIMIT_REPLY_BYTES);
    enum tacit_err err = file_read(&c->request, request_path);

    if (err == TACIT_OK)
        err = file_read(&response, response_path);
    if (err == TACIT_OK)
        err = file_read(&c->signature, signature_path);
    if (err == TACIT_OK && c->model == NULL)
        err = take_model(c);
    if (err == TACIT_OK) {
        struct bytes body = buf_bytes(&response);

        c->status = 200;
        c->is_stream =
            bytes_starts_with(body, BYTES_LIT("data:")) || bytes_starts_with(body, BYTES_LIT(":"));
        err = convo_take(c, body, NULL, NULL);
        convo_end(c);
    }
    buf_done(&response);
    return err;
}
