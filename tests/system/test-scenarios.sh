#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The shipped scenarios on unchanged kernels: all of them on 6.12, some of each theme on 6.1. Each has a verdict; noise may leave a
# claim about time undecided, a kernel may lack what a scenario needs, but nothing fails.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# "NAME VERDICT" of each record of the last run.
run() {
	"$KTSTR" run --no-store --format=json "$@" >"$dir/out" 2>"$dir/err" </dev/null
	python3 -c '
import json, sys
for r in map(json.loads, sys.stdin):
    if "verdict" in r:
        print(r["scenario"], r["verdict"])' <"$dir/out" >"$dir/verdicts"
}

# judge LABEL NAME GOOD...: one of the verdicts GOOD.
judge() {
	label=$1
	name=$2
	shift 2
	verdict=$(sed -n "s/^$name //p" "$dir/verdicts")
	case " $* " in
	*" $verdict "*) echo "ok $label/$name" ;;
	*) echo "FAIL $label/$name: \"$verdict\": $(grep "^{\"scenario\":\"$name\"" "$dir/out" | cut -c1-1500) $(tail -2 "$dir/err")" ;;
	esac
}

"$KTSTR" list --json | python3 -c '
import json, sys
for s in json.load(sys.stdin):
    print(s["theme"], s["name"], "slow" if s["topology"] != "1n1l1c1t" or "disks" in s else "quick")' >"$dir/list"

count=$(wc -l <"$dir/list")
[ "$count" -ge 50 ] && echo ok at_least_50_scenarios || echo "FAIL at_least_50_scenarios: $count"
for theme in shares cpusets quota latency wakeups balancing numa realtime hotplug churn io storms; do
	grep -q "^$theme " "$dir/list" && echo "ok theme/$theme" || echo "FAIL theme/$theme: it has no scenario"
done

run
while read -r theme name kind; do
	judge unchanged_kernel "$name" PASS UNDECIDED
done <"$dir/list"

# The first two of each theme that share the smallest machine: one boot of 6.1.
quick=$(awk '$3 == "quick" && n[$1]++ < 2 { print $2 }' "$dir/list")
# shellcheck disable=SC2086 # one argument for each name
run --kernel 6.1 $quick
for name in $quick; do
	judge unchanged_6.1 "$name" PASS UNDECIDED SKIP
done
