/* SPDX-License-Identifier: Apache-2.0
 *
 * interactive.h -- the shell as a person has it.
 */
#ifndef SHELL_INTERACTIVE_H
#define SHELL_INTERACTIVE_H

#include "session.h"

/* Until the person leaves. */
enum exit_status interactive_run(struct session *session);

#endif
