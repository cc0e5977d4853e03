// SPDX-License-Identifier: GPL-2.0-only
/* From a bare initramfs to a system that can run plans and commands. */
#include "guest/setup.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "wire/frame.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MODULES_LIST_MAX = 1 << 20, PORTS_NAME_MAX = 4096 };

int write_file(const char *path, const char *text)
{
	cleanup(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	r = write_all(fd, text, strlen(text));
	if (r)
		return err_new(r, "write \"%s\" to %s: %s", text, path, strerror(-r));
	return 0;
}

struct mount_point {
	const char *type;
	const char *path;
	const char *options;
	unsigned long flags;
	bool is_optional;
};

static const struct mount_point mount_points[] = {
	{ .type = "proc", .path = "/proc" },
	{ .type = "sysfs", .path = "/sys" },
	{ .type = "devtmpfs", .path = "/dev" },
	{ .type = "devpts", .path = "/dev/pts", .options = "ptmxmode=0666,mode=0620" },
	{ .type = "tmpfs", .path = "/dev/shm", .options = "mode=1777" },
	{ .type = "cgroup2", .path = "/sys/fs/cgroup" },
	{ .type = "debugfs", .path = "/sys/kernel/debug", .is_optional = true },
};

static int mount_one(const struct mount_point *m)
{
	if (mkdir(m->path, 0755) && errno != EEXIST && !m->is_optional)
		return err_new(-errno, "mkdir %s: %s", m->path, strerror(errno));
	/* EBUSY: the kernel has mounted it (CONFIG_DEVTMPFS_MOUNT). */
	if (mount(m->type, m->path, m->type, m->flags, m->options) && errno != EBUSY &&
	    !m->is_optional)
		return err_new(-errno, "mount %s on %s: %s", m->type, m->path, strerror(errno));
	return 0;
}

/* Every controller the kernel has, for the children of the root cgroup; each alone, because one
 * that cannot be had must not cost the others. */
static int enable_controllers(void)
{
	cleanup(buf_deinit) struct buf names = BUF_NULL;
	int r = buf_read_file(&names, "/sys/fs/cgroup/cgroup.controllers", 4096);
	char *save = NULL;

	if (r)
		return err_trace(r);
	for (char *name = strtok_r(names.data, " \n", &save); name;
	     name = strtok_r(NULL, " \n", &save)) {
		char word[64];

		snprintf(word, sizeof(word), "+%s", name);
		if (write_file("/sys/fs/cgroup/cgroup.subtree_control", word))
			err_clear();
	}
	return 0;
}

int setup_mounts(void)
{
	static const char *const links[][2] = { { "/proc/self/fd", "/dev/fd" },
						{ "/proc/self/fd/0", "/dev/stdin" },
						{ "/proc/self/fd/1", "/dev/stdout" },
						{ "/proc/self/fd/2", "/dev/stderr" } };

	/* The root is in memory as it is; what the host included below these stays visible. */
	if ((mkdir("/tmp", 01777) || chmod("/tmp", 01777) || mkdir("/run", 0755)) &&
	    errno != EEXIST)
		return err_new(-errno, "mkdir /tmp, /run: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++) {
		int r = mount_one(&mount_points[i]);

		if (r)
			return err_trace(r);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i][0], links[i][1]) && errno != EEXIST)
			return err_new(-errno, "symlink %s: %s", links[i][1], strerror(errno));
	return enable_controllers();
}

static int load_module(const char *name, uint32_t *count)
{
	char path[PATH_MAX];
	cleanup(fd_closep) int fd = -1;

	snprintf(path, sizeof(path), "/ktstr/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	if (!syscall(SYS_finit_module, fd, "", 0))
		(*count)++;
	else if (errno != EEXIST && errno != ENODEV)
		return err_new(-errno, "load module %s: %s%s", path, strerror(errno),
			       errno == ENOENT ? " (a symbol of a module that is not loaded)" : "");
	return 0;
}

int setup_modules(uint32_t *count_ret)
{
	cleanup(buf_deinit) struct buf list = BUF_NULL;
	uint32_t count = 0;
	char *save = NULL;
	int r;

	*count_ret = 0;
	if (access("/ktstr/modules.list", F_OK))
		return 0;
	r = buf_read_file(&list, "/ktstr/modules.list", MODULES_LIST_MAX);
	if (r)
		return err_trace(r);
	for (char *name = list.len ? strtok_r(list.data, "\n", &save) : NULL; name && !r;
	     name = strtok_r(NULL, "\n", &save))
		r = load_module(name, &count);
	*count_ret = count;
	return r;
}

static int raise_loopback(void)
{
	cleanup(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0)
		return err_new(-errno, "socket: %s", strerror(errno));
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		return err_new(-errno, "raise lo: %s", strerror(errno));
	return 0;
}

int setup_system(void)
{
	static const struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	static const struct rlimit unlimited = { .rlim_cur = RLIM_INFINITY,
						 .rlim_max = RLIM_INFINITY };
	int r;

	if (setrlimit(RLIMIT_NOFILE, &files) || setrlimit(RLIMIT_NPROC, &unlimited) ||
	    setrlimit(RLIMIT_MEMLOCK, &unlimited))
		return err_new(-errno, "setrlimit: %s", strerror(errno));
	/* A kernel without IPv4 runs everything but net_loopback, which will say so itself. */
	r = raise_loopback();
	if (r)
		err_clear();
	return 0;
}

int setup_cpus(void)
{
	char path[64];

	if (!getenv(WIRE_ONLINE_NAME))
		return 0;
	for (unsigned cpu = 1;; cpu++) {
		int r;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
		if (access(path, F_OK))
			return 0;
		r = write_file(path, "1");
		if (r)
			return err_trace(r);
	}
}

void setup_kill_all(void)
{
	if (getpid() == 1)
		kill(-1, SIGKILL);
}

/* Is @dir (an entry of /sys/class/virtio-ports) the port of that name? */
static bool is_port(const char *dir, const char *name)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", dir);
	if (buf_read_file(&text, path, PORTS_NAME_MAX)) {
		err_clear();
		return false;
	}
	if (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	return strcmp(buf_text(&text), name) == 0;
}

/* The open port in @fd_ret, or -1 in it if there is none of that name (yet). */
static int open_port(const char *name, int *fd_ret)
{
	DIR *ports = opendir("/sys/class/virtio-ports");
	char path[PATH_MAX] = "";

	*fd_ret = -1;
	if (!ports)
		return 0;
	for (struct dirent *e; !path[0] && (e = readdir(ports));)
		if (e->d_name[0] != '.' && is_port(e->d_name, name))
			snprintf(path, sizeof(path), "/dev/%s", e->d_name);
	closedir(ports);
	if (!path[0])
		return 0;
	*fd_ret = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	/* ENOENT: its uevent is on the way, its device node a moment behind. */
	if (*fd_ret < 0 && errno != ENOENT)
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	return 0;
}

static int open_uevents(int *fd_ret)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	cleanup(fd_closep) int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
					   NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return err_new(-errno, "listen to kernel events: %s", strerror(errno));
	*fd_ret = steal_fd(&fd);
	return 0;
}

/* Take all events that wait; their contents do not matter, each is a reason to look again. */
static void drain_uevents(int fd)
{
	char event[8192];

	while (recv(fd, event, sizeof(event), 0) > 0)
		;
}

int setup_port(const char *name, uint64_t deadline_ns, int *fd_ret)
{
	cleanup(fd_closep) int events = -1;
	int r = open_uevents(&events);

	if (r)
		return err_trace(r);
	for (;;) {
		struct pollfd p = { .fd = events, .events = POLLIN };

		/* Listening began before this look, so no event can fall between. */
		r = open_port(name, fd_ret);
		if (r || *fd_ret >= 0)
			return r;
		if (poll(&p, 1, timeout_ms_until(deadline_ns)) == 0)
			return err_new(-ETIMEDOUT, "no virtio-console port is named %s", name);
		drain_uevents(events);
	}
}
