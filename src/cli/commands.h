/* The entry points of all subcommands that live in cli/. Each takes its own arguments (argv[0] is
 * the command's name), prints to standard output, explains failures on standard error, and returns
 * the exit code of the process: for verifying commands 0 trusted, 1 refused, 2 not evaluated (bad
 * usage, unreadable input, nothing reachable). Adding one: a line here, a line in main.c's table,
 * the file in cli/meson.build. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

int cmd_attest(int argc, char **argv);     /* this machine's evidence */
int cmd_chat(int argc, char **argv);       /* a verified question and answer */
int cmd_collateral(int argc, char **argv); /* fetch, show or check collateral */
int cmd_doctor(int argc, char **argv);     /* which TEE is here, and is it in order */
int cmd_keys(int argc, char **argv);       /* API keys of a gateway's store */
int cmd_sim(int argc, char **argv);        /* the simulated TEE: state, quotes, faults, services */
int cmd_up(int argc, char **argv);         /* everything on this machine, simulated */
int cmd_verify(int argc, char **argv); /* verify KIND …: cmd_verify.c has the table of kinds */

/* Kinds of `tacit verify`. */
int cmd_verify_chat(int argc, char **argv);
int cmd_verify_gpu(int argc, char **argv);
int cmd_verify_report(int argc, char **argv);
int cmd_verify_quote(int argc, char **argv); /* one SGX or TDX quote */
int cmd_verify_snp(int argc, char **argv);   /* one SEV-SNP report */

#endif
