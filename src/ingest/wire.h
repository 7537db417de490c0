/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INGEST_WIRE_H
#define INGEST_WIRE_H

#include "ingest/limits.h"

#endif
