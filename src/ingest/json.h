/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INGEST_JSON_H
#define INGEST_JSON_H

#include "ingest/limits.h"

#endif
