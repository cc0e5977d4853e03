/* SPDX-License-Identifier: GPL-2.0-only */
/* The walk over one descriptor chain; private to the room. */
#pragma once

#include "virtio/vq.h"

/* Copy the chain that starts at descriptor @head (< size) into @ret, all of it but the token.
 * VQ_INTACT, or what is wrong with the ring. Loads each descriptor once, at most size + 65536. */
enum vq_breakage vq_walk(const struct vq *vq, uint16_t head, struct vq_chain *ret) must_check;
