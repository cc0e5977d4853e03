/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the carrier: from an empty initramfs to a root that looks like the host's. */
#pragma once

#include "base/err.h"

/* Mount /proc, /sys and /dev of the initramfs, load the modules of CARRIER_MODULES_LIST, mount the
 * host's files, and make them our root with fresh kernel file systems on their places. Once, as
 * process 1. */
int carrier_root_enter(void) must_check;

/* Let @path be written to, without effect outside: a memory-backed layer over the directory, or
 * over its nearest parent that exists if it is missing (it is made then). Paths that only the root
 * itself could hold, and repeated calls, do nothing. */
int carrier_root_make_writable(const char *path) must_check;

/* Bind the drive with serial number ktstr@index over the file @path, so that it is opened under the
 * name it has outside. Repeated calls do nothing. */
int carrier_root_bind_disk(unsigned index, const char *path) must_check;

/* An empty writable directory over the existing directory @path; and its end. */
int carrier_root_mount_empty(const char *path) must_check;
void carrier_root_umount(const char *path);
