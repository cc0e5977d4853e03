#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Our vhost-user backend against qemu-storage-daemon: one front end, one image in /dev/shm, in turns.
command -v qemu-storage-daemon >/dev/null || { echo "vhost-user: qemu-storage-daemon is not installed (package qemu-system-common)"; exit 0; }
exec "$KTSTR_BUILD/bench/bench-vhost-blk" "$KTSTR" "$@"
