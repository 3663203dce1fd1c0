/* Counters of the node and their Prometheus text. Labels are literals of ours, never a client's
 * words. Atomics: any thread. */
#ifndef NODE_METRICS_H
#define NODE_METRICS_H

#include <stdatomic.h>

#include "base/buf.h"

enum { METRIC_BUCKETS = 12 };

struct metric_histogram {
    atomic_ullong buckets[METRIC_BUCKETS + 1]; /* not cumulative; the last is +Inf */
    atomic_ullong sum_ms;
};

struct node_metrics {
    atomic_ullong replies[6];   /* by hundreds of the status; [0] unused */
    atomic_ullong completed;    /* replies that were signed */
    atomic_ullong broken;       /* replies that ended in an error after they began */
    atomic_ullong clients_gone; /* clients that left before the end */
    atomic_ullong refused_busy; /* turned away by the admission limit */
    atomic_ullong tokens_in, tokens_out, tokens_cached;
    atomic_ullong reports, reports_failed;
    struct metric_histogram first_chunk, whole_reply;
};

/* What the text shows beside the counters. */
struct node_gauges {
    unsigned outstanding;
    size_t signatures;
    bool is_engine_ready;
    uint64_t engine_starts, engine_crashes;
};

/* Counts one duration. Any thread. Then: all metrics as Prometheus text, appended to `out`. */
void metric_observe(struct metric_histogram *h, uint64_t took_ms);
void node_metrics_put(struct buf *out, struct node_metrics *m, const struct node_gauges *g);

#endif
