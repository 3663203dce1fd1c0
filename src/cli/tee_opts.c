/* The choice of an environment by its name. */
#include "cli/tee_opts.h"

#include <string.h>

bool tee_choice_read(struct tee_opts *out, const struct tee_choice *choice, const char *command)
{
    static const struct {
        const char *name;
        enum tee_kind kind;
    } kinds[] = {{"auto", TEE_AUTO},
                 {"dstack", TEE_DSTACK},
                 {"configfs", TEE_CONFIGFS_TSM},
                 {"qgs", TEE_TDX_QGS},
                 {"simulator", TEE_SIMULATOR}};

    *out = (struct tee_opts){.kind = TEE_AUTO, .path = choice->path, .workload = "cli"};
    if (choice->kind == NULL)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(choice->kind, kinds[i].name) == 0) {
            out->kind = kinds[i].kind;
            return true;
        }
    (void)cli_fail(command, "there is no TEE '%s': auto, dstack, configfs, qgs, simulator",
                   choice->kind);
    return false;
}
