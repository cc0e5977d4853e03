#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# An interrupt ends machine and carrier at once and leaves nothing behind.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/err"
# A shell's background job ignores SIGINT; a user's command does not.
setsid env --default-signal=INT "$KTSTR" run two_cgroups -v --accel carrier --no-store >/dev/null 2>"$dir/err" </dev/null &
pid=$!
# Its first line says that the carrier starts; the second is the guest's own, so the machine runs.
{ read -r _ && read -r _ && kill -INT $pid && cat >/dev/null; } <"$dir/err"
wait $pid
status=$?
if [ $status -eq 130 ]; then echo "ok an_interrupt_is_exit_130"; else echo "FAIL an_interrupt_is_exit_130: $status"; fi
left=$(pgrep -s $pid | tr '\n' ' ')
if [ -z "$left" ]; then echo "ok nothing_is_left_running"; else echo "FAIL nothing_is_left_running: $left"; fi
