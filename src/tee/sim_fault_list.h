/* Every way in which the simulator can be told to go wrong, from one table: symbol, name for
 * --fault, the verdict row that must refuse it, the shape of quote it needs (ANY: whichever is
 * asked for), and what is wrong then. tdx.md 7 is the catalogue behind it. */
#ifndef TEE_SIM_FAULT_LIST_H
#define TEE_SIM_FAULT_LIST_H

/* clang-format off */
#define SIM_FAULTS_QUOTE(X) \
    X(QUOTE_VERSION, "quote-version", "tdx.quote.parse", ANY, \
      "the quote's header names version 6") \
    X(QUOTE_KEY_TYPE, "quote-key-type", "tdx.quote.parse", ANY, \
      "the header names attestation key type 3, P-384") \
    X(QUOTE_TEE_TYPE, "quote-tee-type", "tdx.quote.parse", TD10, \
      "the header says SGX over a TD's body") \
    X(QUOTE_VENDOR, "quote-vendor", "tdx.quote.parse", ANY, \
      "the quoting enclave's vendor is not Intel") \
    X(QUOTE_TRUNCATED, "quote-truncated", "tdx.quote.parse", ANY, \
      "the last octet of the quote is missing") \
    X(QUOTE_STRAY_OCTET, "quote-stray-octet", "tdx.quote.parse", ANY, \
      "the authentication data is one octet longer than its parts") \
    X(QUOTE_OUTER_TYPE, "quote-outer-type", "tdx.quote.parse", TD10, \
      "the outer certification data is of type 5 instead of 6") \
    X(QUOTE_BODY_SIZE, "quote-body-size", "tdx.quote.parse", TD15, \
      "the body descriptor gives a size that its type does not have") \
    X(QUOTE_BODY_TYPE, "quote-body-type", "tdx.quote.parse", TD15, \
      "the body descriptor gives a type of another size") \
    X(QUOTE_SIGNATURE, "quote-signature", "tdx.quote.signature", ANY, \
      "one bit of the quote's signature is changed") \
    X(QUOTE_SIGNATURE_ZERO, "quote-signature-zero", "tdx.quote.signature", ANY, \
      "the quote's signature is all zeros") \
    X(QUOTE_CHANGED, "quote-changed", "tdx.quote.signature", TD10, \
      "one bit of RTMR3 is changed after signing") \
    X(QUOTE_SIGNER, "quote-signer", "tdx.quote.signature", ANY, \
      "the quote is signed by another key than the attestation key it shows") \
    X(KEY_SWAPPED, "key-swapped", "tdx.qe.binding", ANY, \
      "an attacker's attestation key takes the place of the one the quoting enclave vouched for") \
    X(KEY_OFF_CURVE, "key-off-curve", "tdx.qe.binding", ANY, \
      "the attestation key, vouched for as it is, lies on no curve") \
    X(QE_AUTH_DATA, "qe-auth-data", "tdx.qe.binding", ANY, \
      "the quoting enclave's authentication data is changed") \
    X(QE_BINDING_TAIL, "qe-binding-tail", "tdx.qe.binding", ANY, \
      "the second half of the quoting enclave's report data is not zero") \
    X(QE_SIGNATURE, "qe-signature", "tdx.qe.signature", ANY, \
      "the quoting enclave's report is signed by a key that no platform has") \
    X(QE_CHANGED, "qe-changed", "tdx.qe.signature", ANY, \
      "one bit of the quoting enclave's report is changed after signing") \
    X(QE_MRSIGNER, "qe-mrsigner", "tdx.qe.identity", ANY, \
      "another signer's enclave poses as the quoting enclave (CVE-2026-22696)") \
    X(QE_PRODUCT, "qe-product", "tdx.qe.identity", ANY, \
      "another product of the same signer poses as the quoting enclave") \
    X(QE_ATTRIBUTES, "qe-attributes", "tdx.qe.identity", ANY, \
      "the quoting enclave has an attribute that its identity forbids") \
    X(QE_MISCSELECT, "qe-miscselect", "tdx.qe.identity", ANY, \
      "the quoting enclave has MISCSELECT bits that its identity forbids") \
    X(QE_DEBUG, "qe-debug", "tdx.qe.identity", ANY, \
      "the quoting enclave can be debugged") \
    X(QE_REVOKED, "qe-revoked", "tdx.qe.identity", ANY, \
      "the quoting enclave's version is revoked") \
    X(QE_UNSUPPORTED, "qe-unsupported", "tdx.qe.identity", ANY, \
      "the quoting enclave is older than every known level")

#define SIM_FAULTS_PCK(X) \
    X(ROOT_OTHER, "root-other", "tdx.pck.root", ANY, \
      "everything hangs on another root with the same name") \
    X(CHAIN_TEXT, "chain-text", "tdx.pck.parse", ANY, \
      "text stands between the certificates of the PCK chain") \
    X(CHAIN_NO_CA, "chain-no-ca", "tdx.pck.parse", ANY, \
      "the PCK chain is the leaf alone") \
    X(CA_NOT_CA, "ca-not-ca", "tdx.pck.chain", ANY, \
      "the PCK CA's certificate is that of no CA") \
    X(CA_USAGE, "ca-usage", "tdx.pck.chain", ANY, \
      "the PCK CA may not sign certificates") \
    X(CA_NAME, "ca-name", "tdx.pck.chain", ANY, \
      "the PCK CA has a name that Intel's CAs do not have") \
    X(CA_SIGNATURE, "ca-signature", "tdx.pck.chain", ANY, \
      "the PCK CA's certificate is signed by another key than the root's") \
    X(PCK_SIGNATURE, "pck-signature", "tdx.pck.chain", ANY, \
      "the PCK certificate is signed by another key than its CA's") \
    X(PCK_NAME, "pck-name", "tdx.pck.chain", ANY, \
      "the leaf is not named as a PCK certificate") \
    X(PCK_EXPIRED, "pck-expired", "tdx.pck.validity", ANY, \
      "the PCK certificate has expired") \
    X(PCK_FUTURE, "pck-future", "tdx.pck.validity", ANY, \
      "the PCK certificate is not valid yet") \
    X(CA_EXPIRED, "ca-expired", "tdx.pck.validity", ANY, \
      "the PCK CA's certificate has expired") \
    X(SGX_EXTENSION_ABSENT, "sgx-extension-absent", "tdx.pck.extension", ANY, \
      "the PCK certificate does not describe its platform") \
    X(SGX_EXTENSION_MEMBER, "sgx-extension-member", "tdx.pck.extension", ANY, \
      "the platform's description lacks its TCB") \
    X(SGX_EXTENSION_STRAY, "sgx-extension-stray", "tdx.pck.extension", ANY, \
      "octets follow the platform's description") \
    X(SGX_EXTENSION_SVN, "sgx-extension-svn", "tdx.pck.extension", ANY, \
      "a component SVN in the platform's description is 256") \
    X(CRL_ROOT_FORGED, "crl-root-forged", "tdx.crl.root", ANY, \
      "the root's CRL is signed by another key") \
    X(CRL_ROOT_EXPIRED, "crl-root-expired", "tdx.crl.root", ANY, \
      "the root's CRL has expired") \
    X(CRL_ROOT_FUTURE, "crl-root-future", "tdx.crl.root", ANY, \
      "the root's CRL is dated in the future") \
    X(CRL_PCK_FORGED, "crl-pck-forged", "tdx.crl.pck", ANY, \
      "the PCK CRL is signed by another key, with the right issuer's name") \
    X(CRL_PCK_EXPIRED, "crl-pck-expired", "tdx.crl.pck", ANY, \
      "the PCK CRL has expired") \
    X(CRL_PCK_FUTURE, "crl-pck-future", "tdx.crl.pck", ANY, \
      "the PCK CRL is dated in the future") \
    X(CRL_PCK_OF_ROOT, "crl-pck-of-root", "tdx.crl.pck", ANY, \
      "the root's CRL stands in for the PCK CRL") \
    X(CRL_PCK_UNNUMBERED, "crl-pck-unnumbered", "tdx.crl.pck", ANY, \
      "the PCK CRL has no number") \
    X(CRL_PCK_GARBAGE, "crl-pck-garbage", "tdx.crl.pck", ANY, \
      "the PCK CRL is cut off") \
    X(PCK_REVOKED, "pck-revoked", "tdx.pck.revocation", ANY, \
      "the PCK certificate is on the PCK CRL") \
    X(CA_REVOKED, "ca-revoked", "tdx.pck.revocation", ANY, \
      "the PCK CA is on the root's CRL")

#define SIM_FAULTS_COLLATERAL(X) \
    X(COLLATERAL_MEMBER, "collateral-member", "tdx.collateral", ANY, \
      "the collateral has no QE identity") \
    X(COLLATERAL_DUPLICATE, "collateral-duplicate", "tdx.collateral", ANY, \
      "the collateral has its TCB info twice") \
    X(TCB_SIGNER_REVOKED, "tcb-signer-revoked", "tdx.tcb_info.chain", ANY, \
      "the TCB signing certificate is on the root's CRL") \
    X(TCB_SIGNER_NAME, "tcb-signer-name", "tdx.tcb_info.chain", ANY, \
      "the TCB info is signed by a certificate made for another purpose") \
    X(TCB_SIGNER_PCK, "tcb-signer-pck", "tdx.tcb_info.chain", ANY, \
      "the TCB info is signed by the platform's own PCK key") \
    X(TCB_SIGNER_EXPIRED, "tcb-signer-expired", "tdx.tcb_info.chain", ANY, \
      "the TCB signing certificate has expired") \
    X(TCB_SIGNER_ROGUE, "tcb-signer-rogue", "tdx.tcb_info.chain", ANY, \
      "the TCB signing certificate is signed by another key than the root's") \
    X(TCB_SIGNATURE, "tcb-signature", "tdx.tcb_info.signature", ANY, \
      "one bit of the TCB info's signature is changed") \
    X(TCB_CHANGED, "tcb-changed", "tdx.tcb_info.signature", ANY, \
      "a date in the TCB info is changed after signing") \
    X(TCB_WHITE_SPACE, "tcb-white-space", "tdx.tcb_info.signature", ANY, \
      "white space is put into the TCB info after signing") \
    X(TCB_DUPLICATE, "tcb-duplicate", "tdx.tcb_info.parse", ANY, \
      "the TCB info names its FMSPC twice") \
    X(TCB_SVN_256, "tcb-svn-256", "tdx.tcb_info.parse", ANY, \
      "an SVN in the TCB info is 256, which some take for 0") \
    X(TCB_FIFTEEN, "tcb-fifteen", "tdx.tcb_info.parse", ANY, \
      "a level of the TCB info has fifteen components") \
    X(TCB_SAME_LEVELS, "tcb-same-levels", "tdx.tcb_info.parse", ANY, \
      "two levels of the TCB info have the same SVNs") \
    X(TCB_TRAILING, "tcb-trailing", "tdx.tcb_info.parse", ANY, \
      "a second document follows the TCB info under the same signature") \
    X(TCB_NESTED, "tcb-nested", "tdx.tcb_info.parse", ANY, \
      "the TCB info is nested deeper than any real one") \
    X(TCB_EXPIRED, "tcb-expired", "tdx.tcb_info.validity", ANY, \
      "the TCB info has expired") \
    X(TCB_FUTURE, "tcb-future", "tdx.tcb_info.validity", ANY, \
      "the TCB info is issued in the future") \
    X(TCB_FMSPC, "tcb-fmspc", "tdx.tcb_info.platform", ANY, \
      "the TCB info is that of another FMSPC") \
    X(TCB_PCE_ID, "tcb-pce-id", "tdx.tcb_info.platform", ANY, \
      "the TCB info is that of another PCE") \
    X(TCB_OTHER_TEE, "tcb-other-tee", "tdx.tcb_info.platform", TD10, \
      "the TCB info is SGX's for a TD") \
    X(QEID_SIGNER_NAME, "qe-identity-signer-name", "tdx.qe_identity.chain", ANY, \
      "the QE identity is signed by a certificate made for another purpose") \
    X(QEID_SIGNER_PCK, "qe-identity-signer-pck", "tdx.qe_identity.chain", ANY, \
      "the QE identity is signed by the platform's own PCK key") \
    X(QEID_SIGNATURE, "qe-identity-signature", "tdx.qe_identity.signature", ANY, \
      "one bit of the QE identity's signature is changed") \
    X(QEID_CHANGED, "qe-identity-changed", "tdx.qe_identity.signature", ANY, \
      "a date in the QE identity is changed after signing") \
    X(QEID_DUPLICATE, "qe-identity-duplicate", "tdx.qe_identity.parse", ANY, \
      "the QE identity names its signer twice") \
    X(QEID_OTHER_TEE, "qe-identity-other-tee", "tdx.qe.identity", TD10, \
      "the QE identity is that of SGX's quoting enclave") \
    X(QEID_EXPIRED, "qe-identity-expired", "tdx.qe_identity.validity", ANY, \
      "the QE identity has expired") \
    X(QEID_FUTURE, "qe-identity-future", "tdx.qe_identity.validity", ANY, \
      "the QE identity is issued in the future")

#define SIM_FAULTS_TCB(X) \
    X(MODULE_SIGNER, "module-signer", "tdx.module", TD10, \
      "the TDX module is not signed by Intel") \
    X(MODULE_ATTRIBUTES, "module-attributes", "tdx.module", TD10, \
      "the TDX module has an attribute: it may be a debug build") \
    X(MODULE_UNKNOWN, "module-unknown", "tdx.module", TD10, \
      "the TCB info does not know the TDX module's major version") \
    X(MODULE_LIST_ABSENT, "module-list-absent", "tdx.module", TD10, \
      "the TCB info has no list of TDX modules") \
    X(MODULE_REVOKED, "module-revoked", "tdx.tcb.level", TD10, \
      "the TDX module's version is revoked") \
    X(PLATFORM_UNSUPPORTED, "platform-unsupported", "tdx.tcb.level", ANY, \
      "the platform's TCB is below every known level") \
    X(PLATFORM_REVOKED, "platform-revoked", "tdx.tcb.level", ANY, \
      "the platform's TCB is revoked, whatever its module's") \
    X(PLATFORM_OUT_OF_DATE, "platform-out-of-date", "tdx.policy.tcb_status", ANY, \
      "the platform's TCB is out of date") \
    X(PLATFORM_CONFIGURATION, "platform-configuration", "tdx.policy.tcb_status", ANY, \
      "the platform needs another configuration") \
    X(PLATFORM_HARDENING, "platform-hardening", "tdx.policy.tcb_status", ANY, \
      "the software on the platform needs hardening") \
    X(MODULE_OUT_OF_DATE, "module-out-of-date", "tdx.policy.tcb_status", TD10, \
      "the TDX module is out of date on a platform that is not") \
    X(QE_OUT_OF_DATE, "qe-out-of-date", "tdx.policy.tcb_status", ANY, \
      "the quoting enclave is out of date on a platform that is not") \
    X(RELAUNCH, "relaunch", "tdx.policy.tcb_status", TD15, \
      "the TD was launched under a module that has been updated since") \
    X(TD_DEBUG, "td-debug", "tdx.policy.debug", TD10, \
      "the host can read the TD's memory") \
    X(SGX_DEBUG, "sgx-debug", "tdx.policy.debug", SGX3, \
      "the host can read the enclave's memory") \
    X(TD_MIGRATABLE, "td-migratable", "tdx.policy.migratable", TD10, \
      "the TD can be moved to another machine") \
    X(TD_RESERVED, "td-reserved", "tdx.policy.attributes", TD10, \
      "a reserved attribute of the TD is set") \
    X(TD_XFAM, "td-xfam", "tdx.policy.xfam", TD10, \
      "the TD has processor state that TDX does not know") \
    X(TD_SERVICE, "td-service", "tdx.policy.service_td", TD15, \
      "a service TD of unknown code is bound to the TD") \
    X(REPORT_DATA, "report-data", "tdx.report_data", ANY, \
      "the last octet of the report data is another than was asked for")

#define SIM_FAULTS_LOG(X) \
    X(LOG_PAYLOAD, "log-payload", "log.read", TD10, \
      "an event's payload is changed and its digest kept") \
    X(LOG_SEPARATOR, "log-separator", "log.read", TD10, \
      "octets are moved from an event's payload into its name: the digest stays right") \
    X(LOG_TYPE, "log-type", "log.read", TD10, \
      "an event of RTMR3 claims another type") \
    X(LOG_DUPLICATE, "log-duplicate", "log.read", TD10, \
      "an identity event stands in the log twice, measured both times") \
    X(LOG_DROPPED, "log-dropped", "log.replay", TD10, \
      "an event that was measured is left out of the log") \
    X(LOG_ADDED, "log-added", "log.replay", TD10, \
      "an event that was not measured is added to the log") \
    X(LOG_BOOT, "log-boot", "log.boot", TD10, \
      "a firmware event's digest is changed") \
    X(COMPOSE_TEXT, "compose-text", "compose.hash", TD10, \
      "the app_compose shown is not the one measured") \
    X(COMPOSE_CONFIG, "compose-config", "compose.mrconfigid", TD10, \
      "MRCONFIGID holds another compose hash than RTMR3") \
    X(INFO_IMAGE, "info-image", "info.agreement", TD10, \
      "the information names another OS image than was measured")
/* clang-format on */

#define SIM_FAULTS(X)        \
    SIM_FAULTS_QUOTE(X)      \
    SIM_FAULTS_PCK(X)        \
    SIM_FAULTS_COLLATERAL(X) \
    SIM_FAULTS_TCB(X)        \
    SIM_FAULTS_LOG(X)

#endif
