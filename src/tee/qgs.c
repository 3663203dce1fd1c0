/* The provider over /dev/tdx_guest and the quote generation service. */
#include "tee/qgs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/reader.h"
#include "tee/evidence_priv.h"
#include "tee/sock_priv.h"

enum { HOST_CID = 2, REPORT_DATA_AT = 128, TRIES = 100 };

struct report_request {
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    uint8_t report[TDREPORT_LEN];
};

#define TDX_CMD_GET_REPORT0 _IOWR('T', 1, struct report_request)

struct qgs {
    struct qgs_env env;
    char unix_path[108];
    struct rtlog *log;
};

static int control_real(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg);
}

static enum tacit_err report_get(const struct qgs_env *env, struct report_request *request)
{
    int fd = open(env->device, O_RDWR | O_CLOEXEC);
    int result = -1;
    int errnum = errno;

    for (int i = 0; fd >= 0 && i < TRIES; i++) {
        result = env->control(fd, TDX_CMD_GET_REPORT0, request);
        errnum = errno;
        if (result == 0 || (errnum != EINTR && errnum != EBUSY))
            break;
    }
    if (fd >= 0)
        close(fd);
    if (result != 0)
        return errnum == EBUSY || errnum == EINTR ? TACIT_BUSY : TACIT_IO;
    return memcmp(request->report + REPORT_DATA_AT, request->report_data, TEE_REPORT_DATA_LEN) == 0
               ? TACIT_OK
               : TACIT_MISMATCH;
}

static int service_connect(const struct qgs_env *env)
{
    struct buf config = buf_make(64 * 1024);
    uint32_t port = QGS_PORT_DEFAULT;

    if (env->unix_path != NULL)
        return sock_unix(env->unix_path);
    if (file_read(&config, env->config) == TACIT_OK)
        port = qgs_port(buf_bytes(&config));
    buf_done(&config);
    return sock_vsock(HOST_CID, port);
}

static enum tacit_err message_receive(int fd, struct buf *in, uint64_t deadline)
{
    enum tacit_err err = sock_receive_all(fd, in, 4, deadline);
    struct reader r = reader_over(buf_bytes(in));
    uint32_t len = read_u32be(&r);

    if (err != TACIT_OK)
        return err;
    if (len > QGS_MESSAGE_MAX)
        return TACIT_LIMIT;
    return sock_receive_all(fd, in, len, deadline);
}

static enum tacit_err service_ask(const struct qgs_env *env, struct buf *in, struct bytes tdreport)
{
    struct buf request = buf_make(QGS_MESSAGE_MAX);
    uint64_t deadline = sock_deadline(env->timeout_ms);
    int fd = service_connect(env);
    enum tacit_err err = TACIT_IO;

    qgs_request_put(&request, tdreport);
    if (fd >= 0)
        err = buf_err(&request);
    if (fd >= 0 && err == TACIT_OK)
        err = sock_send(fd, buf_bytes(&request), deadline);
    if (fd >= 0 && err == TACIT_OK)
        err = message_receive(fd, in, deadline);
    if (fd >= 0)
        close(fd);
    buf_done(&request);
    return err;
}

static enum tacit_err qgs_quote(void *self, struct buf *out,
                                const uint8_t report_data[static TEE_REPORT_DATA_LEN])
{
    struct qgs *q = self;
    struct buf in = buf_make(QGS_MESSAGE_MAX + 4);
    struct report_request request = {0};
    struct bytes quote;
    uint32_t error;
    enum tacit_err err;

    memcpy(request.report_data, report_data, TEE_REPORT_DATA_LEN);
    err = report_get(&q->env, &request);
    if (err == TACIT_OK)
        err = service_ask(&q->env, &in, BYTES_ARRAY(request.report));
    if (err == TACIT_OK)
        err = qgs_response_read(&quote, &error, bytes_slice(buf_bytes(&in), 4, SIZE_MAX));
    if (err == TACIT_OK)
        err = evidence_binds(quote, report_data);
    if (err == TACIT_OK) {
        buf_put(out, quote);
        err = buf_err(out);
    }
    buf_done(&in);
    return err;
}

static enum tacit_err qgs_event(void *self, const char *event, struct bytes payload)
{
    return rtlog_event(((struct qgs *)self)->log, event, payload);
}

static enum tacit_err qgs_event_log(void *self, struct buf *json)
{
    return rtlog_json(((struct qgs *)self)->log, json);
}

static void qgs_close(void *self)
{
    rtlog_free(((struct qgs *)self)->log);
    free(self);
}

static const struct tee_ops qgs_ops = {
    .quote = qgs_quote,
    .event = qgs_event,
    .event_log = qgs_event_log,
    .close = qgs_close,
};

enum tacit_err qgs_open_in(struct tee *tee, const struct qgs_env *env, struct rtmr_paths rtmr,
                           char why[static TEE_WHY_LEN])
{
    struct qgs *q;

    if (!file_exists(env->device)) {
        snprintf(why, TEE_WHY_LEN, "%.150s is not there", env->device);
        return TACIT_NOT_FOUND;
    }
    q = calloc(1, sizeof(*q));
    if (q == NULL || (q->log = rtlog_new(rtmr)) == NULL) {
        free(q);
        snprintf(why, TEE_WHY_LEN, "out of memory");
        return TACIT_NOMEM;
    }
    q->env = *env;
    if (env->unix_path != NULL) {
        snprintf(q->unix_path, sizeof(q->unix_path), "%s", env->unix_path);
        q->env.unix_path = q->unix_path;
    }
    tee->ops = &qgs_ops;
    tee->self = q;
    tee->name = "tdx (tdx_guest and QGS)";
    return TACIT_OK;
}

enum tacit_err tee_qgs_open(struct tee *tee, const struct tee_opts *opts,
                            char why[static TEE_WHY_LEN])
{
    struct qgs_env env = {.device = "/dev/tdx_guest",
                          .config = "/etc/tdx-attest.conf",
                          .unix_path = opts->path,
                          .timeout_ms = QGS_TIMEOUT_MS,
                          .control = control_real};

    return qgs_open_in(tee, &env, rtmr_usual(), why);
}
