/* Requests: either an error with a status and a message, or a request whose engine copy is valid
 * JSON, asks for a stream, and is a fixed point of the rewriting. */
#include <assert.h>

#include "codec/jnormal.h"
#include "openai/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_copy(const struct openai_request *req, bool is_llama)
{
    const struct rewrite_opts opts = {.engine_id = "00ff", .is_llama_server = is_llama};
    struct buf copy = buf_make(LIMIT_BODY_BYTES);
    struct buf again = buf_make(LIMIT_BODY_BYTES);
    struct openai_request second;
    struct openai_error error;
    bool is_stream;

    assert(rewrite_for_engine(&copy, req, &opts) == TACIT_OK);
    assert(openai_request_read(&second, &error, buf_bytes(&copy), req->kind, OPENAI_NODE) ==
           TACIT_OK);
    assert(jscan_bool(&is_stream, jscan_member(second.root, "stream")) && is_stream);
    assert(second.unknown_fields == 0);
    second.wants_continuous_usage = req->wants_continuous_usage;
    second.wants_usage = req->wants_usage;
    second.is_stream = req->is_stream;
    assert(rewrite_for_engine(&again, &second, &opts) == TACIT_OK);
    assert(bytes_eq(buf_bytes(&copy), buf_bytes(&again)));
    buf_done(&copy);
    buf_done(&again);
}

static void check_normal(struct jval root)
{
    struct buf once = buf_make(LIMIT_BODY_BYTES);
    struct buf twice = buf_make(LIMIT_BODY_BYTES);
    struct jval again;

    jnormal_put(&once, root);
    if (!once.failed) {
        assert(jscan_object(&again, buf_bytes(&once)) == TACIT_OK);
        jnormal_put(&twice, again);
        assert(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
    }
    buf_done(&once);
    buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct openai_request req;
    struct openai_error error;

    if (size < 1 || size > 65536)
        return 0;
    if (openai_request_read(&req, &error, bytes_make(data + 1, size - 1),
                            (data[0] & 1) != 0 ? OPENAI_COMPLETION : OPENAI_CHAT,
                            (data[0] & 2) != 0 ? OPENAI_NODE : OPENAI_GATEWAY) == TACIT_OK) {
        check_copy(&req, (data[0] & 4) != 0);
        check_normal(req.root);
    } else {
        assert(error.status >= 400 && error.message[0] != '\0' && req.root.type == JVAL_NONE);
    }
    openai_error_of_engine(&error, 400, bytes_make(data + 1, size - 1));
    assert(error.message[0] != '\0');
    return 0;
}
