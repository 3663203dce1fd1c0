/* Reading up.json: see upfile.h. */
#include "cli/upfile.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "codec/jscan.h"

enum { UPFILE_LIMIT = 64 * 1024, KEY_LIMIT = 512, PATH_LEN = 4096 };

enum tacit_err upfile_default_folder(char *out, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int len = -1;

    if (state != NULL && state[0] == '/')
        len = snprintf(out, size, "%s/tacit", state);
    else if (home != NULL && home[0] == '/')
        len = snprintf(out, size, "%s/.local/state/tacit", home);
    return len > 0 && (size_t)len < size ? TACIT_OK : TACIT_NOT_FOUND;
}

static const char *text_of(struct arena *arena, struct jval root, const char *name)
{
    return (const char *)jscan_str_dup(arena, jscan_member(root, name)).ptr;
}

static enum tacit_err read_key(struct upfile *out, struct arena *arena, const char *path)
{
    struct buf key = buf_make_secret(KEY_LIMIT);
    enum tacit_err err = file_read(&key, path);

    if (err == TACIT_OK)
        out->api_key = arena_str(arena, bytes_trim(buf_bytes(&key)));
    buf_done(&key);
    return err;
}

enum tacit_err upfile_read(struct upfile *out, struct arena *arena, const char *folder)
{
    char path[PATH_LEN];
    struct buf file = buf_make(UPFILE_LIMIT);
    struct jval root;
    enum tacit_err err = TACIT_LIMIT;
    const char *key_path;

    *out = (struct upfile){0};
    if (snprintf(path, sizeof path, "%s/up.json", folder) >= (int)sizeof path)
        goto out;
    err = file_read(&file, path);
    if (err == TACIT_OK)
        err = jscan_object(&root, buf_bytes(&file));
    if (err != TACIT_OK)
        goto out;
    out->url = text_of(arena, root, "url");
    out->model = text_of(arena, root, "model");
    out->trust_root = text_of(arena, root, "trust_root");
    out->collateral = text_of(arena, root, "collateral");
    out->gpu_root = text_of(arena, root, "gpu_root");
    out->gpu_rim_root = text_of(arena, root, "gpu_rim_root");
    out->gpu_rims = text_of(arena, root, "gpu_rims");
    key_path = text_of(arena, root, "api_key_file");
    if (out->url == NULL)
        err = TACIT_FORMAT;
    else if (key_path != NULL)
        err = read_key(out, arena, key_path);
out:
    buf_done(&file);
    return err;
}
