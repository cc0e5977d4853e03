#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ktstr doctor on this host, whatever it is.
check() {
	what=$1
	shift
	if "$@"; then echo "ok $what"; else echo "FAIL $what"; fi
}

json=$("$KTSTR" doctor --json)
check this_host_can_run_tests "$KTSTR" doctor
check json_is_valid sh -c 'printf %s "$1" | python3 -m json.tool >/dev/null' - "$json"
check text_says_what_it_comes_to sh -c '"$KTSTR" doctor | grep -q "^so  *tests run here"'
