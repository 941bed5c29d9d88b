/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Stands in for QEMU's osdep.h in the standalone build: what the core of the
 * UEFI variable service uses of it, and nothing else.
 */

#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <glib.h>

#define ARRAY_SIZE(x)       G_N_ELEMENTS(x)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ROUND_UP(n, d)      (((n) + (d) - 1) / (d) * (d))

#define QEMU_BUILD_BUG_ON(x)    _Static_assert(!(x), "not expecting: " #x)

#endif /* QEMU_OSDEP_H */
