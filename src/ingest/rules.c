/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/rules.h"
