/* SPDX-License-Identifier: GPL-2.0-only */
/* Process 1 of the machine: makes the system, says READY, then does what the host asks for until it
 * is told to shut down, or the channel is lost. Then it resets the machine. */
#pragma once

/* Never returns. Call it from main(), first thing, when getpid() is 1. */
void guest_init_main(void) __attribute__((noreturn));
