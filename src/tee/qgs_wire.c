/* Messages of the quote generation service. */
#include "base/reader.h"
#include "tee/qgs_priv.h"

enum { HEADER_LEN = 16, TYPE_GET_QUOTE = 0, TYPE_RESPONSE = 1, VERSION_MAJOR = 1 };

void qgs_request_put(struct buf *out, struct bytes tdreport)
{
    uint32_t size = HEADER_LEN + 8 + (uint32_t)tdreport.len;

    buf_u32be(out, size);
    buf_u16le(out, VERSION_MAJOR);
    buf_u16le(out, 0);
    buf_u32le(out, TYPE_GET_QUOTE);
    buf_u32le(out, size);
    buf_u32le(out, 0);
    buf_u32le(out, (uint32_t)tdreport.len);
    buf_u32le(out, 0);
    buf_put(out, tdreport);
}

enum tacit_err qgs_response_read(struct bytes *quote, uint32_t *error, struct bytes message)
{
    struct reader r = reader_over(message);
    uint16_t major = read_u16le(&r);
    uint32_t type, size, id_len, quote_len;

    *quote = (struct bytes){NULL, 0};
    read_u16le(&r);
    type = read_u32le(&r);
    size = read_u32le(&r);
    *error = read_u32le(&r);
    if (!reader_ok(&r) || major != VERSION_MAJOR || type != TYPE_RESPONSE || size != message.len)
        return TACIT_FORMAT;
    if (*error != 0)
        return TACIT_IO;
    id_len = read_u32le(&r);
    quote_len = read_u32le(&r);
    read_bytes(&r, id_len);
    *quote = read_bytes(&r, quote_len);
    if (reader_finished(&r) && quote->len > 0)
        return TACIT_OK;
    *quote = (struct bytes){NULL, 0};
    return TACIT_FORMAT;
}

uint32_t qgs_port(struct bytes config)
{
    while (config.len > 0) {
        size_t end = bytes_find_byte(config, '\n');
        struct bytes line = bytes_trim(bytes_slice(config, 0, end));
        uint64_t port;

        if (bytes_starts_with(line, BYTES_LIT("port="))) {
            line = bytes_trim(bytes_slice(line, 5, SIZE_MAX));
            return bytes_to_u64(&port, line, UINT32_MAX) && port > 0 ? (uint32_t)port
                                                                     : QGS_PORT_DEFAULT;
        }
        config = bytes_slice(config, end == SIZE_MAX ? end : end + 1, SIZE_MAX);
    }
    return QGS_PORT_DEFAULT;
}
