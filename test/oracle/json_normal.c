/* For json.mjs: reads one JSON text a line, writes its normal form a line ("!" when refused). */
#include <stdio.h>
#include <stdlib.h>

#include "codec/jnormal.h"

static void answer(struct buf *out, struct bytes line)
{
    struct jval v;

    buf_reset(out);
    if (jscan_validate(&v, NULL, line) == TACIT_OK)
        jnormal_put(out, v);
    if (out->failed || out->len == 0) {
        buf_reset(out);
        buf_putc(out, '!');
    }
    buf_putc(out, '\n');
}

int main(void)
{
    struct buf out = buf_make(1 << 24);
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int status = 0;

    while (status == 0 && (len = getline(&line, &cap, stdin)) > 0) {
        answer(&out, bytes_trim(bytes_make(line, (size_t)len)));
        if (fwrite(out.ptr, 1, out.len, stdout) != out.len)
            status = 1;
    }
    free(line);
    buf_done(&out);
    return status;
}
