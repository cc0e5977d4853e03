#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The mutation table, once: every fault is caught by the claims that must catch it and by no other (docs/honesty.md).
exec scripts/honesty --lines
