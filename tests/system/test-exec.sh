#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ktstr exec: a command of the host runs in the machine as if it ran here. One boot for each case.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

verdict() {
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "FAIL $1: got \"$2\", wanted \"$3\": $(tail -n 3 "$dir/err" | tr '\n' ' ')"; fi
}

in_machine() {
	"$KTSTR" exec "$@" 2>"$dir/err"
}

out=$(in_machine -- sh -c 'echo out; echo err >&2; exit 7')
verdict exit_status_is_the_commands $? 7
verdict stdout_is_the_commands "$out" out
verdict stderr_is_the_commands "$(tail -n 1 "$dir/err")" err

mkdir "$dir/tree"
echo included >"$dir/tree/file"
: >"$dir/disk"
truncate -s 16M "$dir/disk"
out=$(echo hello | in_machine --kernel 6.1 --topology 1n1l2c1t --include "$dir/tree" --include /usr/bin/cat --include /usr/bin/grep --disk "$dir/disk" --disk ram:8M -- \
	sh -c "cat; cat $dir/tree/file; read r </proc/sys/kernel/osrelease; echo \${r%.*}; grep -c ^processor /proc/cpuinfo; cat /sys/block/vda/size /sys/block/vdb/size
		printf written >/dev/vda")
verdict stdin_includes_kernel_cpus_and_disks "$(echo $out)" 'hello included 6.1 2 32768 16384'
verdict a_write_reaches_the_disks_file "$(head -c 7 "$dir/disk")" written

in_machine -- sh -c 'echo c >/proc/sysrq-trigger; sleep 100'
verdict a_panic_is_255 $? 255
verdict a_panic_shows_the_console "$(grep -c 'sysrq triggered crash' "$dir/err")" 1

in_machine --timeout 1 -- sleep 1000
verdict a_timeout_is_124 $? 124

in_machine -- sh -c 'kill -9 $$'
verdict a_signal_is_128_and_its_number $? 137

in_machine --kaslr -- true
verdict the_bzimage_boots_with_kaslr $? 0
