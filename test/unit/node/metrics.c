/* The Prometheus text: every line is a comment or "name value", and histograms add up. */
#include "node/metrics.h"

#include "cmocka_all.h"

static bool has_line(struct bytes text, const char *line)
{
    return bytes_find(text, bytes_of(line)) != SIZE_MAX;
}

static void counts_and_cumulates(void **state)
{
    struct node_metrics m = {0};
    struct node_gauges g = {.outstanding = 3, .signatures = 4, .is_engine_ready = true};
    struct buf text = buf_make(1 << 16);

    UNUSED(state);
    atomic_fetch_add(&m.replies[2], 7);
    metric_observe(&m.first_chunk, 5);
    metric_observe(&m.first_chunk, 6);
    metric_observe(&m.first_chunk, 1000000);
    node_metrics_put(&text, &m, &g);
    assert_false(text.failed);
    assert_true(has_line(buf_bytes(&text), "\ntacit_node_replies_total{status=\"2xx\"} 7\n"));
    assert_true(has_line(buf_bytes(&text), "\ntacit_node_outstanding 3\n"));
    assert_true(has_line(buf_bytes(&text), "first_chunk_seconds_bucket{le=\"0.005\"} 1\n"));
    assert_true(has_line(buf_bytes(&text), "first_chunk_seconds_bucket{le=\"0.010\"} 2\n"));
    assert_true(has_line(buf_bytes(&text), "first_chunk_seconds_bucket{le=\"300.000\"} 2\n"));
    assert_true(has_line(buf_bytes(&text), "first_chunk_seconds_bucket{le=\"+Inf\"} 3\n"));
    assert_true(has_line(buf_bytes(&text), "first_chunk_seconds_sum 1000.011\n"));
    assert_true(has_line(buf_bytes(&text), "first_chunk_seconds_count 3\n"));
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_cumulates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
