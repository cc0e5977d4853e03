#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: in-guest.sh KERNEL IO_VERIFY     What the stock driver of a guest does to scratch disks of 64 MiB with serial ktstr-disk and two
# queues, /dev/vda on a worker and /dev/vdb on io_uring, and to /dev/vdc, which cannot read its sectors 64 to 71.
verify=$2
run() { # CLAIM COMMAND...
	claim=$1
	shift
	if "$@" >/tmp/out 2>&1; then echo "ok $claim-$name"; else echo "FAIL $claim-$name: status $?: $(tail -n 3 /tmp/out | tr '\n' ' ')"; fi
}
is() { # WHAT WANTED
	[ "$1" = "$2" ] || { echo "got \"$1\", wanted \"$2\""; return 1; }
}
fails() {
	! "$@"
}
rebind() { # DISK
	drivers=/sys/bus/virtio/drivers/virtio_blk
	for device in "$drivers"/virtio*; do
		[ -d "$device/block/$1" ] && break
	done
	device=${device##*/}
	echo "$device" >"$drivers/unbind" && [ ! -b /dev/"$1" ] && echo "$device" >"$drivers/bind" && [ -b /dev/"$1" ]
}
scratch() { # DISK
	run two_queues_are_used is "$(echo $(ls /sys/block/"$1"/mq))" '0 1'
	run the_serial_is_read is "$(cat /sys/block/"$1"/serial)" ktstr-disk
	run raw_writes_discards_and_zeroes_verify "$verify" run /dev/"$1" 8 11
	run unbind_and_bind_bring_the_disk_back rebind "$1"
	run what_was_written_survives_a_rebind "$verify" check /dev/"$1" 8 11
	run mkfs mkfs.ext4 -q -F -E nodiscard /dev/"$1"
	run mount busybox mount -t ext4 -o discard /dev/"$1" /mnt
	run files_verify "$verify" run /mnt/file 4 12
	run umount busybox umount /mnt
	run e2fsck_finds_nothing e2fsck -fn /dev/"$1"
	run mount_again busybox mount -t ext4 /dev/"$1" /mnt
	run the_file_is_what_it_was "$verify" check /mnt/file 4 12
	run rm_and_fstrim sh -c 'busybox rm /mnt/file && busybox fstrim /mnt'
	run umount_again busybox umount /mnt
	run e2fsck_finds_nothing_after_the_trim e2fsck -fn /dev/"$1"
	run blkdiscard blkdiscard -f /dev/"$1"
}
mkdir -p /tmp /mnt
name=$1-worker
scratch vda
name=$1-uring
scratch vdb
name=$1
run a_fault_rule_reaches_the_reader fails busybox dd if=/dev/vdc of=/dev/null bs=4k iflag=direct
