#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# fio of this host, with its checksums, on our disks in the machine: two kernels, and in each of them a disk on a worker and one on
# io_uring. fio and its libraries (84 MiB) come along on a third disk: of that a guest reads what it touches, while an initramfs would
# have to be unpacked whole.
command -v fio >/dev/null || { echo "fio is not installed"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/root/dev" "$dir/root/proc" "$dir/root/sys" "$dir/root/tmp"
fio=$(command -v fio)
cp -L --parents "$fio" $(ldd "$fio" | grep -o '/[^ ]*') "$dir/root" || exit 1
mkfs.ext4 -q -F -m 0 -O ^has_journal -d "$dir/root" "$dir/image" 192M >"$dir/err" 2>&1 || { tail -n 3 "$dir/err"; exit 1; }
rm -rf "$dir/root"

cat >"$dir/guest.sh" <<'GUEST'
busybox mkdir /root
busybox mount -t ext4 -o ro /dev/vdc /root && busybox mount -t devtmpfs dev /root/dev && busybox mount -t proc proc /root/proc || exit 1
busybox mount -t sysfs sys /root/sys && busybox mount -t tmpfs tmp /root/tmp || exit 1
cd /root/tmp
for disk in vda vdb; do
	busybox chroot /root "$1" --filename=/dev/$disk --ioengine=psync --direct=1 --thread --size=4M --bsrange=4k-64k \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --fsync=16 \
		--name=write --rw=randwrite --name=trim --stonewall --offset=8M --rw=trimwrite --bs=16k >out || exit 1
	busybox grep 'err= 0' out | busybox sed "s/^/$disk /"
done
GUEST

one() { # KERNEL
	rm -f "$dir/worker" "$dir/uring"
	truncate -s 16M "$dir/worker" "$dir/uring"
	"$KTSTR" exec --kernel "$1" --topology 1n1l2c1t --memory 768 --timeout 250 --module ext4 --module crc32c_generic --counters \
		--include "$dir/guest.sh" --include /usr/bin/busybox --disk "$dir/worker,queues=2" --disk "$dir/uring,queues=2,engine=uring" \
		--disk "$dir/image,ro" -- sh "$dir/guest.sh" "$fio" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	n=0
	for engine in worker:vda uring:vdb; do
		n=$((n + 1))
		name=$1-${engine%:*}
		if [ $status = 0 ] && [ "$(grep -c "^${engine#*:} .*err= 0" "$dir/out")" = 2 ]; then
			echo "ok fio_verifies_what_it_wrote-$name"
		else
			echo "FAIL fio_verifies_what_it_wrote-$name: status $status: $(tail -n 5 "$dir/err" "$dir/out" | tr '\n' ' ')"
		fi
		for counter in reads writes flushes discards; do
			if grep '^{"disk":' "$dir/err" | sed -n "${n}p" | grep -q "\"${counter}_completed\":[1-9]"; then
				echo "ok $counter-are-counted-$name"
			else
				echo "FAIL $counter-are-counted-$name"
			fi
		done
	done
}

one 6.12
one 6.1
