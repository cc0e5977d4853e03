#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every verdict that a real guest can bring about, from PASS to BOOT, with its exit status.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# verdict_of SCENARIO: what the last run said about it.
verdict_of() {
	sed -n "s/^{\"scenario\":\"$1\",[^{]*\"verdict\":\"\([A-Z]*\)\".*/\1/p" "$dir/out" | head -1
}

run() {
	"$KTSTR" run --no-store --format=json "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
}

says() {
	if [ "$2" = "$3" ]; then
		echo "ok $1"
	else
		echo "FAIL $1: \"$3\", wanted \"$2\": $(tail -3 "$dir/err" "$dir/out" | tr '\n' ' ')"
	fi
}

# decided SCENARIO WORD HELD: its verdict; an UNDECIDED whose claims all were seen to hold (true) or of which one was seen broken (false)
# is taken for WORD: what a host that stops the carrier does to a verdict is no fault of the check.
decided() {
	verdict=$(verdict_of "$1")
	broken=$(grep "^{\"scenario\":\"$1\"," "$dir/out" | head -1 | grep -c '"held":false')
	case $verdict/$3/$broken in
	UNDECIDED/true/0 | UNDECIDED/false/1) echo "$2" ;;
	*) echo "$verdict" ;;
	esac
}

run nice_pair --repeat 3
says repetitions_share_a_machine 1 "$(grep -c '"boot_ns":[1-9]' "$dir/out")"
says repetitions_have_verdicts_of_their_own 3 "$(grep -c '"repeat":[123],"repeats":3,' "$dir/out")"

# Of every check one that must hold and one that must not, on both kernels.
checks="share starvation work_conservation isolation wake_latency throughput spread migration_ratio locality throttling
	deadline_misses exit metric"
for kernel in 6.12 6.1; do
	run 'must_*' -k $kernel
	for name in $checks; do
		says "true_claim_passes/$kernel/$name" PASS "$(decided must_pass_$name PASS true)"
		says "false_claim_fails/$kernel/$name" FAIL "$(decided must_fail_$name FAIL false)"
	done
	outright=$(grep -c '^{"scenario":"must_fail_[a-z_]*",[^{]*"verdict":"FAIL"' "$dir/out")
	says "most_false_claims_fail_outright/$kernel" yes "$([ "$outright" -ge 9 ] && echo yes || echo "$outright")"
	says "realtime_is_modelled/$kernel" PASS "$(verdict_of must_pass_share_realtime)"
	says "a_dead_kernel_fails/$kernel" FAIL "$(verdict_of must_fail_alive)"
	first=$(grep -c '^{"scenario":"must_fail_alive",.*Kernel panic - not syncing: sysrq triggered crash' "$dir/out")
	says "a_dead_kernel_says_what_it_died_of/$kernel" 1 "$first"
	says "a_fail_is_exit_1/$kernel" 1 $status
done

run weighted_cgroups --timeout 1
says no_end_in_time_is_timeout TIMEOUT "$(verdict_of weighted_cgroups)"
says a_timeout_is_exit_1 1 $status
says a_timeout_says_where_the_guest_stood 1 "$(grep -cE '"reason":"[^"]*; CPU 0 (halted|ran) at 0x[0-9a-f]+' "$dir/out")"

run nice_pair --append rdinit=/no/such/init
says a_kernel_that_dies_early_is_boot BOOT "$(verdict_of nice_pair)"
says a_boot_is_exit_3 3 $status

run cpuset_split --topology 1n1l2c1t
says unmet_needs_are_a_skip SKIP "$(verdict_of cpuset_split)"
says only_skips_are_exit_4 4 $status
