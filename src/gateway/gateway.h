/* `tacit gateway`: the process that clients of an operator talk to. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

/* Runs `tacit gateway` with its own arguments (argv[0] is "gateway"); returns the exit code. */
int gateway_main(int argc, char **argv);

#endif
