// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/server.h"

#include "base/cleanup.h"
#include "base/listen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

struct vhost_server {
	struct vhost_server_desc desc;
	struct listener listener;
	struct vhost_session *session;
};

int vhost_server_open(const struct vhost_server_desc *desc, struct vhost_server **ret)
{
	cleanup(vhost_server_closep) struct vhost_server *server = calloc(1, sizeof(*server));

	if (!server)
		return err_new(-ENOMEM, "vhost-user server");
	server->desc = *desc;
	server->listener = LISTENER_NULL;
	int r = listener_open(desc->path, &server->listener);

	if (r < 0)
		return err_trace(r);
	*ret = steal_ptr(&server);
	return 0;
}

struct vhost_server *vhost_server_close(struct vhost_server *server)
{
	if (!server)
		return NULL;
	vhost_session_free(server->session);
	listener_close(&server->listener);
	free(server);
	return NULL;
}

static void report_end(const struct vhost_server *server)
{
	const struct vhost_report *report = &server->desc.report;

	if (report->ended)
		report->ended(report->ctx, err_text());
	err_clear();
}

/* A connection that was given up while it waited, or a host that has no descriptor to spare, is no
 * reason to end. */
static void accept_next(struct vhost_server *server)
{
	int fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 &&
	    vhost_session_new(server->desc.dev, fd, &server->desc.report, &server->session) < 0)
		report_end(server);
}

static void serve_session(struct vhost_server *server)
{
	int r = vhost_session_serve(server->session);

	if (r < 0)
		report_end(server);
	if (r)
		server->session = vhost_session_free(server->session);
}

int vhost_server_run(struct vhost_server *server)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = server->desc.stop_fd, .events = POLLIN },
			{ .fd = server->session ? vhost_session_fd(server->session)
						: server->listener.fd,
			  .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return err_new(-errno, "poll: %s", strerror(errno));
		if (fds[0].revents)
			break;
		if (fds[1].revents && server->session)
			serve_session(server);
		else if (fds[1].revents)
			accept_next(server);
	}
	server->session = vhost_session_free(server->session);
	return 0;
}
