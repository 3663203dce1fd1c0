/* tacit-vectors [--tap] DIR…: runs every suite over every folder below each DIR that it recognises,
 * prints mismatches, and ends with "N passed, N failed". Exit status 0 only if something passed and
 * nothing failed; a DIR that is missing is skipped aloud. */
#include "vectors.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { PATH_LEN = 4096, DEPTH_MAX = 3, FILE_MAX = 64 * 1024 * 1024 };

static const struct suite *const suites[] = {
    &suite_eventlog, &suite_gpu, &suite_snp, &suite_tdx, &suite_tdx_parse,
};

void vector_report(struct vectors *v, const char *id, bool is_ok, const char *detail, ...)
{
    va_list args;

    if (is_ok)
        v->passed++;
    else
        v->failed++;
    if (v->is_tap)
        printf("%s %zu - %s %s\n", is_ok ? "ok" : "not ok", v->passed + v->failed, v->suite, id);
    if (is_ok)
        return;
    printf("%s%s %s: ", v->is_tap ? "# " : "", v->suite, id);
    va_start(args, detail);
    vprintf(detail, args);
    va_end(args);
    putchar('\n');
}

bool vector_load(struct buf *out, const char *dir, const char *name)
{
    char path[PATH_LEN];

    buf_reset(out);
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
        return false;
    return file_read(out, path) == TACIT_OK;
}

bool vector_has(const char *dir, const char *name)
{
    char path[PATH_LEN];

    return (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path) &&
           file_exists(path);
}

bool manifest_begins(const char *dir, const char *file, const char *text)
{
    struct buf b = buf_make(FILE_MAX);
    bool does = vector_load(&b, dir, file) && bytes_starts_with(buf_bytes(&b), bytes_of(text));

    buf_done(&b);
    return does;
}

static struct bytes cut(struct bytes *rest, uint8_t at)
{
    size_t end = bytes_find_byte(*rest, at);
    struct bytes out = bytes_slice(*rest, 0, end);

    *rest = bytes_slice(*rest, end == SIZE_MAX ? end : end + 1, SIZE_MAX);
    return out;
}

bool tsv_next(struct tsv *t, struct bytes *fields, size_t cap, size_t *count)
{
    struct bytes line = {NULL, 0};

    while (t->rest.len > 0 && (line.len == 0 || line.ptr[0] == '#'))
        line = cut(&t->rest, '\n');
    *count = 0;
    if (line.len == 0 || line.ptr[0] == '#')
        return false;
    while (*count < cap && line.ptr != NULL) {
        bool is_last = bytes_find_byte(line, '\t') == SIZE_MAX;

        fields[(*count)++] = cut(&line, '\t');
        if (is_last)
            break;
    }
    return true;
}

bool tsv_str(char *out, size_t size, struct bytes field)
{
    if (field.len >= size)
        return false;
    if (field.len > 0)
        memcpy(out, field.ptr, field.len);
    out[field.len] = 0;
    return true;
}

/* A file that is taken for a folder (its type is not always told) holds no manifest. */
static bool may_be_folder(const struct dirent *e)
{
    return e->d_type != DT_REG && e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void folder_run(struct vectors *v, const char *dir, unsigned depth)
{
    struct dirent **list = NULL;
    char path[PATH_LEN];
    int count;

    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        if (!suites[i]->applies(dir))
            continue;
        v->suite = suites[i]->name;
        suites[i]->run(v, dir);
    }
    count = depth == 0 ? 0 : scandir(dir, &list, NULL, by_name);
    for (int i = 0; i < count; i++) {
        if (may_be_folder(list[i]) &&
            (size_t)snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name) < sizeof(path))
            folder_run(v, path, depth - 1);
        free(list[i]);
    }
    free(list);
}

static void usage(void)
{
    fprintf(stderr, "usage: tacit-vectors [--tap] DIR...\n");
}

int main(int argc, char **argv)
{
    struct vectors v = {0};
    int first = 1;

    if (argc > 1 && strcmp(argv[1], "--tap") == 0) {
        v.is_tap = true;
        first = 2;
    }
    if (first >= argc) {
        usage();
        return 2;
    }
    for (int i = first; i < argc; i++) {
        size_t before = v.passed + v.failed;

        if (!file_exists(argv[i])) {
            printf("%s%s is not there: skipped\n", v.is_tap ? "# " : "", argv[i]);
            continue;
        }
        folder_run(&v, argv[i], DEPTH_MAX);
        if (v.passed + v.failed == before)
            printf("%s%s: no manifest of a known format in it\n", v.is_tap ? "# " : "", argv[i]);
    }
    if (v.is_tap && v.passed + v.failed == 0)
        printf("1..0 # SKIP no vectors found\n");
    else if (v.is_tap)
        printf("1..%zu\n", v.passed + v.failed);
    else
        printf("%zu passed, %zu failed\n", v.passed, v.failed);
    return v.failed > 0 || (!v.is_tap && v.passed == 0);
}
