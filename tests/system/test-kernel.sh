#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Kernels as a user meets them: the commands, files that are none, packages that are cut, a disk that is full, a run that is killed.
# No network: the package is made around the kernel that is in the cache.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

verdict() {
	[ "$1" = "$2" ] && echo "ok $3" || echo "FAIL $3: got \"$1\", expected \"$2\""
}

# refused NAME WORDS COMMAND...: it ends with status 2 or 3, says WORDS, and takes no time for a boot.
refused() {
	name=$1
	words=$2
	shift 2
	said=$(timeout 20 "$@" 2>&1)
	status=$?
	case $status/$said in
	[23]/*"$words"*) echo "ok $name" ;;
	*) echo "FAIL $name: status $status, it said: $said" ;;
	esac
}

read -r release bzimage < <("$KTSTR" kernel list --json | python3 -c '
import json, sys
for k in json.load(sys.stdin):
    if k["default"]:
        print(k["release"], k["bzimage"])')
[ -n "$bzimage" ] || {
	echo "no kernel in the cache (ktstr kernel fetch)"
	exit 77
}

refused a_missing_file_is_refused 'No such file' "$KTSTR" run --kernel "$dir/none" two_cgroups
refused a_text_file_is_refused 'not a kernel' "$KTSTR" run --kernel /etc/passwd two_cgroups
refused a_program_is_refused 'not a kernel' "$KTSTR" run --kernel /bin/sh two_cgroups
refused an_unknown_version_is_refused 'ktstr kernel fetch 1.2' "$KTSTR" run --kernel 1.2 two_cgroups
head -c 3000000 "$bzimage" >"$dir/cut"
refused a_cut_kernel_is_refused truncated "$KTSTR" run --kernel "$dir/cut" two_cgroups
XDG_CACHE_HOME=$dir/empty refused an_empty_cache_says_what_to_do 'ktstr kernel fetch' "$KTSTR" run two_cgroups
refused a_verb_that_does_not_exist_is_refused 'list or fetch' "$KTSTR" kernel remove

# The default kernel as a package, in a cache of its own.
mkdir -p "$dir/tree/boot" "$dir/tree/lib/modules/$release" "$dir/tree/DEBIAN"
cp "$bzimage" "$dir/tree/boot/vmlinuz-$release"
touch "$dir/tree/lib/modules/$release/modules.order"
printf 'Package: linux-image-%s\nVersion: 6.12.1-1\nArchitecture: amd64\nMaintainer: a <a@b>\nInstalled-Size: 20000\nDescription: x\n' \
	"$release" >"$dir/tree/DEBIAN/control"
dpkg-deb -Znone --build "$dir/tree" "$dir/k.deb" >/dev/null || exit 1
export XDG_CACHE_HOME=$dir/cache
head -c 3000000 "$dir/k.deb" >"$dir/cut.deb"
refused a_cut_package_is_refused dpkg-deb "$KTSTR" kernel fetch "$dir/cut.deb"

(
	ulimit -f 1000
	trap '' XFSZ
	refused a_full_disk_is_said 'Wrote only' "$KTSTR" kernel fetch "$dir/k.deb"
)
verdict "$(find "$XDG_CACHE_HOME" -name 'tmp.*') $(ls "$XDG_CACHE_HOME/ktstr/kernels/vmlinux")" ' ' a_failure_leaves_nothing_behind

# Killed at its first word, which is "unpacking".
mkfifo "$dir/says"
"$KTSTR" kernel fetch "$dir/k.deb" >/dev/null 2>"$dir/says" &
killed=$!
read -r _ <"$dir/says"
kill -KILL $killed
wait $killed 2>/dev/null
for i in 1 2; do "$KTSTR" kernel fetch "$dir/k.deb" >"$dir/out$i" 2>"$dir/err$i" & done
wait
verdict "$(cat "$dir/out1" "$dir/out2")" "$release
$release" after_a_kill_two_at_once_both_get_it
verdict "$(find "$XDG_CACHE_HOME" -name 'tmp.*')" '' a_killed_run_is_cleaned_up
"$KTSTR" kernel fetch >"$dir/out" 2>"$dir/err"
verdict "$? $(cat "$dir/out") $(cat "$dir/err")" "0 $release " a_cached_kernel_is_not_fetched_again
cmp -s "$(find "$XDG_CACHE_HOME" -name 'vmlinuz-*')" "$bzimage"
verdict $? 0 the_package_is_unpacked_unchanged
