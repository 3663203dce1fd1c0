/* dstack event logs: whatever is read replays to registers that prove it, gives its events only
 * then, and is refused with a fault otherwise. */
#include <assert.h>

#include "attest/event_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void proven(struct event_log *log)
{
    struct bytes rtmr[RTMR_COUNT];

    for (size_t i = 0; i < RTMR_COUNT; i++)
        rtmr[i] = bytes_make(log->rtmr[i], RTMR_LEN);
    assert(event_log_system(log, "compose-hash") == NULL);
    assert(event_log_prove(log, rtmr));
    for (size_t i = 0; i < log->runtime_count; i++) {
        const struct event_log_event *e = &log->runtime[i];

        assert(e->name.len > 0 && bytes_find_byte(e->name, ':') == SIZE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(1 << 22);
    struct event_log log;

    if (event_log_read(&log, bytes_make(data, size), &arena) == TACIT_OK)
        proven(&log);
    else
        assert(log.runtime_count == 0 && log.runtime == NULL);
    arena_done(&arena);
    return 0;
}
