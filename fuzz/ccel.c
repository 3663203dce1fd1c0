/* CCEL tables: whatever is read can be walked, and the walk replays to the same registers. */
#include <assert.h>

#include "attest/ccel.h"
#include "attest/event_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t rtmr[CCEL_RTMRS][48] = {{0}};
    struct reader cursor;
    struct ccel_event e;
    struct ccel log;
    size_t count = 0;

    if (ccel_read(&log, bytes_make(data, size)) != TACIT_OK)
        return 0;
    cursor = reader_over(log.events);
    for (; ccel_next(&e, &cursor, &log); count++)
        if (e.mr_index > 0 && e.type != 3)
            event_log_extend(rtmr[e.mr_index - 1], e.sha384.ptr);
    assert(count == log.event_count);
    assert(memcmp(rtmr, log.rtmr, sizeof(rtmr)) == 0);
    return 0;
}
