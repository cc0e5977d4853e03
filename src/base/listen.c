// SPDX-License-Identifier: GPL-2.0-only
#include "base/listen.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

int listener_open(const char *path, struct listener *ret)
{
	struct sockaddr_un address;
	struct stat st;
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
	if (listen(fd, SOMAXCONN) < 0 || stat(path, &st) < 0)
		return err_new(-errno, "listen on %s: %s", path, strerror(errno));
	*ret = (struct listener){ path, steal_fd(&fd), st.st_dev, st.st_ino };
	return 0;
}

void listener_close(struct listener *l)
{
	struct stat now;

	if (l->fd >= 0 && stat(l->path, &now) == 0 && now.st_ino == l->ino && now.st_dev == l->dev)
		unlink(l->path);
	fd_close(l->fd);
	*l = LISTENER_NULL;
}
