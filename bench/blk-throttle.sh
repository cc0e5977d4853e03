#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# How exact the throttle is while it bites, and what it costs while it does not: our backend with limits far away against itself
# without any (ratios 1 and less than 1.02 are the aim). ROUNDS=n (default 201).
"$KTSTR_BUILD/bench/bench-blk-throttle" || exit
exec "$KTSTR_BUILD/bench/bench-vhost-blk" "$KTSTR" --reference ours --rounds "${ROUNDS:-201}" --seconds 0.03 \
	--disk-options ,throttle=iops=1000000000,iops-burst=1000000
