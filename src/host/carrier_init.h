/* SPDX-License-Identifier: GPL-2.0-only */
/* The carrier's pid 1. */
#pragma once

/* Set the carrier up, serve commands until the outer side hangs up, power off. Never returns. Call
 * as process 1, first thing in main(), when the kernel command line has CARRIER_ROLE_ARG. */
void carrier_init_main(void) __attribute__((noreturn));
