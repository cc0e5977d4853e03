#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A test author's way: install the library, build the example project against it, run its scenario in a machine: that program finds its
# own way into a carrier where it has to.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
step() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "ok $name"
	else
		echo "FAIL $name: $(tail -n 5 "$dir/log" | tr '\n' ' ')"
		exit
	fi
}

step library_headers_and_pc_file_install env DESTDIR="$dir" meson install -C "$KTSTR_BUILD" --no-rebuild
cp -r examples/own-scenario "$dir/project"
pc=$(find "$dir" -name ktstr.pc)
step example_builds_against_the_installed_library env PKG_CONFIG_PATH="$(dirname "$pc")" make -C "$dir/project" \
	PKG_CONFIG="pkg-config --define-variable=prefix=$dir/usr/local"
step example_lists_its_own_scenario sh -c '"$1" list | grep -qw batch_beside_service' - "$dir/project/own-scenario"
step example_has_no_shipped_scenario sh -c '! "$1" list | grep -q two_cgroups' - "$dir/project/own-scenario"
"$dir/project/own-scenario" run --no-store --format=json >"$dir/json" 2>"$dir/err"
if grep -q '"verdict":"PASS"' "$dir/json"; then
	echo "ok example_scenario_passes_in_a_machine"
else
	echo "FAIL example_scenario_passes_in_a_machine: $(cat "$dir/json" "$dir/err" | tr '\n' ' ' | tail -c 1500)"
fi
