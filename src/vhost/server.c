// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/server.h"

#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct vhost_server {
	struct vhost_server_desc desc;
	int listen_fd;
	struct stat file; /* the socket file as we made it */
	struct vhost_session *session;
};

static int address_of(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret->sun_path))
		return err_new(-ENAMETOOLONG, "socket %s: at most %zu bytes", path,
			       sizeof(ret->sun_path) - 1);
	strcpy(ret->sun_path, path);
	return 0;
}

/* Take away a socket file whose server died. */
static int remove_dead_socket(const char *path, const struct sockaddr_un *address)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : err_new(-errno, "socket %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_new(-EEXIST, "socket %s: there is a file of that name", path);
	cleanup(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_new(-errno, "socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno != ECONNREFUSED)
		return err_new(-EADDRINUSE, "socket %s: somebody listens there", path);
	if (unlink(path) < 0)
		return err_new(-errno, "remove dead socket %s: %s", path, strerror(errno));
	return 0;
}

static int listen_on(struct vhost_server *server)
{
	const char *path = server->desc.path;
	struct sockaddr_un address;
	int r = address_of(path, &address);

	if (r >= 0)
		r = remove_dead_socket(path, &address);
	if (r < 0)
		return err_trace(r);
	cleanup(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_new(-errno, "socket: %s", strerror(errno));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_new(-errno, "bind %s: %s", path, strerror(errno));
	if (listen(fd, SOMAXCONN) < 0 || stat(path, &server->file) < 0)
		return err_new(-errno, "listen on %s: %s", path, strerror(errno));
	server->listen_fd = steal_fd(&fd);
	return 0;
}

int vhost_server_open(const struct vhost_server_desc *desc, struct vhost_server **ret)
{
	cleanup(vhost_server_closep) struct vhost_server *server = calloc(1, sizeof(*server));

	if (!server)
		return err_new(-ENOMEM, "vhost-user server");
	server->desc = *desc;
	server->listen_fd = -1;
	int r = listen_on(server);

	if (r < 0)
		return err_trace(r);
	*ret = steal_ptr(&server);
	return 0;
}

struct vhost_server *vhost_server_close(struct vhost_server *server)
{
	struct stat now;

	if (!server)
		return NULL;
	vhost_session_free(server->session);
	if (server->listen_fd >= 0 && stat(server->desc.path, &now) == 0 &&
	    now.st_ino == server->file.st_ino && now.st_dev == server->file.st_dev)
		unlink(server->desc.path);
	fd_close(server->listen_fd);
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
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

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
						: server->listen_fd,
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
