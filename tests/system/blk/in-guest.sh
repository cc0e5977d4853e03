#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: in-guest.sh NAME IO_VERIFY      What the stock driver of a guest does to /dev/vda, a scratch disk of 64 MiB with serial
# ktstr-disk and two queues, and to /dev/vdb, which cannot read its sectors 64 to 71.
name=$1
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
rebind() {
	drivers=/sys/bus/virtio/drivers/virtio_blk
	for device in "$drivers"/virtio*; do
		[ -d "$device/block/vda" ] && break
	done
	device=${device##*/}
	echo "$device" >"$drivers/unbind" && [ ! -b /dev/vda ] && echo "$device" >"$drivers/bind" && [ -b /dev/vda ]
}
mkdir -p /tmp /mnt
run two_queues_are_used is "$(echo $(ls /sys/block/vda/mq))" '0 1'
run the_serial_is_read is "$(cat /sys/block/vda/serial)" ktstr-disk
run raw_writes_discards_and_zeroes_verify "$verify" run /dev/vda 8 11
run unbind_and_bind_bring_the_disk_back rebind
run what_was_written_survives_a_rebind "$verify" check /dev/vda 8 11
run mkfs mkfs.ext4 -q -F -E nodiscard /dev/vda
run mount busybox mount -t ext4 -o discard /dev/vda /mnt
run files_verify "$verify" run /mnt/file 4 12
run umount busybox umount /mnt
run e2fsck_finds_nothing e2fsck -fn /dev/vda
run mount_again busybox mount -t ext4 /dev/vda /mnt
run the_file_is_what_it_was "$verify" check /mnt/file 4 12
run rm_and_fstrim sh -c 'busybox rm /mnt/file && busybox fstrim /mnt'
run umount_again busybox umount /mnt
run e2fsck_finds_nothing_after_the_trim e2fsck -fn /dev/vda
run blkdiscard blkdiscard -f /dev/vda
run a_fault_rule_reaches_the_reader fails busybox dd if=/dev/vdb of=/dev/null bs=4k iflag=direct
