/* One interface over all providers: opens the one that is asked for, holds the lock while it works,
 * checks arguments, and answers TACIT_UNSUPPORTED for what an environment cannot do. */
#include <stdio.h>
#include <stdlib.h>

#include "tee/tee_priv.h"

static enum tacit_err provider_open(struct tee *tee, const struct tee_opts *opts,
                                    char why[static TEE_WHY_LEN])
{
    switch (opts->kind) {
    case TEE_AUTO:
        return tee_detect(tee, opts, why);
    case TEE_CONFIGFS_TSM:
        return tee_configfs_open(tee, opts, why);
    case TEE_TDX_QGS:
        return tee_qgs_open(tee, opts, why);
    case TEE_DSTACK:
        return tee_dstack_open(tee, opts, why);
    case TEE_SIMULATOR:
        return tee_sim_open(tee, opts, why);
    }
    snprintf(why, TEE_WHY_LEN, "there is no such kind of environment");
    return TACIT_USAGE;
}

enum tacit_err tee_open(struct tee **out, const struct tee_opts *opts, char why[static 256])
{
    struct tee *tee = calloc(1, sizeof(*tee));
    enum tacit_err err = TACIT_NOMEM;

    *out = NULL;
    why[0] = 0;
    if (tee == NULL)
        return TACIT_NOMEM;
    if (pthread_mutex_init(&tee->lock, NULL) != 0)
        goto no_lock;
    err = provider_open(tee, opts, why);
    if (err != TACIT_OK)
        goto no_provider;
    *out = tee;
    return TACIT_OK;

no_provider:
    pthread_mutex_destroy(&tee->lock);
no_lock:
    free(tee);
    return err;
}

void tee_close(struct tee *tee)
{
    if (tee == NULL)
        return;
    tee->ops->close(tee->self);
    pthread_mutex_destroy(&tee->lock);
    free(tee);
}

const char *tee_name(const struct tee *tee)
{
    return tee->name;
}

bool tee_is_simulated(const struct tee *tee)
{
    return tee->is_simulated;
}

enum tacit_err tee_quote(struct tee *tee, struct buf *quote, const uint8_t report_data[static 64])
{
    enum tacit_err err;

    pthread_mutex_lock(&tee->lock);
    err = tee->ops->quote(tee->self, quote, report_data);
    pthread_mutex_unlock(&tee->lock);
    return err;
}

enum tacit_err tee_event(struct tee *tee, const char *event, struct bytes payload)
{
    enum tacit_err err;

    if (event == NULL || event[0] == 0 || strchr(event, ':') != NULL)
        return TACIT_USAGE;
    if (tee->ops->event == NULL)
        return TACIT_UNSUPPORTED;
    pthread_mutex_lock(&tee->lock);
    err = tee->ops->event(tee->self, event, payload);
    pthread_mutex_unlock(&tee->lock);
    return err;
}

enum tacit_err tee_event_log(struct tee *tee, struct buf *json)
{
    enum tacit_err err;

    if (tee->ops->event_log == NULL)
        return TACIT_UNSUPPORTED;
    pthread_mutex_lock(&tee->lock);
    err = tee->ops->event_log(tee->self, json);
    pthread_mutex_unlock(&tee->lock);
    return err;
}

enum tacit_err tee_info(struct tee *tee, struct buf *json)
{
    enum tacit_err err;

    if (tee->ops->info == NULL)
        return TACIT_UNSUPPORTED;
    pthread_mutex_lock(&tee->lock);
    err = tee->ops->info(tee->self, json);
    pthread_mutex_unlock(&tee->lock);
    return err;
}

enum tacit_err tee_key(struct tee *tee, uint8_t out[static 32], const char *path,
                       const char *purpose)
{
    enum tacit_err err = TACIT_UNSUPPORTED;

    if (tee->ops->key != NULL) {
        pthread_mutex_lock(&tee->lock);
        err = tee->ops->key(tee->self, out, path, purpose);
        pthread_mutex_unlock(&tee->lock);
    }
    if (err != TACIT_OK)
        explicit_bzero(out, 32);
    return err;
}
