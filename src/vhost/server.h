/* SPDX-License-Identifier: GPL-2.0-only */
/* A vhost-user server: a unix socket that front ends connect to, one at a time. While one is
 * served the next waits in the socket's backlog. A front end that misbehaves loses its connection
 * and is reported; the server goes on. */
#pragma once

#include "vhost/session.h"

struct vhost_server;

struct vhost_server_desc {
	const char *path; /* of the socket to make */
	struct virtio_device *dev;
	int stop_fd; /* vhost_server_run() ends when it becomes readable; borrowed */
	struct vhost_report report;
};

/* Bind and listen. A socket file that nobody listens on is replaced; one that is alive, or a file
 * that is no socket, is not. 0; -EADDRINUSE, -EEXIST, -ENAMETOOLONG or the host's refusal, with
 * words. @desc's path and device must outlive the server. */
int vhost_server_open(const struct vhost_server_desc *desc, struct vhost_server **ret) must_check;

/* Serve until stop_fd is readable. The connection that is open then is ended as vhost_session_free()
 * does: what was started is finished and answered. 0, or a negative errno with words if the server
 * itself cannot go on. */
int vhost_server_run(struct vhost_server *server) must_check;

/* Close and remove the socket file, if it is still ours. NULL is fine. Returns NULL. */
struct vhost_server *vhost_server_close(struct vhost_server *server);

static inline void vhost_server_closep(struct vhost_server **server)
{
	*server = vhost_server_close(*server);
}
