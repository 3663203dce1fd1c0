/* Supervision, with a mock engine that dies and misbehaves on demand, and with the real one where
 * it is installed. */
#include "engine/engine.h"

#include <glob.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/sha2.h"
#include "engine/output_priv.h"
#include "engine/probe_priv.h"
#include "fakes/child.h"

#include "cmocka_all.h"

#define MOCK TEST_SOURCE_DIR "/fakes/mock_engine.py"

struct fixture {
    char dir[64];
    char socket_path[96];
    char model[96];
    char bad_model[96];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/tacit-engine-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->socket_path, sizeof(f->socket_path), "%s/engine.sock", f->dir);
    (void)snprintf(f->model, sizeof(f->model), "%s/model.gguf", f->dir);
    (void)snprintf(f->bad_model, sizeof(f->bad_model), "%s/boot-fails.gguf", f->dir);
    assert_int_equal(file_write(f->model, BYTES_LIT("weights"), 0600), TACIT_OK);
    assert_int_equal(file_write(f->bad_model, BYTES_LIT("weights"), 0600), TACIT_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char *const argv[] = {"rm", "-rf", f->dir, NULL};

    (void)child_run(argv);
    free(f);
    return 0;
}

static struct engine_opts opts_for(const struct fixture *f)
{
    return (struct engine_opts){.binary = MOCK,
                                .model_path = f->model,
                                .alias = "mock-model",
                                .socket_path = f->socket_path,
                                .stop_timeout_ms = 2000,
                                .backoff_min_ms = 50};
}

static bool await_state(struct engine *e, enum engine_state wanted, uint64_t limit_ms)
{
    uint64_t start_ms = clock_mono_ms();

    while (engine_state_now(e) != wanted && clock_mono_ms() - start_ms < limit_ms)
        usleep(10 * 1000);
    return engine_state_now(e) == wanted;
}

static bool await_starts(struct engine *e, uint64_t wanted, uint64_t limit_ms)
{
    uint64_t start_ms = clock_mono_ms();

    while (engine_stats_now(e).starts < wanted && clock_mono_ms() - start_ms < limit_ms)
        usleep(10 * 1000);
    return engine_stats_now(e).starts >= wanted;
}

/* Asks the mock to die in the middle of an answer. */
static void crash(const struct fixture *f)
{
    char *const argv[] = {"curl",
                          "-s",
                          "--max-time",
                          "5",
                          "--unix-socket",
                          (char *)(uintptr_t)f->socket_path,
                          "-d",
                          "{\"prompt\":\"mock:crash 1 CANARY\"}",
                          "http://localhost/v1/completions",
                          NULL};

    (void)child_run(argv);
}

static void becomes_ready_and_stops_leaving_nothing(void **state)
{
    struct fixture *f = *state;
    struct engine_opts opts = opts_for(f);
    struct engine *e;
    struct buf text = buf_make(65536);
    char why[256];

    assert_int_equal(engine_start(&e, &opts, why), TACIT_OK);
    assert_true(await_state(e, ENGINE_READY, 20000));
    engine_startup_text(e, &text);
    assert_int_equal(text.len, 0);
    assert_int_equal(engine_stats_now(e).starts, 1);
    assert_true(engine_stats_now(e).output_lines >= 1);
    engine_stop(e);
    assert_false(file_exists(f->socket_path));
    buf_done(&text);
}

static void starts_again_after_a_crash(void **state)
{
    struct fixture *f = *state;
    struct engine_opts opts = opts_for(f);
    struct engine *e;
    char why[256];

    assert_int_equal(engine_start(&e, &opts, why), TACIT_OK);
    assert_true(await_state(e, ENGINE_READY, 20000));
    crash(f);
    assert_true(await_starts(e, 2, 5000));
    assert_true(await_state(e, ENGINE_READY, 20000));
    assert_int_equal(engine_stats_now(e).crashes, 1);
    engine_stop(e);
}

static void keeps_the_text_of_a_start_that_fails(void **state)
{
    struct fixture *f = *state;
    struct engine_opts opts = opts_for(f);
    struct engine *e;
    struct buf text = buf_make(65536);
    char why[256];

    opts.model_path = f->bad_model;
    opts.backoff_min_ms = 10000;
    assert_int_equal(engine_start(&e, &opts, why), TACIT_OK);
    assert_true(await_state(e, ENGINE_WAITING, 10000));
    engine_startup_text(e, &text);
    assert_true(bytes_find(buf_bytes(&text), BYTES_LIT("error loading model")) != SIZE_MAX);
    for (size_t i = 0; i < text.len; i++)
        assert_true(text.ptr[i] == '\n' || (text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f));
    buf_done(&text);
    engine_stop(e);
}

static void waits_longer_after_each_crash(void **state)
{
    struct fixture *f = *state;
    struct engine_opts opts = opts_for(f);
    struct engine *e;
    uint64_t start_ms = clock_mono_ms();
    char why[256];

    opts.model_path = f->bad_model;
    opts.backoff_min_ms = 200;
    opts.backoff_max_ms = 400;
    assert_int_equal(engine_start(&e, &opts, why), TACIT_OK);
    assert_true(await_starts(e, 4, 20000));
    assert_true(clock_mono_ms() - start_ms >= 200 + 400 + 400);
    engine_stop(e);
}

static void prompts_printed_by_the_engine_reach_no_log(void **state)
{
    struct fixture *f = *state;
    struct engine_opts opts = opts_for(f);
    struct buf logged = buf_make(1 << 20);
    char path[96], why[256];
    struct engine *e;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/log", f->dir);
    file = fopen(path, "w");
    assert_non_null(file);
    log_set_fd(fileno(file));
    log_set_level(LOG_DEBUG);
    assert_int_equal(engine_start(&e, &opts, why), TACIT_OK);
    assert_true(await_state(e, ENGINE_READY, 20000));
    crash(f);
    assert_true(await_starts(e, 2, 5000));
    engine_stop(e);
    log_set_fd(STDERR_FILENO);
    log_set_level(LOG_INFO);
    (void)fclose(file);
    assert_int_equal(file_read(&logged, path), TACIT_OK);
    assert_true(bytes_find(buf_bytes(&logged), BYTES_LIT("engine_ended")) != SIZE_MAX);
    assert_true(bytes_find(buf_bytes(&logged), BYTES_LIT("CANARY")) == SIZE_MAX);
    buf_done(&logged);
}

static void a_sealed_output_keeps_nothing(void **state)
{
    struct engine_output *o = calloc(1, sizeof(*o));
    struct buf text = buf_make(1 << 16);

    UNUSED(state);
    assert_non_null(o);
    output_begin(o);
    for (int i = 0; i < 3000; i++)
        output_add(o, BYTES_LIT("loading weights\n"));
    output_text(o, &text);
    assert_int_equal(text.len, OUTPUT_KEPT_MAX);
    output_seal(o);
    output_add(o, BYTES_LIT("a prompt of somebody, without a line end"));
    buf_reset(&text);
    output_text(o, &text);
    assert_int_equal(text.len, 0);
    output_add(o, BYTES_LIT("\n"));
    assert_true(bytes_is_zero(bytes_make(o->line, sizeof(o->line))));
    assert_true(bytes_is_zero(bytes_make(o->kept, sizeof(o->kept))));
    assert_int_equal(o->lines, 3001);
    buf_done(&text);
    free(o);
}

static void says_what_is_wrong_with_its_files(void **state)
{
    struct fixture *f = *state;
    struct engine_opts opts = opts_for(f);
    struct engine *e;
    char why[256];

    opts.binary = "/nonexistent/llama-server";
    assert_int_equal(engine_start(&e, &opts, why), TACIT_CONFIG);
    assert_non_null(strstr(why, "/nonexistent/llama-server"));
    opts = opts_for(f);
    opts.model_path = "/nonexistent/model.gguf";
    assert_int_equal(engine_start(&e, &opts, why), TACIT_CONFIG);
    assert_non_null(strstr(why, "/nonexistent/model.gguf"));
    opts = opts_for(f);
    opts.socket_path = "relative.sock";
    assert_int_equal(engine_start(&e, &opts, why), TACIT_CONFIG);
    assert_null(e);
}

static void digests_a_file_whole(void **state)
{
    struct fixture *f = *state;
    uint8_t digest[32], again[32];

    assert_int_equal(engine_file_digest(digest, f->model), TACIT_OK);
    assert_int_equal(engine_file_digest(again, f->bad_model), TACIT_OK);
    assert_memory_equal(digest, again, 32);
    sha256(again, BYTES_LIT("weights"));
    assert_memory_equal(digest, again, 32);
    assert_int_equal(engine_file_digest(digest, "/nonexistent"), TACIT_NOT_FOUND);
    assert_true(bytes_is_zero(BYTES_ARRAY(digest)));
}

/* The engine that tools/engine.sh installs, or skip(). */
static void find_real_engine(char *out, size_t cap)
{
    const char *cache = getenv("TACIT_CACHE");
    const char *home = getenv("HOME");
    char pattern[512];
    glob_t found = {0};

    if (cache != NULL)
        (void)snprintf(pattern, sizeof(pattern), "%s/engine/*/llama-server", cache);
    else
        (void)snprintf(pattern, sizeof(pattern), "%s/.cache/tacit/engine/*/llama-server",
                       home == NULL ? "" : home);
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc == 0) {
        globfree(&found);
        print_message("llama-server is not installed (tools/engine.sh installs it)\n");
        skip();
    }
    (void)snprintf(out, cap, "%s", found.gl_pathv[0]);
    globfree(&found);
}

static void the_real_engine_becomes_ready_and_is_restarted_when_killed(void **state)
{
    struct fixture *f = *state;
    struct engine_opts opts = opts_for(f);
    struct engine *e;
    char binary[512], why[256];

    find_real_engine(binary, sizeof(binary));
    opts.binary = binary;
    opts.model_path = TEST_SOURCE_DIR "/../share/models/pebble-q8_0.gguf";
    if (!file_exists(opts.model_path)) {
        print_message("the demo model is not in share/models\n");
        skip();
    }
    assert_int_equal(engine_start(&e, &opts, why), TACIT_OK);
    assert_true(await_state(e, ENGINE_READY, 60000));
    assert_int_equal(kill((pid_t)engine_stats_now(e).pid, SIGKILL), 0);
    assert_true(await_starts(e, 2, 5000));
    assert_true(await_state(e, ENGINE_READY, 60000));
    engine_stop(e);
    assert_false(file_exists(f->socket_path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(becomes_ready_and_stops_leaving_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_again_after_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_the_text_of_a_start_that_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_longer_after_each_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(prompts_printed_by_the_engine_reach_no_log, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_sealed_output_keeps_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_with_its_files, setup, teardown),
        cmocka_unit_test_setup_teardown(digests_a_file_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(the_real_engine_becomes_ready_and_is_restarted_when_killed,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
