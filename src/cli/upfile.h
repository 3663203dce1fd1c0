/* What a running `tacit up` tells other commands: a file up.json in its folder. */
#ifndef CLI_UPFILE_H
#define CLI_UPFILE_H

#include "base/arena.h"
#include "base/err.h"

/* Texts live in the arena. NULL: not said. */
struct upfile {
    const char *url;
    const char *api_key; /* read from the file that up.json names; erase with the arena */
    const char *model;
    const char *trust_root;
    const char *collateral;
    const char *gpu_root; /* NULL: the nodes have no GPUs */
    const char *gpu_rim_root;
    const char *gpu_rims; /* folder */
};

/* The folder of `tacit up` when none is named: $XDG_STATE_HOME/tacit or ~/.local/state/tacit.
 * TACIT_NOT_FOUND without a home. */
MUST_CHECK enum tacit_err upfile_default_folder(char *out, size_t size);
/* Reads FOLDER/up.json. TACIT_NOT_FOUND when nothing is up; TACIT_FORMAT. */
MUST_CHECK enum tacit_err upfile_read(struct upfile *out, struct arena *arena, const char *folder);

#endif
