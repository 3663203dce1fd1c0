/* From SVNs to a status: TCB level, TDX module, quoting enclave, convergence, relaunch advice
 * (tdx.md 2.7, 2.8). Pure functions over parsed documents. */
#ifndef ATTEST_TCB_EVAL_H
#define ATTEST_TCB_EVAL_H

#include "attest/qe_identity.h"
#include "attest/tcb_info.h"

enum tcb_fault {
    TCB_FINE = 0,
    TCB_MODULE_DIFFERS, /* signer or attributes are not those of the identity */
    TCB_NO_LEVEL,       /* below every level */
    TCB_IS_REVOKED,
};

/* Outcome of one evaluation: launch or current. */
struct tcb_outcome {
    enum tcb_fault fault;
    const char *why; /* static sentence when fault is set */
    enum tacit_tcb_status status;
    const struct tcb_verdict *platform; /* the matched levels; module may be NULL */
    const struct tcb_verdict *module;
};

/* Status of platform level `p` beside an enclave's or module's status `other` (tdx.md 2.8). */
enum tacit_tcb_status tcb_converge(enum tacit_tcb_status p, enum tacit_tcb_status other);

/* Whether the TDX module is the one the document knows, without its level (tdx.md 2.7). NULL if it
 * is, else a static sentence. `identity` gets the versioned identity, NULL for module 1.0. */
const char *tdx_module_differs(const struct tdx_module **identity, const struct tcb_info *info,
                               const struct tacit_td_report *td, struct bytes svn);

/* Evaluate platform and module for one TEE_TCB_SVN.
 *
 * pck       SVNs of the platform's certificate
 * td        NULL for SGX
 * svn       16 octets: launch or current; ignored for SGX
 * qe        status of the quoting enclave's level */
struct tcb_outcome tcb_evaluate(const struct tcb_info *info, const struct sgx_ext *pck,
                                const struct tacit_td_report *td, struct bytes svn,
                                enum tacit_tcb_status qe);

/* What launch and current status say together (TD 1.5). */
enum tacit_tcb_status tcb_relaunch(enum tacit_tcb_status launch, enum tacit_tcb_status current);

#endif
