#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# From the VMM's start to the guest's init, and the VMM's own memory, beside QEMU's microvm. ROUNDS=n (default 7).
set -eu
rounds=${ROUNDS:-7}
"$KTSTR" kernel fetch >/dev/null
if "$KTSTR" doctor --json | grep -q '"way":"kvm"'; then
	exec "$KTSTR_BUILD/bench/bench-boot" "$rounds"
fi
echo "in a carrier (KVM emulated by QEMU)"
exec "$KTSTR_BUILD/bench/bench-boot-carrier" "$KTSTR_BUILD/bench/bench-boot" "$rounds"
