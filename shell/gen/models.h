/* SPDX-License-Identifier: Apache-2.0
 *
 * models.h -- which models there were at a time, and what their tokens cost.
 */
#ifndef GEN_MODELS_H
#define GEN_MODELS_H

#include <stdbool.h>
#include <stdint.h>
#include "chance.h"

enum token_type { TOKEN_INPUT, TOKEN_OUTPUT, TOKEN_CACHE_READ, TOKEN_CACHE_CREATION, TOKEN_TYPES };

/* Nano-dollars a token, of each type.  An hour's cache costs more to write than five minutes'. */
struct prices {
    int64_t nano[TOKEN_TYPES];
};

enum model_use { MODEL_MAIN, MODEL_SMALL };

/* One that people used at that time. */
int model_choose(struct chance *c, enum model_use use, int64_t when);
const char *model_name(int model);
unsigned models_count(void);
bool model_has_fast(int model);
/* The longest prompt for which the prices hold, in tokens. */
int64_t model_prompt_limit(int model);
struct prices model_prices(int model, int64_t when, bool hour_cache, bool fast);

#endif
