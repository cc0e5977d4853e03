// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr`: the program with the shipped scenarios in it. */
#include <ktstr/ktstr.h>

KTSTR_MAIN
