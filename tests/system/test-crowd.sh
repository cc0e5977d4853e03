#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# More vCPUs than the host has CPUs, by far: the run comes to verdicts in its time, and none of them blames the kernel.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$KTSTR" run two_cgroups --topology 2n4l4c2t --no-store --format=json >"$dir/out" 2>"$dir/err" </dev/null
status=$?
verdict=$(sed -n 's/^{"scenario":"two_cgroups".*"verdict":"\([A-Z]*\)".*/\1/p' "$dir/out")
case $verdict-$status in
PASS-0 | UNDECIDED-5) echo "ok thirty_two_vcpus_come_to_a_verdict" ;;
*) echo "FAIL thirty_two_vcpus_come_to_a_verdict: \"$verdict\", exit $status: $(tail -c 6000 "$dir/err" "$dir/out" | tr '\n' ' ')" ;;
esac
