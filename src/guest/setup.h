/* SPDX-License-Identifier: GPL-2.0-only */
/* What init does before it is READY: file systems, modules, the loopback interface, the channel's
 * port. Each returns 0 or a negative errno with words. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* proc, sys, dev, pts, shm, tmp, run, cgroup2, debugfs; controllers on in the root cgroup. */
int setup_mounts(void) must_check;

/* Load what /ktstr/modules.list names, in its order, from /ktstr/modules/; a module that is there
 * already, or whose device is not, is no error. @count_ret: how many were loaded. */
int setup_modules(uint32_t *count_ret) must_check;

/* Limits for thousands of workers; lo up. */
int setup_system(void) must_check;

/* Bring up every CPU that is present, if the kernel was told to leave that to us (WIRE_ONLINE_ARG). */
int setup_cpus(void) must_check;

/* Open the virtio-console port of the given name, non-blocking. Waits for it to appear by kernel
 * events, at most @deadline_ns (CLOCK_MONOTONIC): -ETIMEDOUT. */
int setup_port(const char *name, uint64_t deadline_ns, int *fd_ret) must_check;

/* Kill every process of the machine but ourselves. Does nothing unless we are process 1. */
void setup_kill_all(void);

/* Write @text to the file @path. 0 or a negative errno with words. */
int write_file(const char *path, const char *text) must_check;
