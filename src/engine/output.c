/* The engine's output. Invariant: after output_seal no byte of it stays in memory longer than it
 * takes to search one line, and only string literals of ours ever reach the log. */
#include "engine/output_priv.h"

#include <string.h>

#include "base/log.h"

/* Phrases of llama-server and its libraries that tell an operator what happened without quoting
 * anything. They are logged as literals, never the line around them. */
static void log_known(struct bytes line)
{
    if (bytes_find(line, BYTES_LIT("GGML_ASSERT")) != SIZE_MAX)
        log_error("engine_says", L_LIT("what", "assertion failed"));
    else if (bytes_find(line, BYTES_LIT("out of memory")) != SIZE_MAX ||
             bytes_find(line, BYTES_LIT("failed to allocate")) != SIZE_MAX)
        log_error("engine_says", L_LIT("what", "out of memory"));
    else if (bytes_find(line, BYTES_LIT("CUDA error")) != SIZE_MAX)
        log_error("engine_says", L_LIT("what", "GPU error"));
    else if (bytes_find(line, BYTES_LIT("error loading model")) != SIZE_MAX ||
             bytes_find(line, BYTES_LIT("failed to load model")) != SIZE_MAX)
        log_error("engine_says", L_LIT("what", "the model cannot be loaded"));
    else if (bytes_find(line, BYTES_LIT("invalid argument")) != SIZE_MAX)
        log_error("engine_says", L_LIT("what", "it does not know one of our arguments"));
    else if (bytes_find(line, BYTES_LIT("couldn't bind")) != SIZE_MAX)
        log_error("engine_says", L_LIT("what", "it cannot bind its socket"));
}

void output_begin(struct engine_output *o)
{
    explicit_bzero(o->line, sizeof(o->line));
    explicit_bzero(o->kept, sizeof(o->kept));
    o->line_len = 0;
    o->kept_len = 0;
    o->is_sealed = false;
}

void output_seal(struct engine_output *o)
{
    output_begin(o);
    o->is_sealed = true;
}

static void keep(struct engine_output *o, struct bytes text)
{
    size_t over;

    if (text.len > sizeof(o->kept))
        text = bytes_slice(text, text.len - sizeof(o->kept), text.len);
    over = o->kept_len + text.len > sizeof(o->kept) ? o->kept_len + text.len - sizeof(o->kept) : 0;
    memmove(o->kept, o->kept + over, o->kept_len - over);
    o->kept_len -= over;
    memcpy(o->kept + o->kept_len, text.ptr, text.len);
    o->kept_len += text.len;
}

static void end_line(struct engine_output *o)
{
    o->lines++;
    log_known(bytes_make(o->line, o->line_len));
    explicit_bzero(o->line, o->line_len);
    o->line_len = 0;
}

void output_add(struct engine_output *o, struct bytes text)
{
    if (text.len == 0)
        return;
    o->bytes += text.len;
    if (!o->is_sealed)
        keep(o, text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n')
            end_line(o);
        else if (o->line_len < sizeof(o->line))
            o->line[o->line_len++] = text.ptr[i];
    }
}

void output_text(const struct engine_output *o, struct buf *out)
{
    for (size_t i = 0; i < o->kept_len; i++) {
        uint8_t c = o->kept[i];

        buf_putc(out, (c >= 0x20 && c < 0x7f) || c == '\n' ? c : '?');
    }
}
