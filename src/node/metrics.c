/* The Prometheus text of the node (text format 0.0.4). */
#include "node/metrics.h"

static const unsigned bounds_ms[METRIC_BUCKETS] = {5,   10,   25,   50,    100,   250,
                                                   500, 1000, 2500, 10000, 60000, 300000};

void metric_observe(struct metric_histogram *h, uint64_t took_ms)
{
    size_t i = 0;

    while (i < METRIC_BUCKETS && took_ms > bounds_ms[i])
        i++;
    atomic_fetch_add(&h->buckets[i], 1);
    atomic_fetch_add(&h->sum_ms, took_ms);
}

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_putf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_counter(struct buf *out, const char *name, const char *help, unsigned long long v)
{
    put_head(out, name, "counter", help);
    buf_putf(out, "%s %llu\n", name, v);
}

static void put_gauge(struct buf *out, const char *name, const char *help, unsigned long long v)
{
    put_head(out, name, "gauge", help);
    buf_putf(out, "%s %llu\n", name, v);
}

static void put_histogram(struct buf *out, const char *name, const char *help,
                          struct metric_histogram *h)
{
    unsigned long long total = 0;

    put_head(out, name, "histogram", help);
    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        total += atomic_load(&h->buckets[i]);
        buf_putf(out, "%s_bucket{le=\"%u.%03u\"} %llu\n", name, bounds_ms[i] / 1000,
                 bounds_ms[i] % 1000, total);
    }
    total += atomic_load(&h->buckets[METRIC_BUCKETS]);
    buf_putf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, total);
    buf_putf(out, "%s_sum %llu.%03llu\n", name, atomic_load(&h->sum_ms) / 1000,
             atomic_load(&h->sum_ms) % 1000);
    buf_putf(out, "%s_count %llu\n", name, total);
}

static void put_replies(struct buf *out, struct node_metrics *m)
{
    put_head(out, "tacit_node_replies_total", "counter", "Replies by class of status.");
    for (unsigned i = 1; i < 6; i++)
        buf_putf(out, "tacit_node_replies_total{status=\"%uxx\"} %llu\n", i,
                 atomic_load(&m->replies[i]));
}

void node_metrics_put(struct buf *out, struct node_metrics *m, const struct node_gauges *g)
{
    put_replies(out, m);
    put_counter(out, "tacit_node_completed_total", "Replies sent whole and signed.",
                atomic_load(&m->completed));
    put_counter(out, "tacit_node_broken_total", "Replies that ended in an error after they began.",
                atomic_load(&m->broken));
    put_counter(out, "tacit_node_clients_gone_total", "Clients that left before the end.",
                atomic_load(&m->clients_gone));
    put_counter(out, "tacit_node_refused_busy_total", "Requests turned away as one too many.",
                atomic_load(&m->refused_busy));
    put_counter(out, "tacit_node_prompt_tokens_total", "Prompt tokens.",
                atomic_load(&m->tokens_in));
    put_counter(out, "tacit_node_completion_tokens_total", "Completion tokens.",
                atomic_load(&m->tokens_out));
    put_counter(out, "tacit_node_cached_tokens_total", "Prompt tokens read from a cache.",
                atomic_load(&m->tokens_cached));
    put_counter(out, "tacit_node_reports_total", "Attestation reports served.",
                atomic_load(&m->reports));
    put_counter(out, "tacit_node_reports_failed_total", "Attestation reports that failed.",
                atomic_load(&m->reports_failed));
    put_gauge(out, "tacit_node_outstanding", "Requests admitted and not yet answered.",
              g->outstanding);
    put_gauge(out, "tacit_node_signatures", "Signatures kept for collection.", g->signatures);
    put_gauge(out, "tacit_node_engine_ready", "1 if the engine takes requests.",
              g->is_engine_ready ? 1 : 0);
    put_counter(out, "tacit_node_engine_starts_total", "Engine processes started.",
                g->engine_starts);
    put_counter(out, "tacit_node_engine_crashes_total", "Engine processes that died.",
                g->engine_crashes);
    put_histogram(out, "tacit_node_first_chunk_seconds", "From request to the first chunk.",
                  &m->first_chunk);
    put_histogram(out, "tacit_node_reply_seconds", "From request to the end of the reply.",
                  &m->whole_reply);
}
