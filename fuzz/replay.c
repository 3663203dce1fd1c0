/* Replays a fuzz target without a fuzzer, as a test: every file in the given folders as it is, then
 * its prefixes, bit flips, doubled and dropped bytes, all chosen without chance, so that a failure
 * comes back on the next run. What is checked is what the target itself checks, and the sanitizers.
 * Folders that are absent are skipped. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FILE_LIMIT = 1 << 20,
    RUNS_PER_FILE = 600, /* of each kind of mutation */
    RUNS_TOTAL = 60000,  /* keeps a target under a minute with sanitizers */
    DEPTH_LIMIT = 4,
};

struct tally {
    size_t files;
    size_t runs;
};

/* An exact-size heap copy, so that the address sanitizer sees a read past the end. */
static void run_copy(struct tally *t, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL || t->runs >= RUNS_TOTAL) {
        free(copy);
        return;
    }
    if (size > 0)
        memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    t->runs++;
}

static size_t stride(size_t count)
{
    return count > RUNS_PER_FILE ? count / RUNS_PER_FILE + 1 : 1;
}

static void run_mutations(struct tally *t, uint8_t *data, size_t size)
{
    for (size_t n = 0; n < size; n += stride(size))
        run_copy(t, data, n);
    for (size_t bit = 0; bit < size * 8; bit += stride(size * 8)) {
        data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        run_copy(t, data, size);
        data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    uint8_t *other = malloc(size + 1);
    if (other == NULL)
        return;
    for (size_t at = 0; at < size; at += stride(size)) {
        memcpy(other, data, at + 1);
        memcpy(other + at + 1, data + at, size - at); /* byte `at` twice */
        run_copy(t, other, size + 1);
        memcpy(other + at, data + at + 1, size - at - 1); /* byte `at` gone */
        run_copy(t, other, size - 1);
    }
    free(other);
}

static void run_file(struct tally *t, const char *path, size_t size)
{
    uint8_t *data = malloc(size > 0 ? size : 1);
    FILE *f = fopen(path, "rb");

    if (data != NULL && f != NULL && fread(data, 1, size, f) == size) {
        run_copy(t, data, size);
        run_mutations(t, data, size);
        t->files++;
    }
    if (f != NULL)
        (void)fclose(f);
    free(data);
}

static void run_folder(struct tally *t, const char *path, unsigned depth)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char child[4096];
        struct stat st;
        int len = snprintf(child, sizeof child, "%s/%s", path, names[i]->d_name);

        if (names[i]->d_name[0] != '.' && len > 0 && (size_t)len < sizeof child &&
            stat(child, &st) == 0) {
            if (S_ISDIR(st.st_mode) && depth < DEPTH_LIMIT)
                run_folder(t, child, depth + 1);
            else if (S_ISREG(st.st_mode) && st.st_size <= FILE_LIMIT)
                run_file(t, child, (size_t)st.st_size);
        }
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    struct tally t = {0};

    printf("1..1\n");
    (void)fflush(stdout);
    run_copy(&t, NULL, 0);
    for (int i = 1; i < argc; i++)
        run_folder(&t, argv[i], 0);
    if (t.files == 0)
        printf("not ok 1 - there is nothing to replay in %s\n", argc > 1 ? argv[1] : "(no folder)");
    else
        printf("ok 1 - survives %zu inputs made from %zu files\n", t.runs, t.files);
    return t.files > 0 ? 0 : 1;
}
