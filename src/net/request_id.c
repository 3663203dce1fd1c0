/* Request ids: a client's UUID is kept, anything else it may have sent is not. */
#include "net/request_id.h"

#include <stdio.h>

#include "crypto/uuid.h"

void request_id_text(char out[static REQUEST_ID_LEN + 1], const struct request *req)
{
    struct bytes given = request_header(req, "x-request-id");

    if (given.ptr != NULL && uuid_is_text(given))
        (void)snprintf(out, REQUEST_ID_LEN + 1, "%.*s", BYTES_FMT(given));
    else
        uuid4_from(out, req->id.bytes);
}
