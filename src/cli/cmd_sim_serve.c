/* `tacit sim serve`: the simulated services over HTTP, so that whole flows run offline and other
 * people's verifiers can use the simulator as their caching service. One thread, one loop. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/sim_cli.h"
#include "net/server.h"

enum { ANSWER_MAX = 4 << 20, HEADER_MAX = 16384, ASK_MAX = 1 << 20, DRAIN_MS = 1000 };

static const char command[] = "sim serve";

struct service {
    sim_service_fn *answer;
    void *ctx;
};

struct serving {
    struct loop *loop;
    struct server *server;
    struct sim *sim;
    struct sim_gpu *gpu;
    struct service services[4];
    size_t service_count;
};

/* A request whose body is being collected. */
struct asking {
    struct serving *serving;
    struct buf body;
};

static void reply(struct exchange *x, struct serving *s, struct bytes body)
{
    const struct request *req = exchange_request(x);
    struct sim_ask ask = {.method = req->method,
                          .path = req->path,
                          .query = req->query,
                          .body = body,
                          .now_unix_s = clock_unix_s()};
    struct sim_answer answer = {.status = 404,
                                .content_type = "text/plain",
                                .header_value = buf_make(HEADER_MAX),
                                .body = buf_make(ANSWER_MAX)};
    struct header headers[2];
    size_t count = 1;

    for (size_t i = 0; i < s->service_count; i++)
        if (s->services[i].answer(&answer, &ask, s->services[i].ctx))
            break;
    headers[0] = (struct header){BYTES_LIT("content-type"), bytes_of(answer.content_type)};
    if (answer.header_name != NULL)
        headers[count++] =
            (struct header){bytes_of(answer.header_name), buf_bytes(&answer.header_value)};
    exchange_reply(x, answer.status, headers, count, buf_bytes(&answer.body));
    buf_done(&answer.header_value);
    buf_done(&answer.body);
}

static void on_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    UNUSED(x);
    buf_put(&((struct asking *)ctx)->body, chunk);
}

static void on_end(struct exchange *x, void *ctx)
{
    struct asking *a = ctx;

    if (a->body.failed)
        exchange_reply(x, 413, NULL, 0, (struct bytes){NULL, 0});
    else
        reply(x, a->serving, buf_bytes(&a->body));
}

static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct asking *a = ctx;

    UNUSED(x);
    UNUSED(is_complete);
    buf_done(&a->body);
    free(a);
}

static void on_request(struct exchange *x, const struct request *req, void *ctx)
{
    static const struct exchange_events events = {
        .on_body = on_body, .on_end = on_end, .on_closed = on_closed};
    struct asking *a;

    if (!req->has_body) {
        reply(x, ctx, (struct bytes){NULL, 0});
        return;
    }
    a = calloc(1, sizeof(*a));
    if (a == NULL) {
        exchange_reply(x, 503, NULL, 0, (struct bytes){NULL, 0});
        return;
    }
    a->serving = ctx;
    a->body = buf_make(ASK_MAX);
    exchange_listen(x, &events, a);
}

static void drained(void *ctx)
{
    struct serving *s = ctx;

    server_free(s->server);
    s->server = NULL;
    loop_stop(s->loop);
}

static void stop_asked(void *ctx)
{
    struct serving *s = ctx;

    if (s->server != NULL)
        server_drain(s->server, DRAIN_MS, drained, s);
}

static bool listening(struct serving *s, const char *address)
{
    struct server_opts opts = {.max_body_bytes = ASK_MAX};
    struct handler handler = {.on_request = on_request, .ctx = s};
    char why[256];

    if (addr_parse(&opts.addr, bytes_of(address)) != TACIT_OK) {
        (void)cli_fail(command, "'%s' is no address such as 127.0.0.1:8081 or unix:/path", address);
        return false;
    }
    s->loop = loop_new();
    if (s->loop == NULL || loop_on_stop_signal(s->loop, stop_asked, s) != TACIT_OK) {
        (void)cli_fail(command, "out of memory or descriptors");
        return false;
    }
    if (server_new(&s->server, s->loop, &opts, &handler, why) != TACIT_OK) {
        (void)cli_fail(command, "%s", why);
        return false;
    }
    if (opts.addr.is_unix)
        printf("SIMULATED services on %s\n", address);
    else
        printf("SIMULATED services on http://%s:%u\n", opts.addr.host, server_port(s->server));
    (void)fflush(stdout);
    return true;
}

/* The GPUs of the same folder, behind NVIDIA's services. */
static bool gpus_open_for(struct serving *s, const char *count_text, const char *fault)
{
    uint64_t count;

    if (!cli_number(&count, count_text, 8) || count == 0) {
        (void)cli_fail(command, "--gpus wants a number from 1 to 8");
        return false;
    }
    if (sim_gpu_open(&s->gpu, s->sim, (unsigned)count, clock_unix_s()) != TACIT_OK ||
        sim_gpu_set_fault(s->gpu, sim_gpu_fault_exists(fault) ? fault : NULL) != TACIT_OK) {
        (void)cli_fail(command, "the simulated GPUs cannot be made");
        return false;
    }
    s->services[s->service_count++] = (struct service){sim_nvidia_service, s->gpu};
    return true;
}

int cmd_sim_serve(int argc, char **argv)
{
    const char *address = "127.0.0.1:8081";
    const char *fault = NULL;
    const char *gpus = "1";
    const struct cli_opt opts[] = {
        {.name = "listen",
         .metavar = "ADDRESS",
         .help = "where; 127.0.0.1:8081 if not given",
         .value = &address},
        {.name = "fault",
         .metavar = "NAME",
         .help = "go wrong: see `tacit sim faults`",
         .value = &fault},
        {.name = "gpus",
         .metavar = "N",
         .help = "GPUs of the platform, 1 to 8 (default 1)",
         .value = &gpus},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit sim serve DIR [options]",
        .about = "Answers for the simulated platform in DIR as Intel's certification service (PCS "
                 "v4), a caching service, and NVIDIA's manifest, OCSP and attestation services "
                 "would, until it is told to stop.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .min_args = 1,
        .max_args = 1};
    struct serving s = {0};
    struct cli_args args;
    bool ok;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    if (!sim_cli_open(&s.sim, command, args.items[0], sim_gpu_fault_exists(fault) ? NULL : fault))
        return EXIT_UNKNOWN;
    s.services[s.service_count++] = (struct service){sim_pcs_service, s.sim};
    ok = gpus_open_for(&s, gpus, fault) && listening(&s, address);
    if (ok)
        loop_run(s.loop);
    server_free(s.server);
    loop_free(s.loop);
    sim_gpu_free(s.gpu);
    sim_free(s.sim);
    return ok ? 0 : EXIT_UNKNOWN;
}
