#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Where system tests run, KVM is real, and the place is what host/carrier.h promises.
check() {
	what=$1
	shift
	if "$@" >/dev/null 2>&1; then echo "ok $what"; else echo "FAIL $what"; fi
}

check kvm_boots_kernels sh -c '"$KTSTR" doctor --json | grep -q "\"can_boot\":true"'
check vcpus_run_as_they_do_where_they_were_built "$KTSTR_BUILD/tests/unit/test-vmm-vcpu"
check machines_run_as_they_do_where_they_were_built "$KTSTR_BUILD/tests/unit/test-vmm-machine"
[ -n "$KTSTR_IN_CARRIER" ] || exit 0
check root_is_read_only sh -c '! touch /etc/ktstr-test'
check tmp_is_writable_and_shows_the_host sh -c 'test -e "$KTSTR" && touch /tmp/ktstr-test-file'
check leftovers_of_a_test_do_not_matter sh -c 'sleep 1000 & '
check the_carrier_says_so sh -c '"$KTSTR" doctor --json | grep -q "\"is_in_carrier\":true"'
