/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h -- .watch TIME [N] [STATEMENT]: a statement run again and again.
 */
#ifndef SHELL_WATCH_H
#define SHELL_WATCH_H

#include "dot.h"

enum exit_status watch_run(struct session *s, const struct dot_words *words);

#endif
