#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Bad input gets a clear error before anything boots: exit 2 (or 3 where the host is to blame), words that name the thing, no machine,
# no carrier. Runs on the host: none of these may get as far as needing KVM.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# refused NAME STATUS WORDS COMMAND...: the command ends with STATUS and says WORDS on stderr.
refused() {
	name=$1
	status=$2
	words=$3
	shift 3
	timeout 20 "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	if [ $got -eq "$status" ] && grep -qF -- "$words" "$dir/err" && ! grep -q 'running in the carrier' "$dir/err"; then
		echo "ok $name"
	else
		echo "FAIL $name (exit $got, wanted $status and \"$words\"): $(tr '\n' ' ' <"$dir/err")"
	fi
}

refused unknown_command 2 'no command is named rnu' "$KTSTR" rnu
refused unknown_option 2 'unrecognized option' "$KTSTR" run --frobnicate
refused unknown_scenario 2 'did you mean two_cgroups' "$KTSTR" run two_cgroup
refused unknown_format 2 'format' "$KTSTR" run --format=xml
refused topology_that_does_not_parse 2 '1n2l' "$KTSTR" run two_cgroups --topology 1n2l
refused topology_that_divides_unevenly 2 '2n3l4c1t' "$KTSTR" run two_cgroups --topology 2n3l4c1t
refused topology_without_a_cpu 2 '1n1l0c1t' "$KTSTR" run two_cgroups --topology 1n1l0c1t
refused more_memory_than_there_is 2 'memory' "$KTSTR" run two_cgroups --memory 99999999
refused memory_that_is_no_number 2 'lots' "$KTSTR" run two_cgroups --memory lots
refused missing_kernel 2 '/no/such/kernel' "$KTSTR" run two_cgroups --kernel /no/such/kernel
refused kernel_that_is_none 2 "$dir/text" sh -c 'seq 100000 >"$2"; "$1" run two_cgroups --kernel "$2"' - "$KTSTR" "$dir/text"
kernel=$("$KTSTR" kernel list | sed -n 's/^\* [^ ]* *//p')
head -c 1000000 "$kernel" >"$dir/truncated"
refused truncated_kernel 2 'truncated' "$KTSTR" run two_cgroups --kernel "$dir/truncated"
refused kernel_version_that_is_not_cached 2 '9.99' "$KTSTR" run two_cgroups --kernel 9.99
# What only means something beside the machine is refused where a carrier lies between; it is chosen by then, and not started.
for option in record control; do
	timeout 20 "$KTSTR" exec --accel carrier --disk "ram:1M,$option=$dir/$option" -- true >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	if [ $got -eq 3 ] && grep -qF "$option=$dir/$option would be" "$dir/err"; then
		echo "ok disk_$option-in-a-carrier"
	else
		echo "FAIL disk_$option-in-a-carrier (exit $got): $(tr '\n' ' ' <"$dir/err")"
	fi
done
refused missing_disk 2 '/no/such/disk' "$KTSTR" exec --disk /no/such/disk -- true
refused disk_option_that_is_none 2 'colour' "$KTSTR" exec --disk ram:64M,colour=red -- true
refused disk_of_no_size 2 'ram' "$KTSTR" exec --disk ram:0 -- true
refused disk_that_cannot_be_written 2 '/proc/version' "$KTSTR" exec --disk /proc/version -- true
refused include_that_is_missing 2 '/no/such/file' "$KTSTR" exec --include /no/such/file -- true
refused exec_without_a_command 2 'command' "$KTSTR" exec
refused timeout_that_is_none 2 'soon' "$KTSTR" run two_cgroups --timeout soon

printf 'scenario: a\nsummary: s\nhold: 5\n' >"$dir/unit.yaml"
refused yaml_without_a_unit 2 'unit.yaml:3:7' "$KTSTR" run "$dir/unit.yaml"
printf 'scenario: a\nsummary: s\nhold: 1s\ntopology: 1n2l4c1t\ncgroups:\n  - { name: a, cpuset: llc 7, workers: [{ work: spin }] }\nchecks: [isolation]\n' >"$dir/cpuset.yaml"
refused cpuset_outside_the_machine 2 'machine 1n2l4c1t has LLCs 0-1' "$KTSTR" run "$dir/cpuset.yaml"
printf 'scenario: a\nsummary: s\nhold: 1s\nworkers: [{ work: spni }]\nchecks: [isolation]\n' >"$dir/work.yaml"
refused unknown_workload 2 'spni' "$KTSTR" run "$dir/work.yaml"
refused dry_run_of_a_bad_scenario 2 'machine 1n2l4c1t has LLCs 0-1' "$KTSTR" run --dry-run "$dir/cpuset.yaml"
printf 'scenario: a\nsummary: s\nneeds: { features: [eevdf] }\nhold: 1s\nworkers: [{ work: spin }]\nchecks: [isolation]\n' >"$dir/feature.yaml"
refused unknown_feature 2 'feature.yaml:3:21: features "eevdf": expected one of sched_ext, ' "$KTSTR" run "$dir/feature.yaml"
printf 'scenario: a\nsummary: s\nhold: 1s\nworkers: [{ work: pipe_pingpong, count: 3 }]\nchecks: [isolation]\n' >"$dir/group.yaml"
refused count_that_splits_a_group 2 'scenario a' "$KTSTR" run "$dir/group.yaml"
printf 'scenario: a\nsummary: s\nhold: 1s\n---\nscenario: b\nsummary: s\nhold: 1s\n' >"$dir/two.yaml"
refused unknown_scenario_of_a_file 2 'is named c; it has a, b' "$KTSTR" list "$dir/two.yaml:c"
refused dry_run_as_ktap 2 'has no verdicts' "$KTSTR" run --dry-run --format=ktap nice_pair
refused list_of_features_with_a_name 2 '--features takes no names: x' "$KTSTR" list -F x
refused help_of_two_commands 2 'one name is enough: list' "$KTSTR" help run list
refused help_option_that_is_none 2 'unrecognized option' "$KTSTR" help --frobnicate
refused kernel_word_that_is_none 2 'ktstr kernel list' "$KTSTR" run two_cgroups --kernel nope
refused results_of_a_run_that_is_not_there 2 'there is no run 99999: nothing has run yet' env XDG_STATE_HOME="$dir" "$KTSTR" results --run 99999
printf '{"scenario": "a", "summary": "s"}' >"$dir/scenario.json"
refused scenario_in_a_json_file 2 'has to be named .yaml' "$KTSTR" run "$dir/scenario.json"
