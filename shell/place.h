/* SPDX-License-Identifier: Apache-2.0
 *
 * place.h -- which store is meant, and opening it.
 */
#ifndef SHELL_PLACE_H
#define SHELL_PLACE_H

#include <stdbool.h>
#include "command.h"
#include "varve.h"

#define PLACE_PATH 4096

/* -d STORE, else $VARVE_DB, else varve/telemetry.varve among the user's data.
 * False after a message if none of them says anything. */
bool place_find(const struct args *args, char path[PLACE_PATH]);
/* Opens it with the flags of varve_open.  Anything but EXIT_DONE comes after a message. */
enum exit_status place_open(const struct args *args, unsigned flags, varve **db);
enum exit_status place_open_path(const char *path, unsigned flags, varve **db);

#endif
