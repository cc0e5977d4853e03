#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is lost when a run is killed: nothing that was printed. Once the carrier's QEMU, once the harness itself.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ok() {
	if [ "$1" = "$2" ]; then echo "ok $3"; else echo "FAIL $3: got \"$1\", expected \"$2\": $(tail -2 "$dir/err")"; fi
}

# cut_short NAME WHAT: a run of many repetitions, whose QEMU or self is killed when two verdicts are known.
cut_short() {
	export XDG_STATE_HOME="$dir/$1"
	mkfifo "$dir/$1.out"
	"$KTSTR" run nice_pair --repeat 1000 --accel carrier --format json >"$dir/$1.out" 2>"$dir/err" </dev/null &
	pid=$!
	{
		read -r first
		read -r second
		case $2 in
		qemu) kill -KILL "$(pgrep -P $pid)" ;;
		self) kill -KILL $pid ;;
		esac
		printf '%s\n' "$first" "$second"
		cat
	} <"$dir/$1.out" >"$dir/$1.shown"
	wait $pid
	status=$?
	"$KTSTR" results >"$dir/$1.results"
	"$KTSTR" results --json >"$dir/$1.json"
	ok "$(grep -c "^{.scenario.:.nice_pair" <(head -2 "$dir/$1.shown"))" 2 "two_verdicts_were_shown/$1"
	# A verdict may be stored and its line lost; never the other way round.
	lost=$(grep '"scenario":"nice_pair"' "$dir/$1.shown" | grep '}$' | grep -vxFc -f "$dir/$1.json")
	ok "$lost" 0 "what_was_shown_is_stored/$1"
	ok "$(grep -c ' unfinished: ' "$dir/$1.results")" 1 "the_run_is_unfinished/$1"
	ok "$(grep -c '"unfinished_run":1,' "$dir/$1.json")" 1 "so_says_json/$1"
}

cut_short carrier qemu
ok $status 3 a_dead_carrier_is_exit_3
ok "$(grep -c 'the carrier died' "$dir/err")" 1 a_dead_carrier_is_named
cut_short harness self
ok $status 137 the_harness_was_killed
