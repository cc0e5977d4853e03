#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stock drivers on our disk: what blk/in-guest.sh does in the machine, with two kernels, on two engines each; then what the disks have
# counted, and whether the fault that fired is in the record.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
verify=$KTSTR_BUILD/tests/system/io-verify
script=$(pwd)/tests/system/blk/in-guest.sh

one() { # KERNEL
	name=$1
	rm -f "$dir/worker" "$dir/uring"
	truncate -s 64M "$dir/worker" "$dir/uring"
	"$KTSTR" exec --kernel "$1" --topology 1n1l2c1t --timeout 200 --module ext4 --module crc32c_generic --counters \
		--include "$script" --include "$verify" --include /usr/bin/busybox --include /usr/sbin/mkfs.ext4 --include /usr/sbin/e2fsck \
		--include /usr/sbin/blkdiscard --include /usr/bin/ls --include /usr/bin/cat --include /usr/bin/mkdir --include /usr/bin/tail \
		--include /usr/bin/tr --include /etc/mke2fs.conf \
		--disk "$dir/worker,queues=2,serial=ktstr-disk" --disk "$dir/uring,queues=2,serial=ktstr-disk,engine=uring" \
		--disk "ram:1M,engine=uring,fault=op=read,sectors=64-71,action=errno:EIO" \
		-- sh "$script" "$name" "$verify" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	cat "$dir/out"
	if [ $status = 0 ] && grep -q a_fault_rule "$dir/out"; then echo "ok the_guest_lived-$name"; else echo "FAIL the_guest_lived-$name: status $status: $(tail -n 3 "$dir/err" | tr '\n' ' ')"; fi
	counted "$name"
}

counted() { # NAME
	grep '^{"disk":' "$dir/err" >"$dir/counters"
	for counter in reads writes flushes discards; do
		if [ "$(head -n 2 "$dir/counters" | grep -c "\"${counter}_completed\":[1-9]")" = 2 ]; then echo "ok $counter-are-counted-$1"; else echo "FAIL $counter-are-counted-$1: $(head -c 600 "$dir/counters")"; fi
	done
	if sed -n 2p "$dir/counters" | grep -q '"uring_calls_registered":[1-9]'; then echo "ok guest_memory_is_registered-$1"; else echo "FAIL guest_memory_is_registered-$1: $(sed -n 2p "$dir/counters" | head -c 1500)"; fi
	if tail -n 1 "$dir/counters" | grep -q '"faults":\[{.*"action":"errno".*"op":"read"'; then echo "ok the_firing_is_recorded-$1"; else echo "FAIL the_firing_is_recorded-$1: $(tail -n 1 "$dir/counters" | tail -c 300)"; fi
}

one 6.12
one 6.1

# Reports say what the disk did to a scenario.
"$KTSTR" run disk_reader --format json --disk 'ram:64M,fault=op=read,nth=5,action=delay:1ms' >"$dir/out" 2>"$dir/err" </dev/null
if grep -q '^{"scenario":"disk_reader".*"disks":\[{"disk":"ram:64M.*"faults":\[{[^]]*"action":"delay"[^]]*"op":"read"' "$dir/out"; then
	echo "ok a_run_records_the_firing"
else
	echo "FAIL a_run_records_the_firing: $(tail -n 3 "$dir/err" | tr '\n' ' ') $(head -c 300 "$dir/out")"
fi
