#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What being measured costs a worker, on this host.
exec "$KTSTR_BUILD/bench/bench-telemetry"
