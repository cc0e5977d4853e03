/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors on which a front end kicks us and is called by us. They are the front end's: it may
 * send something else, or change their mode under us. Any thread. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* Make a descriptor for events, an eventfd or a pipe of the front end (@fd stays the caller's), or
 * for signals a socket, into one that we can use without ever waiting. Returns it, the caller's to close; -EINVAL with words if
 * it is something else, or the host's refusal. */
enum vhost_event_use { VHOST_EVENT_WAIT, VHOST_EVENT_SIGNAL };
int vhost_event_fd(int fd, enum vhost_event_use use) must_check;

/* Take the events that have come, if any. */
void vhost_event_drain(int fd);

/* Would an access to @fd wait? False for what the front end cannot change: our own end of a pipe. */
bool vhost_event_can_block(int fd);

bool vhost_event_is_socket(int fd);
