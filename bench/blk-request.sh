#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Instructions that the block device spends on a 4 KiB write (engine inline, backing null: nothing is copied), by callgrind:
# repeatable, so a change shows. The figures of record are in docs/performance.md.
program=$KTSTR_BUILD/bench/bench-blk-request
command -v valgrind >/dev/null || { echo "block device: valgrind is not installed"; exit 0; }

count() { # REQUESTS BATCH OPTIONS
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 | sed -n 's/.*Collected : *//p'
}

# The difference of two runs leaves out start and end.
each() { # BATCH OPTIONS
	echo $((($(count 12800 "$@") - $(count 6400 "$@")) / 6400))
}

plain=$(each 1)
batched=$(each 32)
throttled=$(each 32 ,throttle=iops=1000000000,iops-burst=1000000)
echo "block device, instructions for each 4 KiB write (inline engine, null backing)"
echo "  one request a kick       $plain"
echo "  32 requests a kick       $batched"
echo "  32, with an idle limit   $throttled"
