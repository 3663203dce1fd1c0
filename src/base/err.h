/* The error enum for code inside the project: the public table, and what MUST_CHECK means. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <tacit/err.h>

#include "base/attr.h"

#endif
