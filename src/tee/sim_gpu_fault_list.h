/* Every way in which the GPU simulator can be told to go wrong, from one table: symbol, name for
 * --fault, the verdict row that must refuse it first, the machine it needs (ONE GPU or a PPCIE
 * machine of 8 GPUs and 4 switches), and what is wrong then. gpu.md 7 is the catalogue behind it.
 */
#ifndef TEE_SIM_GPU_FAULT_LIST_H
#define TEE_SIM_GPU_FAULT_LIST_H

/* clang-format off */
#define SIM_GPU_FAULTS_REPORT(X) \
    X(NONCE_OTHER, "gpu-nonce-other", "gpu.report.nonce", ONE, \
      "the report was made for another nonce than the one beside it") \
    X(SIG_FLIPPED, "gpu-signature", "gpu.report.signature", ONE, \
      "one bit of the report's signature is changed") \
    X(SIG_RESPONSE_ONLY, "gpu-signature-response", "gpu.report.signature", ONE, \
      "the signature covers the response but not the request") \
    X(SIG_PREFIX, "gpu-signature-prefix", "gpu.report.signature", ONE, \
      "the signature is made with the prefix of SPDM 1.2") \
    X(SIG_SHA256, "gpu-signature-sha256", "gpu.report.signature", ONE, \
      "the signature is made over a SHA-256 digest") \
    X(SIG_OTHER_DEVICE, "gpu-signed-by-other", "gpu.report.signature", ONE, \
      "the report is signed by another genuine device") \
    X(SIG_ZERO, "gpu-signature-zero", "gpu.report.signature", ONE, \
      "the report's signature is all zeros") \
    X(REPORT_CHANGED, "gpu-report-changed", "gpu.report.signature", ONE, \
      "one bit of a measurement is changed after signing") \
    X(TRAILING, "gpu-trailing", "gpu.report.format", ONE, \
      "an octet follows the signature") \
    X(TWICE, "gpu-report-twice", "gpu.report.format", ONE, \
      "the report stands twice, one behind the other") \
    X(TRUNCATED, "gpu-truncated", "gpu.report.format", ONE, \
      "the last octet of the report is missing") \
    X(SPDM_12, "gpu-spdm-12", "gpu.report.format", ONE, \
      "request and response say SPDM 1.2") \
    X(REQUEST_ONE, "gpu-request-one", "gpu.report.format", ONE, \
      "the request asks for one block, all are answered") \
    X(REQUEST_UNSIGNED, "gpu-request-unsigned", "gpu.report.format", ONE, \
      "the request does not ask for a signature") \
    X(SLOT_1, "gpu-slot-1", "gpu.report.format", ONE, \
      "the request names certificate slot 1") \
    X(CODE_CHALLENGE, "gpu-code-challenge", "gpu.report.format", ONE, \
      "the response is a CHALLENGE_AUTH") \
    X(COUNT_63, "gpu-count-63", "gpu.report.format", ONE, \
      "a measurement is missing") \
    X(COUNT_65, "gpu-count-65", "gpu.report.format", ONE, \
      "there is one measurement too many") \
    X(INDEX_TWICE, "gpu-index-twice", "gpu.report.format", ONE, \
      "an index is there twice, the good value last") \
    X(INDEX_0, "gpu-index-0", "gpu.report.format", ONE, \
      "a measurement has index 0") \
    X(INDEX_65, "gpu-index-65", "gpu.report.format", ONE, \
      "a measurement has index 65") \
    X(BLOCK_SPEC, "gpu-block-specification", "gpu.report.format", ONE, \
      "a measurement is not of the DMTF specification") \
    X(BLOCK_TYPE, "gpu-block-raw", "gpu.report.format", ONE, \
      "a measurement says that it is raw data, not a digest") \
    X(BLOCK_SIZE, "gpu-block-size", "gpu.report.format", ONE, \
      "a block's size runs past the record") \
    X(VALUE_SIZE, "gpu-value-size", "gpu.report.format", ONE, \
      "a value says that it has 32 octets although 48 follow") \
    X(RECORD_LEN, "gpu-record-length", "gpu.report.format", ONE, \
      "the record's length runs past the end") \
    X(OPAQUE_LEN, "gpu-opaque-length", "gpu.report.format", ONE, \
      "the opaque data's length runs past the end") \
    X(OPAQUE_TAIL, "gpu-opaque-tail", "gpu.report.format", ONE, \
      "three stray octets end the opaque data") \
    X(OPAQUE_VERSION, "gpu-opaque-version", "gpu.report.format", ONE, \
      "the opaque data is of an unknown version") \
    X(DRIVER_TWICE, "gpu-driver-twice", "gpu.report.format", ONE, \
      "two driver versions, the welcome one last") \
    X(DRIVER_EMPTY, "gpu-driver-empty", "gpu.report.format", ONE, \
      "the driver version is empty") \
    X(DRIVER_NUL, "gpu-driver-nul", "gpu.report.format", ONE, \
      "a NUL hides the end of the driver version") \
    X(VBIOS_MISSING, "gpu-vbios-missing", "gpu.report.format", ONE, \
      "the report does not name its VBIOS") \
    X(NVDEC_MISSING, "gpu-nvdec-missing", "gpu.report.format", ONE, \
      "the report does not say whether NVDEC0 is enabled") \
    X(NVDEC_UNKNOWN, "gpu-nvdec-unknown", "gpu.report.format", ONE, \
      "NVDEC0 is neither enabled nor disabled") \
    X(FWID_SHORT, "gpu-fwid-short", "gpu.report.format", ONE, \
      "the firmware id is a prefix of the right one") \
    X(FLAGS_DISAGREE, "gpu-flags-disagree", "gpu.report.format", ONE, \
      "protected PCIe status and feature flag disagree") \
    X(ARCH_OTHER, "gpu-arch-other", "gpu.report.arch", ONE, \
      "the report names another architecture than the certificates") \
    X(FWID_OTHER, "gpu-fwid-other", "gpu.chain.fwid", ONE, \
      "the firmware id is not the one that the key was issued for") \
    X(DRIVER_OLD, "gpu-driver-other", "gpu.rim.driver.version", ONE, \
      "the device runs another driver than the manifest is for") \
    X(VBIOS_OLD, "gpu-vbios-other", "gpu.rim.vbios.version", ONE, \
      "the device has another VBIOS than the manifest is for") \
    X(MEASUREMENT_9, "gpu-measurement-9", "gpu.measurements", ONE, \
      "measurement 9 differs from the reference") \
    X(MEASUREMENT_22, "gpu-measurement-22", "gpu.measurements", ONE, \
      "measurement 22 differs from the reference") \
    X(NVDEC_35, "gpu-nvdec-35", "gpu.measurements", ONE, \
      "measurement 35 differs while NVDEC0 is enabled")

#define SIM_GPU_FAULTS_CHAIN(X) \
    X(CHAIN_FOUR, "gpu-chain-four", "gpu.chain.format", ONE, \
      "the identity certificate is left out of the chain") \
    X(CHAIN_SIX, "gpu-chain-six", "gpu.chain.format", ONE, \
      "the root stands in the chain twice") \
    X(CHAIN_TEXT, "gpu-chain-text", "gpu.chain.format", ONE, \
      "text stands between two certificates") \
    X(CHAIN_REVERSED, "gpu-chain-reversed", "gpu.chain.trust", ONE, \
      "the chain begins with the root") \
    X(ROOT_OTHER, "gpu-root-other", "gpu.chain.trust", ONE, \
      "everything hangs on another root with the same names") \
    X(ROOT_OF_RIM, "gpu-root-rim", "gpu.chain.trust", ONE, \
      "the manifests' root ends the device chain") \
    X(BROM_NOT_CA, "gpu-identity-not-ca", "gpu.chain.trust", ONE, \
      "the identity certificate is that of no CA") \
    X(BROM_USAGE, "gpu-identity-usage", "gpu.chain.trust", ONE, \
      "the identity certificate may not sign certificates") \
    X(LEAF_FOREIGN, "gpu-leaf-foreign", "gpu.chain.trust", ONE, \
      "the attestation key is certified by another key of the same name") \
    X(LEAF_OTHER_GPU, "gpu-leaf-other-gpu", "gpu.chain.trust", ONE, \
      "the attestation key of one device stands before the identity of another") \
    X(LEAF_EXPIRED, "gpu-leaf-expired", "gpu.chain.validity", ONE, \
      "the attestation key's certificate has expired") \
    X(LEAF_FUTURE, "gpu-leaf-future", "gpu.chain.validity", ONE, \
      "the attestation key's certificate is not valid yet") \
    X(BROM_EXPIRED, "gpu-identity-expired", "gpu.chain.validity", ONE, \
      "the identity certificate has expired") \
    X(LEAF_P256, "gpu-leaf-p256", "gpu.chain.usage", ONE, \
      "the attestation key is on P-256") \
    X(LEAF_CERT_SIGN, "gpu-leaf-cert-sign", "gpu.chain.usage", ONE, \
      "the attestation key is meant for certificates, not for data") \
    X(LEAF_CRITICAL, "gpu-leaf-critical", "gpu.chain.usage", ONE, \
      "the attestation key's certificate has an unknown critical extension") \
    X(LEAF_NO_FWID, "gpu-leaf-no-fwid", "gpu.chain.fwid", ONE, \
      "the attestation key's certificate has no firmware id") \
    X(CHIP_MIXED, "gpu-chip-mixed", "gpu.chain.chip", ONE, \
      "attestation key and identity name different chips") \
    X(OCSP_REVOKED, "gpu-ocsp-revoked", "gpu.chain.revocation", ONE, \
      "the identity certificate is revoked") \
    X(OCSP_UNKNOWN, "gpu-ocsp-unknown", "gpu.chain.revocation", ONE, \
      "the responder does not know the identity certificate") \
    X(OCSP_STALE, "gpu-ocsp-stale", "gpu.chain.revocation", ONE, \
      "the answer about the identity certificate is out of date") \
    X(OCSP_FUTURE, "gpu-ocsp-future", "gpu.chain.revocation", ONE, \
      "the answer about the identity certificate is from the future") \
    X(OCSP_NO_END, "gpu-ocsp-no-end", "gpu.chain.revocation", ONE, \
      "the answer about the identity certificate does not say how long it holds") \
    X(OCSP_NONCE, "gpu-ocsp-nonce", "gpu.chain.revocation", ONE, \
      "the answer about the identity certificate is to another request") \
    X(OCSP_NO_NONCE, "gpu-ocsp-no-nonce", "gpu.chain.revocation", ONE, \
      "the answer about the identity certificate repeats no nonce") \
    X(OCSP_OTHER_CERT, "gpu-ocsp-other-cert", "gpu.chain.revocation", ONE, \
      "the answer is about another certificate of the same issuer") \
    X(OCSP_NO_PURPOSE, "gpu-ocsp-no-purpose", "gpu.chain.revocation", ONE, \
      "the responder's certificate is not for OCSP") \
    X(OCSP_SELF_SIGNED, "gpu-ocsp-self-signed", "gpu.chain.revocation", ONE, \
      "the responder appointed itself") \
    X(OCSP_OLD_RESPONDER, "gpu-ocsp-old-responder", "gpu.chain.revocation", ONE, \
      "the responder's certificate has expired") \
    X(OCSP_SIGNATURE, "gpu-ocsp-signature", "gpu.chain.revocation", ONE, \
      "one bit of the answer's signature is changed") \
    X(OCSP_TRY_LATER, "gpu-ocsp-try-later", "gpu.chain.revocation", ONE, \
      "the responder says that one should try later") \
    X(OCSP_PAGE, "gpu-ocsp-page", "gpu.ocsp.format", ONE, \
      "a web page comes instead of an answer")

#define SIM_GPU_FAULTS_RIM(X) \
    X(RIM_MISSING, "rim-missing", "gpu.rim.driver.format", ONE, \
      "there is no driver manifest") \
    X(RIM_UNSIGNED, "rim-unsigned", "gpu.rim.driver.format", ONE, \
      "the driver manifest is not signed") \
    X(RIM_TRUNCATED, "rim-truncated", "gpu.rim.driver.format", ONE, \
      "the driver manifest is cut off") \
    X(RIM_DOCTYPE, "rim-doctype", "gpu.rim.driver.format", ONE, \
      "the driver manifest has a DOCTYPE with an entity") \
    X(RIM_WRAPPED, "rim-wrapped", "gpu.rim.driver.format", ONE, \
      "the signed manifest is wrapped in an attacker's") \
    X(RIM_FRAGMENT, "rim-fragment", "gpu.rim.driver.format", ONE, \
      "the signature refers to a part of the manifest only") \
    X(RIM_HMAC, "rim-hmac", "gpu.rim.driver.format", ONE, \
      "the signature method is a keyed hash") \
    X(RIM_KEY_VALUE, "rim-key-value", "gpu.rim.driver.format", ONE, \
      "a bare key stands beside the certificates") \
    X(RIM_ONE_CERT, "rim-one-certificate", "gpu.rim.driver.format", ONE, \
      "the manifest brings its signer's certificate only") \
    X(RIM_INDEX_TWICE, "rim-index-twice", "gpu.rim.driver.format", ONE, \
      "the manifest lists an index twice, the second inactive") \
    X(RIM_SIZE_32, "rim-size-32", "gpu.rim.driver.format", ONE, \
      "a reference value is a prefix of the right one") \
    X(RIM_NO_ALTERNATIVE, "rim-no-alternative", "gpu.rim.driver.format", ONE, \
      "an active index has no value") \
    X(RIM_NO_ACTIVE, "rim-no-active", "gpu.rim.driver.format", ONE, \
      "the manifest has no active index") \
    X(RIM_EDITED, "rim-edited", "gpu.rim.driver.signature", ONE, \
      "a reference value is changed after signing") \
    X(RIM_SWITCHED_OFF, "rim-switched-off", "gpu.rim.driver.signature", ONE, \
      "an index is made inactive after signing") \
    X(RIM_SIGNATURE, "rim-signature", "gpu.rim.driver.signature", ONE, \
      "one bit of the manifest's signature is changed") \
    X(RIM_OTHER_KEY, "rim-other-key", "gpu.rim.driver.signature", ONE, \
      "the manifest is signed by a key that its certificates do not show") \
    X(RIM_ROOT_OTHER, "rim-root-other", "gpu.rim.driver.chain", ONE, \
      "the manifest's chain ends in another root of the same name") \
    X(RIM_ROOT_DEVICE, "rim-root-device", "gpu.rim.driver.chain", ONE, \
      "the device root ends the manifest's chain") \
    X(RIM_SIGNER_CA, "rim-signer-ca", "gpu.rim.driver.chain", ONE, \
      "the manifest's signer is an authority") \
    X(RIM_EXPIRED, "rim-expired", "gpu.rim.driver.validity", ONE, \
      "the manifest's signer has expired") \
    X(RIM_PRODUCT, "rim-product", "gpu.rim.driver.product", ONE, \
      "the manifest is for another chip") \
    X(RIM_SWAPPED, "rim-swapped", "gpu.rim.driver.version", ONE, \
      "the VBIOS manifest stands in for the driver's") \
    X(RIM_REVOKED, "rim-revoked", "gpu.rim.driver.revocation", ONE, \
      "the manifest's signer is revoked") \
    X(RIM_OVERLAP, "rim-overlap", "gpu.measurements.conflict", ONE, \
      "both manifests claim one index")

#define SIM_GPU_FAULTS_NRAS(X) \
    X(NRAS_NOT_JSON, "nras-not-json", "gpu.nras.format", ONE, \
      "the service answers with a web page") \
    X(NRAS_SHAPE, "nras-shape", "gpu.nras.format", ONE, \
      "the answer is an empty array") \
    X(NRAS_ALG_NONE, "nras-alg-none", "gpu.nras.format", ONE, \
      "the overall token is not signed at all") \
    X(NRAS_HS256, "nras-hs256", "gpu.nras.format", ONE, \
      "the overall token's algorithm is a keyed hash") \
    X(NRAS_HEADER_KEY, "nras-header-key", "gpu.nras.format", ONE, \
      "the overall token brings its own key") \
    X(NRAS_TWICE, "nras-result-twice", "gpu.nras.format", ONE, \
      "the overall token states its result twice, false then true") \
    X(NRAS_KID, "nras-kid-unknown", "gpu.nras.token", ONE, \
      "the overall token names an unknown key") \
    X(NRAS_KID_TWICE, "nras-kid-twice", "gpu.nras.token", ONE, \
      "the key set holds two keys of one id") \
    X(NRAS_EDITED, "nras-edited", "gpu.nras.token", ONE, \
      "the overall token is changed after signing") \
    X(NRAS_OTHER_KEY, "nras-other-key", "gpu.nras.token", ONE, \
      "the overall token is signed by a key outside the set") \
    X(NRAS_ISSUER, "nras-issuer", "gpu.nras.token", ONE, \
      "the tokens come from another issuer") \
    X(NRAS_EXPIRED, "nras-expired", "gpu.nras.token", ONE, \
      "the tokens have expired") \
    X(NRAS_FUTURE, "nras-future", "gpu.nras.token", ONE, \
      "the tokens are not valid yet") \
    X(NRAS_OLD, "nras-old", "gpu.nras.token", ONE, \
      "the tokens were issued ten days ago and never end") \
    X(NRAS_NO_EXP, "nras-no-end", "gpu.nras.token", ONE, \
      "the tokens do not say when they end") \
    X(NRAS_JWKS_EXPIRED, "nras-jwks-expired", "gpu.nras.token", ONE, \
      "the signing key's certificate expired before the tokens were issued") \
    X(NRAS_JWKS_ISSUER, "nras-jwks-issuer", "gpu.nras.token", ONE, \
      "the signing key's certificate comes from another issuer") \
    X(NRAS_JWKS_KEY, "nras-jwks-key", "gpu.nras.token", ONE, \
      "the key in the set is not the one in its certificate") \
    X(NRAS_REFUSED, "nras-refused", "gpu.nras.result", ONE, \
      "the overall result is false") \
    X(NRAS_RESULT_TEXT, "nras-result-text", "gpu.nras.result", ONE, \
      "the overall result is the text \"true\"") \
    X(NRAS_NONCE, "nras-nonce", "gpu.nras.result", ONE, \
      "the overall token is for another nonce") \
    X(NRAS_SUBJECT, "nras-subject", "gpu.nras.result", ONE, \
      "the overall token is not about a platform") \
    X(NRAS_NO_DEVICE, "nras-no-device", "gpu.nras.result", ONE, \
      "the answer is about no device") \
    X(NRAS_DEVICE_FAIL, "nras-device-fail", "gpu.nras.device", ONE, \
      "overall true, but the device's measurements fail") \
    X(NRAS_DEVICE_ERROR, "nras-device-error", "gpu.nras.device", ONE, \
      "overall true, but the device's token carries an error") \
    X(NRAS_DEVICE_NONCE, "nras-device-nonce", "gpu.nras.device", ONE, \
      "the device's token is for another nonce") \
    X(NRAS_DEVICE_DEBUG, "nras-device-debug", "gpu.nras.device", ONE, \
      "the device can be debugged") \
    X(NRAS_DEVICE_CLAIM, "nras-device-claim", "gpu.nras.device", ONE, \
      "a claim of the device's token is missing") \
    X(NRAS_DEVICE_OTHER, "nras-device-other", "gpu.nras.device", ONE, \
      "the token is about another device than the evidence") \
    X(NRAS_DIGEST, "nras-digest", "gpu.nras.device", ONE, \
      "the device's token was exchanged after the overall token was made")

#define SIM_GPU_FAULTS_MACHINE(X) \
    X(SET_SEVEN, "gpu-set-seven", "gpu.topology.count", PPCIE, \
      "one of eight GPUs is missing") \
    X(SET_NO_SWITCH, "gpu-set-no-switch", "gpu.topology.count", PPCIE, \
      "the switches are missing") \
    X(SET_TWICE, "gpu-set-twice", "gpu.set.unique", PPCIE, \
      "one GPU is listed twice in place of another") \
    X(SET_MODE, "gpu-set-mode", "gpu.set.mode", PPCIE, \
      "one GPU is not in protected PCIe mode") \
    X(SET_DRIVER, "gpu-set-driver", "gpu.set.driver", PPCIE, \
      "one GPU runs another driver") \
    X(TOPO_FOREIGN, "gpu-topology-foreign", "gpu.topology.ports", PPCIE, \
      "all devices agree on identities that are not those of their certificates") \
    X(TOPO_THREE, "gpu-topology-three", "gpu.topology.ports", PPCIE, \
      "one GPU has no link to one switch") \
    X(TOPO_SWITCH_SEVEN, "gpu-topology-seven", "gpu.topology.switches", PPCIE, \
      "a switch names one GPU twice and another not") \
    X(TOPO_SWITCH_SELF, "gpu-topology-self", "gpu.topology.switches", PPCIE, \
      "a switch names itself otherwise than its certificate")

#define SIM_GPU_FAULTS(X) \
    SIM_GPU_FAULTS_REPORT(X) SIM_GPU_FAULTS_CHAIN(X) SIM_GPU_FAULTS_RIM(X) \
    SIM_GPU_FAULTS_NRAS(X) SIM_GPU_FAULTS_MACHINE(X)
/* clang-format on */

#endif
