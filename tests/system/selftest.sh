#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: selftest.sh SYSTEM_RUN    The runner of the system tests must be able to fail: each way a test can end, in a list of its own.
set -eu
runner=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/tests/system" "$dir/build"
cat >"$dir/tests/system/list.txt" <<'LIST'
# a comment
passes     host 20 echo fine
fails      host 20 echo "the reason"; exit 3
skips      host 20 echo first; echo "no such thing here"; exit 77
crashes    host 20 kill -SEGV $$
hangs      host 1  sleep 1000
two-parts  host 20 echo "ok one"; echo "skip two no reason"
half       host 20 echo "ok one"; echo "FAIL two"
liar       host 20 echo "ok one"; exit 1
no-program host 20 /no/such/program
forgets    host 20 sleep 1000 & echo done
LIST
cat >"$dir/expected" <<'EXPECTED'
FAIL crashes (exit status 139)
FAIL fails (exit status 3)
FAIL half/two
FAIL hangs (timeout)
FAIL liar (exit status 1)
FAIL no-program (exit status 127)
ok forgets
ok half/one
ok liar/one
ok passes
ok two-parts/one
skip skips (no such thing here)
skip two-parts/two no reason
EXPECTED
status=0
"$runner" "$dir" "$dir/build" "$dir/results" >"$dir/out" 2>&1 || status=$?
sed -E 's/ +/ /; s/,? ?\(?[0-9.]+ s\)$//; /exit status [0-9]+$/s/$/)/; s/ $//' "$dir/results" | LC_ALL=C sort >"$dir/got"
diff -u "$dir/expected" "$dir/got"
[ "$status" = 1 ]
grep -q '3 ok, 6 failed, 1 skipped' "$dir/out"
grep -q '| the reason' "$dir/out"
"$runner" "$dir" "$dir/build" "$dir/results" 'pass*' >/dev/null
[ "$(wc -l <"$dir/results")" = 1 ]
for bad in 'x nowhere 5 true' 'x host 0 true' 'x host 5'; do
	echo "$bad" >"$dir/tests/system/list.txt"
	status=0
	"$runner" "$dir" "$dir/build" "$dir/results" 2>"$dir/err" || status=$?
	[ "$status" = 2 ] && grep -q 'test x: expected NAME' "$dir/err"
done
