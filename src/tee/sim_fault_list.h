/* Every way in which the simulator can be told to go wrong, from one table: symbol, name for
 * --fault, the verdict row that must refuse it, and what is wrong then. */
#ifndef TEE_SIM_FAULT_LIST_H
#define TEE_SIM_FAULT_LIST_H

#define SIM_FAULTS(X)                                            \
    X(QUOTE_SIGNATURE, "quote-signature", "tdx.quote.signature", \
      "the quote's signature has one bit changed")

#endif
