// SPDX-License-Identifier: GPL-2.0-only
/* How the carrier's root is put together:
 *
 *   initramfs /            (init, modules)
 *   9p "root", read-only   becomes / ; on it:
 *     proc, sysfs, cgroup2, devtmpfs, devpts, and empty tmpfs on /run and /dev/shm
 *     overlays with a tmpfs above on whatever must be writable (/tmp, /var/tmp, state) */
#include "host/carrier_root.h"

#include "base/buf.h"
#include "base/path.h"
#include "base/util.h"
#include "host/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Holds the layers of overlays; in /run, so in memory. */
#define LAYERS_DIR "/run/ktstr-carrier"

struct mount_row {
	const char *source, *target, *type, *options;
	unsigned long flags;
};

static const struct mount_row early_mounts[] = {
	{ "proc", "/proc", "proc", NULL, 0 },
	{ "sysfs", "/sys", "sysfs", NULL, 0 },
	{ "devtmpfs", "/dev", "devtmpfs", NULL, 0 },
};

static const struct mount_row host_root = {
	"root", "/host", "9p", "trans=virtio,version=9p2000.L,msize=262144,cache=loose", MS_RDONLY,
};

static const struct mount_row late_mounts[] = {
	{ "proc", "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "cgroup2", "/sys/fs/cgroup", "cgroup2", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "devtmpfs", NULL, MS_NOSUID },
	{ "tmpfs", "/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV },
};

static const struct mount_row device_mounts[] = {
	{ "devpts", "/dev/pts", "devpts", "gid=5,mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC },
	{ "tmpfs", "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV },
};

static const struct {
	const char *target, *path;
} device_links[] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
};

static int mount_rows(const struct mount_row *rows, size_t count, bool make_targets)
{
	for (size_t i = 0; i < count; i++) {
		if (make_targets)
			mkdir(rows[i].target, 0755);
		if (mount(rows[i].source, rows[i].target, rows[i].type, rows[i].flags,
			  rows[i].options) < 0)
			return err_new(-errno, "mount %s on %s: %s", rows[i].type, rows[i].target,
				       strerror(errno));
	}
	return 0;
}

static int load_module(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", CARRIER_MODULES_DIR, name);
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_new(-errno, "module %s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		return err_new(-errno, "load module %s: %s", name, strerror(errno));
	unlink(path);
	return 0;
}

static int load_modules(void)
{
	cleanup(buf_deinit) struct buf list = BUF_NULL;
	int r = buf_read_file(&list, CARRIER_MODULES_LIST, 1 << 16);

	if (r < 0)
		return err_trace(r);
	for (char *at = list.data, *name; (name = strsep(&at, "\n"));) {
		if (!*name)
			continue;
		r = load_module(name);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

/* What switch_root does: the 9p mount moves over the initramfs and becomes the root. */
static int switch_root(void)
{
	if (chdir(host_root.target) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		return err_new(-errno, "make the host's files our root: %s", strerror(errno));
	return 0;
}

/* Tests talk to themselves over 127.0.0.1. */
static int bring_loopback_up(void)
{
	cleanup(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return err_new(-errno, "bring lo up: %s", strerror(errno));
	return 0;
}

static int mount_devices(void)
{
	int r = mount_rows(device_mounts, ARRAY_SIZE(device_mounts), true);

	if (r < 0)
		return err_trace(r);
	for (size_t i = 0; i < ARRAY_SIZE(device_links); i++) {
		if (symlink(device_links[i].target, device_links[i].path) < 0 && errno != EEXIST)
			return err_new(-errno, "link %s: %s", device_links[i].path,
				       strerror(errno));
	}
	return 0;
}

/* Guest memory in huge pages: each small page costs the guest an exit, and here exits are what
 * costs. And nobody moves memory behind the machine's back: khugepaged runs at nice 19 beside vCPUs
 * that never sleep (0.28 s of work took it 6.6 s of waiting), and what locks it holds meanwhile, a page
 * fault of a device's thread or of a vCPU would have to wait for. */
static const struct {
	const char *path, *value;
} memory_settings[] = {
	{ "/sys/kernel/mm/transparent_hugepage/shmem_enabled", "advise" },
	{ "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "4294967295" },
	{ "/proc/sys/vm/compaction_proactiveness", "0" },
};

/* A kernel without one of them is merely slower. */
static void settle_memory(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(memory_settings); i++) {
		const char *value = memory_settings[i].value;
		cleanup(fd_closep) int fd = open(memory_settings[i].path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write_all(fd, value, strlen(value)) < 0)
			fprintf(stderr, "%s: not set\n", memory_settings[i].path);
	}
}

int carrier_root_enter(void)
{
	static const char *const writable[] = { "/tmp", "/var/tmp" };
	int r = mount_rows(early_mounts, ARRAY_SIZE(early_mounts), true);

	if (r >= 0)
		r = load_modules();
	if (r >= 0)
		r = mount_rows(&host_root, 1, true);
	if (r >= 0)
		r = switch_root();
	if (r >= 0)
		r = mount_rows(late_mounts, ARRAY_SIZE(late_mounts), false);
	if (r >= 0)
		r = mount_devices();
	if (r >= 0)
		r = bring_loopback_up();
	if (r >= 0)
		settle_memory();
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(writable); i++)
		r = carrier_root_make_writable(writable[i]);
	return r < 0 ? err_trace(r) : 0;
}

/* @path or its nearest parent that is a directory, in place. */
static void shorten_to_existing(char *path)
{
	struct stat st;

	while (strcmp(path, "/") && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
		dirname(path);
}

static int mount_overlay(const char *dir)
{
	char base[] = LAYERS_DIR "/XXXXXX", upper[PATH_MAX], work[PATH_MAX];
	cleanup(buf_deinit) struct buf options = BUF_NULL;
	struct stat st;

	mkdir(LAYERS_DIR, 0700);
	if (stat(dir, &st) < 0 || !mkdtemp(base))
		return err_new(-errno, "layer over %s: %s", dir, strerror(errno));
	snprintf(upper, sizeof(upper), "%s/upper", base);
	snprintf(work, sizeof(work), "%s/work", base);
	/* The upper directory's mode is what the mount shows: /tmp must stay sticky and open. */
	if (mkdir(upper, 0700) < 0 || mkdir(work, 0700) < 0 || chmod(upper, st.st_mode & 07777) < 0)
		return err_new(-errno, "layer over %s: %s", dir, strerror(errno));
	buf_printf(&options, "upperdir=%s,workdir=%s,lowerdir=", upper, work);
	for (const char *c = dir; *c; c++)
		buf_printf(&options, strchr("\\,:", *c) ? "\\%c" : "%c", *c);
	if (mount("overlay", dir, "overlay", MS_NOSUID | MS_NODEV, buf_text(&options)) < 0)
		return err_new(-errno, "overlay over %s: %s", dir, strerror(errno));
	return 0;
}

int carrier_root_make_writable(const char *path)
{
	char dir[PATH_MAX];
	int r = 0;

	if (*path != '/' || strlen(path) >= sizeof(dir))
		return 0;
	strcpy(dir, path);
	shorten_to_existing(dir);
	if (!strcmp(dir, "/"))
		return 0;
	if (access(dir, W_OK) < 0)
		r = mount_overlay(dir);
	if (r >= 0)
		r = make_dirs(path);
	return r < 0 ? err_trace(r) : 0;
}

static bool has_serial(const char *sys_dir, const char *wanted)
{
	cleanup(buf_deinit) struct buf serial = BUF_NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/serial", sys_dir);
	if (buf_read_file(&serial, path, 64) < 0) {
		err_clear();
		return false;
	}
	return !strcmp(buf_text(&serial), wanted);
}

int carrier_root_bind_disk(unsigned index, const char *path)
{
	char wanted[32], device[PATH_MAX];
	struct stat st;
	glob_t found;
	int r;

	if (stat(path, &st) == 0 && S_ISBLK(st.st_mode))
		return 0;
	snprintf(wanted, sizeof(wanted), "ktstr%u", index);
	r = glob("/sys/block/vd*", 0, NULL, &found);
	if (r)
		return err_new(-ENODEV, "disk %s: no drive arrived in the carrier", path);
	r = err_new(-ENODEV, "disk %s: no drive with serial %s in the carrier", path, wanted);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!has_serial(found.gl_pathv[i], wanted))
			continue;
		snprintf(device, sizeof(device), "/dev/%s", basename(found.gl_pathv[i]));
		r = mount(device, path, NULL, MS_BIND, NULL) < 0
			    ? err_new(-errno, "bind %s over %s: %s", device, path, strerror(errno))
			    : 0;
		break;
	}
	globfree(&found);
	return r;
}

int carrier_root_mount_empty(const char *path)
{
	if (mount("results", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		return err_new(-errno, "results directory %s: %s", path, strerror(errno));
	return 0;
}

void carrier_root_umount(const char *path)
{
	umount2(path, MNT_DETACH);
}
