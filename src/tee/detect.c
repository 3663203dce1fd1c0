/* Finding the environment: the agent first, since it also has keys and the log; then the kernel's
 * own interfaces. Never the simulator: that one must be asked for by name. */
#include <stdio.h>
#include <string.h>

#include "tee/tee_priv.h"

typedef enum tacit_err open_fn(struct tee *tee, const struct tee_opts *opts, char *why);

enum tacit_err tee_detect(struct tee *tee, const struct tee_opts *opts,
                          char why[static TEE_WHY_LEN])
{
    static open_fn *const order[] = {tee_dstack_open, tee_configfs_open, tee_qgs_open};
    struct tee_opts usual = *opts;
    char all[TEE_WHY_LEN] = "no TEE here: ";
    char one[TEE_WHY_LEN];

    usual.path = NULL;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        enum tacit_err err = order[i](tee, &usual, one);
        size_t len = strlen(all);

        if (err == TACIT_OK) {
            why[0] = 0;
            return TACIT_OK;
        }
        if (err != TACIT_NOT_FOUND) {
            memcpy(why, one, TEE_WHY_LEN);
            return err;
        }
        snprintf(all + len, sizeof(all) - len, "%s%.80s", i == 0 ? "" : "; ", one);
    }
    memcpy(why, all, TEE_WHY_LEN);
    return TACIT_NOT_FOUND;
}
