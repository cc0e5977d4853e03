#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# From the VMM's start to the guest's init, and the VMM's own memory, beside QEMU's microvm. ROUNDS=n (default 7).
"$KTSTR" kernel fetch >/dev/null && exec bench/in-machine "$KTSTR_BUILD/bench/bench-boot" "${ROUNDS:-7}"
