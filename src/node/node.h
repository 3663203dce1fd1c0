/* `tacit node`: the process beside the engine that hashes, signs and attests. Its keys are a `struct
 * identity` (tee/identity.h), as the gateway's are. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

/* Runs `tacit node` with its own arguments (argv[0] is "node"); returns the exit code. */
int node_main(int argc, char **argv);

#endif
