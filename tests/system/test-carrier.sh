#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Carriers from the outside: status, output, input, results, disks, deadlines, and that nothing stays behind.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

verdict() {
	[ "$1" = "$2" ] && echo "ok $3" || echo "FAIL $3: got \"$1\", expected \"$2\""
}

# One carrier for all that one can show: input, both outputs, status, results, a writable disk.
mkdir "$dir/results"
truncate -s 1M "$dir/disk"
printf 'from outside' >"$dir/in"
"$KTSTR" carrier --results "$dir/results" --rw-disk "$dir/disk" -- sh -c '
	cat
	echo to stderr >&2
	mkdir -p "$0/deep" && echo result >"$0/deep/file"
	printf inside | dd of="$1" bs=512 conv=notrunc status=none
	cat /sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs >"$0/khugepaged"
	port=$(basename "$(dirname "$(grep -l ktstr.delay /sys/class/virtio-ports/*/name)")")
	exec 3<>"/dev/$port"
	printf "?" >&3
	head -c 8 <&3 | od -An -tu8 | tr -d " " >"$0/delay"
	exit 42' "$dir/results" "$dir/disk" <"$dir/in" >"$dir/out" 2>"$dir/err"
verdict $? 42 exit_status_is_passed_through
verdict "$(cat "$dir/out")" "from outside" input_and_output_are_passed_through
verdict "$(tail -1 "$dir/err")" "to stderr" stderr_is_kept_apart
verdict "$(cat "$dir/results/deep/file")" result results_come_out
verdict "$(head -c 6 "$dir/disk")" inside a_writable_disk_is_written
delay=$(cat "$dir/results/delay")
verdict "$(grep -cE '^[1-9][0-9]*$' "$dir/results/delay"):$((delay == -1))" 1:0 the_host_tells_how_long_the_carrier_waited
verdict "$(cat "$dir/results/khugepaged")" 4294967295 nobody_moves_memory_behind_the_machine

"$KTSTR" carrier --timeout 2 -- sleep 1000 </dev/null >/dev/null 2>&1
verdict $? 124 a_deadline_ends_the_command

# Two side by side; the second is killed as hard as can be, and its QEMU goes with it.
mkfifo "$dir/says"
"$KTSTR" carrier -- echo first </dev/null >"$dir/first" 2>&1 &
first=$!
"$KTSTR" carrier -- sh -c 'echo up; sleep 1000' </dev/null >"$dir/says" 2>&1 &
second=$!
read -r -t 200 word <"$dir/says"
wait $first
verdict "$(cat "$dir/first") $word" "first up" carriers_run_side_by_side
qemu=$(pgrep -P $second)
kill -KILL $second
timeout 20 tail --pid="$qemu" -f /dev/null
verdict $? 0 no_qemu_survives_us

"$KTSTR" carrier -- sh -c 'echo up; sleep 1000' </dev/null >"$dir/says" 2>&1 &
third=$!
read -r -t 200 word <"$dir/says"
kill -TERM $third
wait $third
verdict $? 143 a_signal_ends_carrier_and_command

"$KTSTR" carrier --rw-disk /no/such/disk -- true </dev/null 2>"$dir/err"
verdict "$?: $(grep -c /no/such/disk "$dir/err")" "2: 1" a_missing_disk_is_named_before_anything_boots
"$KTSTR" carrier --kernel /etc/passwd -- true </dev/null 2>"$dir/err"
verdict "$?: $(grep -c /etc/passwd "$dir/err")" "3: 1" a_kernel_that_is_none_is_named
