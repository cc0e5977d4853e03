#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Programs of this host in the machine, with their figures: stress-ng, hackbench, cyclictest, fio; and a workload file of rt-app.
for tool in stress-ng hackbench cyclictest fio; do
	command -v $tool >/dev/null || { echo "$tool is not installed"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
from=tests/system/payload

says() { # NAME WANTED IS
	if [ "$2" = "$3" ]; then
		echo "ok $1"
	else
		echo "FAIL $1: \"$3\", wanted \"$2\": $(tail -n 3 "$dir/err" "$dir/out" | cut -c 1-600 | tr '\n' ' ')"
	fi
}

run() {
	"$KTSTR" run --no-store --format=json --timeout 200 "$@" >"$dir/out" 2>"$dir/err" </dev/null
}

# claim_of SCENARIO CLAIM: "VERDICT held", "VERDICT broken" of a claim that begins so.
claim_of() {
	python3 - "$dir/out" "$1" "$2" <<-'PYTHON'
		import json, sys
		for line in open(sys.argv[1]):
		    r = json.loads(line)
		    for c in r.get("claims", []):
		        if r.get("scenario") == sys.argv[2] and c["claim"].startswith(sys.argv[3]):
		            print(c["verdict"], "held" if c["held"] else "broken")
	PYTHON
}

# metric_of SCENARIO METRIC: is it there as a number?
metric_of() {
	python3 - "$dir/out" "$1" "$2" <<-'PYTHON'
		import json, sys
		for line in open(sys.argv[1]):
		    r = json.loads(line)
		    for p in r.get("payloads", []):
		        for m in p["metrics"]:
		            if r["scenario"] == sys.argv[2] and m["name"] == sys.argv[3]:
		                print("number" if isinstance(m["value"], (int, float)) else "none", p["end"])
	PYTHON
}

# A claim about time holds, whether noise leaves it undecided or not.
held() {
	claim_of "$1" "$2" | sed 's/UNDECIDED held/PASS held/'
}

run $from/tools.yaml $from/player.json
says stress_ng_did_its_operations "PASS held" "$(claim_of tool_stress_ng 'metric name=ops')"
says stress_ngs_rate_is_read_from_yaml "PASS held" "$(held tool_stress_ng 'metric name=rate')"
says hackbenchs_time_is_read_by_a_pattern "PASS held" "$(held tool_hackbench 'metric name=time')"
says cyclictest_did_its_cycles "PASS held" "$(claim_of tool_cyclictest 'metric name=cycles')"
says cyclictests_latency_is_read_from_json "PASS held" "$(held tool_cyclictest 'metric name=max')"
for tool in stress_ng hackbench cyclictest; do
	says "payloads_exit_is_claimed_without_a_word/$tool" "PASS held" "$(claim_of tool_$tool exit)"
done
says metrics_are_in_the_record "number exited" "$(metric_of tool_hackbench time)"
says a_payload_that_is_late_fails "FAIL broken" "$(claim_of tool_late exit)"
says tasks_of_rt_app_stay_on_their_cpus "PASS held" "$(claim_of player isolation)"
says tasks_of_rt_app_come_to_run "PASS held" "$(held player starvation)"
says tasks_of_rt_app_do_their_events "PASS held" "$(held player throughput)"

run $from/fio.yaml
says fio_read_what_it_was_told "PASS held" "$(claim_of tool_fio 'metric name=ios')"
says fio_met_no_error "PASS held" "$(claim_of tool_fio 'metric name=errors')"
says fios_rate_is_read_from_json "PASS held" "$(held tool_fio 'metric name=iops')"

# What can be known before anything boots is said then.
refused() { # NAME WORDS FILE
	"$KTSTR" run --no-store "$3" >"$dir/out" 2>"$dir/err" </dev/null
	says "$1" "2 $2" "$? $(cat "$dir/err")"
}
sed '/^---/,$d; s/stress-ng --cpu/no-such-tool --cpu/' $from/tools.yaml >"$dir/missing.yaml"
refused a_program_that_is_missing_is_said \
	'ktstr run: scenario tool_stress_ng: payload stress: command "no-such-tool": this host does not have it; install the package that brings it, or give its path' \
	"$dir/missing.yaml"
sed 's/"run": 5000/"lock": "m"/' $from/player.json >"$dir/lock.json"
refused an_event_that_is_not_taken_is_named \
	"ktstr run: $dir/lock.json: tasks.batch.lock: not taken; the events that are taken are run, sleep, timer and yield" "$dir/lock.json"
