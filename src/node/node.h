/* `tacit node`: the process beside the engine that hashes, signs and attests. Its keys are a
 * `struct identity` (tee/identity.h), as the gateway's are.
 *
 * What a gateway needs at the end of a reply it asks of the very node that served it, with its
 * token (never open to sk- callers), because a stream whose client did not ask for usage carries
 * none:
 *
 *     GET /v1/internal/receipt/{chat_id}
 *     200 {"id":"…","usage":{"prompt_tokens":n,"completion_tokens":n,"total_tokens":n,
 *          "prompt_tokens_details":{"cached_tokens":n}},
 *          "signatures":[{"text","signature","signing_address","signing_algo"} (ecdsa, ed25519)]}
 *     404 as GET /v1/signature/{chat_id}
 *
 * It is there before the terminating bytes of the reply leave the node. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

/* Runs `tacit node` with its own arguments (argv[0] is "node"); returns the exit code. */
int node_main(int argc, char **argv);

#endif
