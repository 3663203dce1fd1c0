/* What the files of `tacit up` share: one stack on this machine, a simulated platform, nodes with
 * an engine each, a gateway, and the folder where all of it lives. */
#ifndef CLI_UP_PRIV_H
#define CLI_UP_PRIV_H

#include "base/buf.h"
#include "cli/proc.h"
#include "store/store.h"

enum {
    UP_NODES_MAX = 8,
    UP_PATH_MAX = 4096,
    UP_WHY_MAX = 512,
    UP_TOKEN_HEX = 64,
};

struct up {
    /* from options */
    const char *folder_option;
    const char *model_file;
    const char *model_name;
    const char *engine;     /* llama-server; NULL: the cached one */
    const char *engine_url; /* an engine that runs already, instead */
    const char *nodes_option, *gpus_option, *port_option, *grace;
    bool is_quiet;
    /* decided */
    char folder[UP_PATH_MAX]; /* absolute */
    char engine_path[UP_PATH_MAX];
    char model_path[UP_PATH_MAX];
    char model_name_text[128];
    size_t node_count;
    unsigned gpu_count; /* of each node */
    uint16_t gateway_port;
    uint16_t node_ports[UP_NODES_MAX];
    uint8_t gateway_spki[32];
    int lock_fd;
    char key_text[STORE_KEY_TEXT_LEN + 1];
    struct store_key key;
    bool has_key;
    struct proc gateway;
    struct proc nodes[UP_NODES_MAX];
    char gateway_conf[UP_PATH_MAX]; /* paths, for the processes' arguments */
    char node_confs[UP_NODES_MAX][UP_PATH_MAX];
    char why[UP_WHY_MAX]; /* a sentence when something failed */
};

/* FOLDER/name into out; false when it is too long. */
MUST_CHECK bool up_path(const struct up *up, char out[static UP_PATH_MAX], const char *name);

/* up_files.c: everything on disk. Errors are told in up->why.
 *
 * up_find      folder, engine, model and ports, from options or where they usually are
 * up_write     simulated platform, tokens, configuration files
 * up_make_key  an API key in the gateway's store, and in FOLDER/api.key (0600)
 * up_announce  FOLDER/up.json, for other commands; up_forget takes it, and the key, back */
MUST_CHECK bool up_find(struct up *up);
MUST_CHECK bool up_write(struct up *up);
MUST_CHECK bool up_make_key(struct up *up);
MUST_CHECK bool up_announce(struct up *up);
void up_forget(struct up *up);

/* up_run.c: the processes.
 *
 * up_start     nodes, then the gateway; returns when the model is served and the gateway verified
 * up_watch     until a signal asks to stop; restarts what dies
 * up_stop      gateway first, so that running answers can finish */
MUST_CHECK bool up_start(struct up *up);
void up_watch(struct up *up);
void up_stop(struct up *up);

#endif
