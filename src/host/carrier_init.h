/* SPDX-License-Identifier: GPL-2.0-only */
/* The carrier's pid 1. */
#pragma once

#include <stdbool.h>

/* Are we process 1 of a carrier? Ask first thing in main(). */
bool carrier_init_is_wanted(void);

/* Set the carrier up, serve commands until the outer side hangs up, power off. Never returns. Call
 * it if carrier_init_is_wanted(), from the only thread. */
void carrier_init_main(void) __attribute__((noreturn));
