/* `tacit keys`. */
#ifndef CLI_CMD_KEYS_H
#define CLI_CMD_KEYS_H

/* argv[0] is "keys"; returns the exit code. */
int cmd_keys_main(int argc, char **argv);

#endif
