/* `tacit chat`: asks the server for its attestation, refuses to say anything to one that cannot
 * prove what it is, then sends the prompt, and believes the answer only after verifying its
 * signature. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "attest/verdict.h"
#include "base/file.h"
#include "base/utc.h"
#include "cli/args.h"
#include "cli/attested.h"
#include "cli/commands.h"
#include "cli/convo.h"
#include "cli/show.h"
#include "cli/upfile.h"
#include "codec/jwrite.h"

enum {
    PROMPT_LIMIT = 8 * 1024 * 1024,
    KEY_LIMIT = 512,
    ERROR_SHOWN_MAX = 400,
    PATH_LEN = 4096,
    SIGNATURE_TRIES = 5,
    SIGNATURE_PAUSE_NS = 200 * 1000 * 1000,
    JSON_LIMIT = 64 * 1024 * 1024,
};

struct chat {
    struct attested server;
    struct trust trust;
    struct convo convo;
    struct tacit_verdict *verdict;
    struct arena arena;
    struct buf prompt;
    const char *up_folder;
    const char *key_path;
    const char *save_folder;
    bool is_json, is_full, is_plain;
    enum tacit_err take_err;
};

static void print_text(struct bytes text, void *ctx)
{
    const struct chat *chat = ctx;

    if (chat->is_json)
        return;
    show_text(stdout, text);
    (void)fflush(stdout);
}

static bool on_body(struct bytes chunk, unsigned status, void *ctx)
{
    struct chat *chat = ctx;

    chat->convo.status = status;
    chat->take_err = convo_take(&chat->convo, chunk, print_text, chat);
    return chat->take_err == TACIT_OK;
}

static int fail(const char *what, const char *why)
{
    return cli_fail("chat", "%s: %s", what, why);
}

static int ask(struct chat *chat)
{
    struct fetch_reply reply = {0};
    enum tacit_err err = attested_fetch(&reply, &chat->server, "POST", "/v1/chat/completions",
                                        buf_bytes(&chat->convo.request), on_body, chat);

    if (err == TACIT_OK)
        chat->convo.status = reply.status;
    fetch_reply_done(&reply);
    if (err != TACIT_OK && chat->convo.response.len == 0)
        return fail("the request failed", chat->server.why);
    convo_end(&chat->convo);
    if (!chat->convo.is_stream)
        print_text(buf_bytes(&chat->convo.answer), chat);
    if (!chat->is_json)
        (void)fputc('\n', stdout);
    if (chat->convo.status != 200) {
        (void)fprintf(stderr, "tacit chat: the server answered %u: ", chat->convo.status);
        show_text(stderr, bytes_slice(buf_bytes(&chat->convo.response), 0, ERROR_SHOWN_MAX));
        (void)fputc('\n', stderr);
    }
    return CLI_GO_ON;
}

/* The signature may lag behind the answer by a moment when several gateways share a store. */
static int fetch_signature(struct chat *chat)
{
    char path[ATTESTED_URL_MAX];
    struct timespec pause = {.tv_nsec = SIGNATURE_PAUSE_NS};
    unsigned status = 0;

    for (const char *c = chat->convo.id; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || strchr("/?#%&\"\\", *c) != NULL)
            return CLI_GO_ON; /* no id of a decent server: the row will say there is no signature */
    if (snprintf(path, sizeof path, "/v1/signature/%s?signing_algo=%s", chat->convo.id,
                 chat->server.algo) >= (int)sizeof path)
        return CLI_GO_ON;
    for (int i = 0; i < SIGNATURE_TRIES && status != 200 && chat->convo.id[0] != '\0'; i++) {
        struct fetch_reply reply = {0};
        enum tacit_err err =
            attested_fetch(&reply, &chat->server, "GET", path, (struct bytes){NULL, 0}, NULL, NULL);

        status = err == TACIT_OK ? reply.status : 0;
        if (status == 200)
            buf_put(&chat->convo.signature, buf_bytes(&reply.body));
        fetch_reply_done(&reply);
        if (err != TACIT_OK)
            return fail("the signature could not be fetched", chat->server.why);
        if (status != 200)
            (void)nanosleep(&pause, NULL);
    }
    return CLI_GO_ON;
}

static enum tacit_err save_session(const struct chat *chat)
{
    char path[PATH_LEN];
    char at[UTC_TEXT_LEN + 1];
    struct buf text = buf_make(PATH_LEN * 2);
    struct jw w = jw_make(&text);
    enum tacit_err err = convo_save(&chat->convo, chat->save_folder);

    utc_format(at, chat->trust.now_unix_s);
    jw_object(&w);
    jw_key_cstr(&w, "url", chat->server.url);
    jw_key_cstr(&w, "model", chat->convo.model);
    jw_key(&w, "direct"), jw_bool(&w, chat->server.is_direct);
    jw_key(&w, "nonce"), jw_hex(&w, BYTES_ARRAY(chat->server.nonce));
    jw_key(&w, "tls_spki"), jw_hex(&w, BYTES_ARRAY(chat->server.spki));
    jw_key_cstr(&w, "at", at);
    jw_end(&w);
    if (err == TACIT_OK)
        err = buf_err(&text);
    if (err == TACIT_OK && snprintf(path, sizeof path, "%s/session.json", chat->save_folder) > 0)
        err = file_write(path, buf_bytes(&text), 0600);
    if (err == TACIT_OK && snprintf(path, sizeof path, "%s/report.json", chat->save_folder) > 0)
        err = file_write(path, buf_bytes(&chat->server.report), 0600);
    buf_done(&text);
    return err;
}

static int print_json(const struct chat *chat)
{
    struct buf out = buf_make_secret(JSON_LIMIT);
    struct jw w = jw_make(&out);
    bool is_printed;

    jw_object(&w);
    jw_key_cstr(&w, "url", chat->server.url);
    jw_key_cstr(&w, "model", chat->convo.model);
    jw_key_cstr(&w, "id", chat->convo.id);
    jw_key_str(&w, "answer", buf_bytes(&chat->convo.answer));
    jw_end(&w);
    if (!out.failed) {
        out.len--; /* the closing brace goes behind the verdict's members */
        buf_putc(&out, ',');
        verdict_json(&out, chat->verdict, true);
        buf_puts(&out, "}\n");
    }
    is_printed = !out.failed && fwrite(out.ptr, 1, out.len, stdout) == out.len;
    buf_done(&out);
    return is_printed ? show_exit_code(chat->verdict) : EXIT_UNKNOWN;
}

static int conclude(const struct chat *chat)
{
    if (chat->is_json)
        return print_json(chat);
    (void)fflush(stdout);
    show_verdict(stderr, chat->verdict, !chat->is_full);
    return show_exit_code(chat->verdict);
}

static int converse(struct chat *chat)
{
    int code;

    if (convo_make_request(&chat->convo) != TACIT_OK)
        return cli_fail("chat",
                        "the prompt must be UTF-8, and --max-tokens and --temperature numbers");
    if (attested_open(&chat->server, chat->verdict, &chat->trust) != TACIT_OK)
        return fail("the attestation could not be judged", chat->server.why);
    if (!tacit_verdict_is_trusted(chat->verdict)) {
        (void)conclude(chat);
        (void)fprintf(stderr, "Nothing was sent.\n");
        return EXIT_REFUSED;
    }
    code = ask(chat);
    if (code == CLI_GO_ON && chat->convo.status == 200)
        code = fetch_signature(chat);
    if (code != CLI_GO_ON)
        return code;
    convo_check(chat->verdict, &chat->convo, &chat->server.facts, (struct bytes){NULL, 0});
    if (chat->save_folder != NULL && save_session(chat) != TACIT_OK)
        return fail("cannot save", chat->save_folder);
    return conclude(chat);
}

/* What was not given comes from a running `tacit up`, if there is one. */
static int complete(struct chat *chat)
{
    char folder[PATH_LEN];
    struct upfile up = {0};
    struct buf key = buf_make_secret(KEY_LIMIT);

    if (chat->key_path != NULL) {
        if (file_read(&key, chat->key_path) == TACIT_OK)
            chat->server.api_key = arena_str(&chat->arena, bytes_trim(buf_bytes(&key)));
        buf_done(&key);
        if (chat->server.api_key == NULL)
            return fail("cannot read the API key", chat->key_path);
    }
    if (chat->server.url == NULL) {
        if (chat->up_folder == NULL && upfile_default_folder(folder, sizeof folder) == TACIT_OK)
            chat->up_folder = folder;
        if (chat->up_folder == NULL || upfile_read(&up, &chat->arena, chat->up_folder) != TACIT_OK)
            return cli_fail("chat", "give --url URL, or start `tacit up` first");
        chat->server.url = up.url;
        if (chat->server.api_key == NULL)
            chat->server.api_key = up.api_key;
        trust_take_up(&chat->trust, &up);
        if (chat->server.model == NULL)
            chat->server.model = up.model;
        chat->up_folder = NULL; /* may have pointed to our own stack */
    }
    if (chat->server.model == NULL)
        return cli_fail("chat", "give --model NAME");
    chat->convo.model = chat->server.model;
    return CLI_GO_ON;
}

static int read_prompt(struct chat *chat, const struct cli_args *args)
{
    chat->prompt = buf_make_secret(PROMPT_LIMIT);
    for (size_t i = 0; i < args->count; i++) {
        if (i > 0)
            buf_putc(&chat->prompt, ' ');
        buf_puts(&chat->prompt, args->items[i]);
    }
    if (args->count == 0 && file_read(&chat->prompt, "/dev/stdin") != TACIT_OK)
        return cli_fail("chat", "cannot read a prompt from standard input (at most 8 MiB)");
    chat->convo.prompt = buf_cstr(&chat->prompt);
    if (chat->convo.prompt == NULL || chat->convo.prompt[0] == '\0')
        return cli_fail("chat", "the prompt is empty");
    return CLI_GO_ON;
}

static int run_with(struct chat *chat, const struct cli_args *args)
{
    int code;

    chat->convo.is_stream = !chat->is_plain;
    code = complete(chat);
    if (code == CLI_GO_ON)
        code = read_prompt(chat, args);
    if (code != CLI_GO_ON)
        return code;
    return trust_load(&chat->trust, "chat") ? converse(chat) : EXIT_UNKNOWN;
}

static int run(struct chat *chat, int argc, char **argv)
{
    struct cli_args args;
    const struct cli_opt opts[] = {
        {.name = "url",
         .metavar = "URL",
         .help = "server, https://…; default: the running `tacit up`",
         .value = &chat->server.url},
        {.name = "up",
         .metavar = "DIR",
         .help = "the folder of that `tacit up`",
         .value = &chat->up_folder},
        {.name = "model", .metavar = "NAME", .help = "model to ask", .value = &chat->server.model},
        {.name = "api-key",
         .metavar = "KEY",
         .help = "API key (other users of this machine can see arguments: prefer a file)",
         .value = &chat->server.api_key},
        {.name = "api-key-file",
         .metavar = "FILE",
         .help = "file that holds the API key",
         .value = &chat->key_path},
        {.name = "system",
         .metavar = "TEXT",
         .help = "system message",
         .value = &chat->convo.system},
        {.name = "max-tokens",
         .metavar = "N",
         .help = "limit of the answer",
         .value = &chat->convo.max_tokens},
        {.name = "temperature",
         .metavar = "T",
         .help = "sampling temperature",
         .value = &chat->convo.temperature},
        {.name = "no-stream", .help = "ask for the answer in one piece", .flag = &chat->is_plain},
        {.name = "direct",
         .help = "the server is a node, not a gateway",
         .flag = &chat->server.is_direct},
        {"algo", "ALGO", "ecdsa (default) or ed25519", NULL, &chat->server.algo, NULL},
        TRUST_OPTIONS(&chat->trust),
        GPU_OPTIONS(&chat->trust.gpu),
        {.name = "save",
         .metavar = "DIR",
         .help = "save the exchange and its evidence (it holds the prompt)",
         .value = &chat->save_folder},
        {.name = "json", .help = "answer and verdict as one JSON object", .flag = &chat->is_json},
        {.name = "full",
         .help = "list every check instead of counting those that passed",
         .flag = &chat->is_full},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit chat [options] [PROMPT…]",
        .about = "Verifies the server, sends the prompt (or standard input), streams the answer to "
                 "standard output,\nand prints the verdict on standard error. Nothing is sent to a "
                 "server that is not trusted.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .max_args = CLI_LIST_MAX};
    int code = cli_parse(&args, argc, argv, &usage);

    return code == CLI_GO_ON ? run_with(chat, &args) : code;
}

int cmd_chat(int argc, char **argv)
{
    struct chat *chat = calloc(1, sizeof *chat);
    int code = EXIT_UNKNOWN;

    if (chat == NULL)
        return cli_fail("chat", "out of memory");
    chat->verdict = calloc(1, sizeof *chat->verdict);
    chat->arena = arena_make(PROMPT_LIMIT);
    chat->server.algo = "ecdsa";
    convo_init(&chat->convo);
    if (chat->verdict != NULL)
        code = run(chat, argc, argv);
    convo_done(&chat->convo);
    attested_done(&chat->server);
    trust_done(&chat->trust);
    buf_done(&chat->prompt);
    arena_done(&chat->arena);
    free(chat->verdict);
    free(chat);
    return code;
}
