#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Our disk in our machine beside QEMU microvm's virtio-blk: the same guest, kernel, I/O and image (in memory). ROUNDS=n (default 3).
set -eu
"$KTSTR" kernel fetch >/dev/null
exec bench/in-machine sh -c 'image=$(mktemp -p /dev/shm) && head -c 64M /dev/zero >"$image" && "$@" "$image"; status=$?; rm -f "$image"; exit $status' \
	sh "$KTSTR_BUILD/bench/bench-disk-guest" "${ROUNDS:-3}"
