// SPDX-License-Identifier: GPL-2.0-only
/* cgroup v2 by its files. */
#include "guest/cgroup.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/setup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CGROUP_FILE_MAX = 65536 };

/* "/sys/fs/cgroup/PATH/FILE"; without @path the root's, without @file the directory. */
static char *path_of(char out[PATH_MAX], const char *path, const char *file)
{
	snprintf(out, PATH_MAX, CGROUP_ROOT "%s%s%s%s", path ? "/" : "", path ? path : "",
		 file ? "/" : "", file ? file : "");
	return out;
}

static int write_knob(const char *path, const char *file, const char *text)
{
	char name[PATH_MAX];

	return write_file(path_of(name, path, file), text);
}

/* What the parent has, its children get; each controller alone, because some are refused (a parent
 * with processes of its own) and only those matter that a knob asks for, which then says so. */
static int enable_for_children(const char *parent)
{
	cleanup(buf_deinit) struct buf names = BUF_NULL;
	char file[PATH_MAX], *save = NULL;
	int r = buf_read_file(&names, path_of(file, parent, "cgroup.controllers"), CGROUP_FILE_MAX);

	if (r)
		return err_trace(r);
	for (char *name = names.len ? strtok_r(names.data, " \n", &save) : NULL; name;
	     name = strtok_r(NULL, " \n", &save)) {
		char word[64];

		snprintf(word, sizeof(word), "+%s", name);
		r = write_knob(parent, "cgroup.subtree_control", word);
		if (r && strcmp(name, "cpu") == 0)
			return err_prefix(r, "cgroup %s has workers of its own: ", parent);
		if (r)
			err_clear();
	}
	return 0;
}

static int enable_in_parent(const char *path)
{
	char parent[PLAN_PATH_BYTES];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	return enable_for_children(parent);
}

int cgroup_add(const struct plan_cgroup *c)
{
	char dir[PATH_MAX];
	int r = enable_in_parent(c->path);

	if (r)
		return err_trace(r);
	if (mkdir(path_of(dir, c->path, NULL), 0755))
		return err_new(-errno, "mkdir %s: %s", dir, strerror(errno));
	for (unsigned k = 0; k < KNOB_COUNT && !r; k++) {
		uint64_t period =
			c->knobs >> KNOB_PERIOD & 1 ? c->values[KNOB_PERIOD] : PLAN_PERIOD_US;

		if (c->knobs >> k & 1 && k != KNOB_PERIOD)
			r = cgroup_set(c->path, k, c->values[k], period, &c->cpuset);
	}
	return r;
}

/* The kernel refuses an empty cpuset.cpus where tasks are: back to no limit of its own is what its
 * parent has. */
static int clear_cpuset(const char *path)
{
	cleanup(buf_deinit) struct buf cpus = BUF_NULL;
	char parent[PLAN_PATH_BYTES], file[PATH_MAX], *slash;
	int r;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	r = buf_read_file(&cpus, path_of(file, slash ? parent : NULL, "cpuset.cpus.effective"),
			  CGROUP_FILE_MAX);
	return r ? r : write_knob(path, "cpuset.cpus", buf_text(&cpus));
}

static int set_cpuset(const char *path, const struct cpu_mask *mask)
{
	char text[MASK_TEXT_BYTES];

	if (mask_is_empty(mask))
		return clear_cpuset(path);
	return write_knob(path, "cpuset.cpus", mask_format(mask, text));
}

static int set_mems(const char *path, uint64_t nodes)
{
	struct cpu_mask mask = { .bits = { nodes } };
	char text[MASK_TEXT_BYTES];

	return write_knob(path, "cpuset.mems", mask_format(&mask, text));
}

static void format_value(char *text, size_t size, enum plan_knob knob, uint64_t value,
			 uint64_t extra)
{
	static const char *const partitions[] = { "member", "root", "isolated" };
	char max[32];

	snprintf(max, sizeof(max), value == PLAN_MAX ? "max" : "%" PRIu64, value);
	switch (knob) {
	case KNOB_PARTITION:
		snprintf(text, size, "%s", partitions[value % ARRAY_SIZE(partitions)]);
		break;
	case KNOB_WEIGHT_NICE:
		snprintf(text, size, "%" PRId64, (int64_t)value - 20);
		break;
	case KNOB_QUOTA:
		snprintf(text, size, "%s %" PRIu64, max, extra);
		break;
	case KNOB_UCLAMP_MIN:
	case KNOB_UCLAMP_MAX:
		snprintf(text, size, "%" PRIu64 ".%" PRIu64, value / 10, value % 10);
		break;
	case KNOB_IO_WEIGHT:
		snprintf(text, size, "default %" PRIu64, value);
		break;
	default:
		snprintf(text, size, "%s", max);
	}
}

int cgroup_set(const char *path, enum plan_knob knob, uint64_t value, uint64_t extra,
	       const struct cpu_mask *mask)
{
	char text[80];

	if (knob == KNOB_CPUSET)
		return set_cpuset(path, mask);
	if (knob == KNOB_MEMS)
		return set_mems(path, value);
	format_value(text, sizeof(text), knob, value, extra);
	return write_knob(path, plan_knob_name(knob), text);
}

static int read_cpuset(const char *path, struct buf *ret)
{
	char file[PATH_MAX];

	return buf_read_file(ret, path_of(file, path, "cpuset.cpus"), CGROUP_FILE_MAX);
}

int cgroup_swap_cpusets(const char *path, const char *other)
{
	cleanup(buf_deinit) struct buf a = BUF_NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	int r = read_cpuset(path, &a);

	if (!r)
		r = read_cpuset(other, &b);
	if (!r)
		r = write_knob(path, "cpuset.cpus", buf_text(&b));
	return r ? r : write_knob(other, "cpuset.cpus", buf_text(&a));
}

/* Wait until a line of cgroup.events is @line; the file wakes its readers when it changes. */
static int wait_event(const char *path, const char *line, uint64_t deadline_ns)
{
	char file[PATH_MAX], text[256];
	cleanup(fd_closep) int fd =
		open(path_of(file, path, "cgroup.events"), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_new(-errno, "open %s: %s", file, strerror(errno));
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

		if (n < 0)
			return err_new(-errno, "read %s: %s", file, strerror(errno));
		text[n] = '\0';
		if (strstr(text, line))
			return 0;
		if (!timeout_ms_until(deadline_ns))
			return err_new(-ETIMEDOUT, "%s does not say \"%s\"", file, line);
		if (poll(&p, 1, timeout_ms_until(deadline_ns)) < 0 && errno != EINTR)
			return err_new(-errno, "poll %s: %s", file, strerror(errno));
	}
}

int cgroup_freeze(const char *path, bool is_frozen, uint64_t deadline_ns)
{
	int r = write_knob(path, "cgroup.freeze", is_frozen ? "1" : "0");

	return r ? r : wait_event(path, is_frozen ? "frozen 1" : "frozen 0", deadline_ns);
}

static int remove_dir(const char *dir, const struct stat *st, int type, struct FTW *at)
{
	/* The root itself, and what is still in use, stay. */
	if (type == FTW_DP && at->level > 0)
		rmdir(dir);
	return 0;
}

static void remove_below(const char *dir)
{
	nftw(dir, remove_dir, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

int cgroup_remove(const char *path, uint64_t deadline_ns)
{
	char dir[PATH_MAX];
	int r = write_knob(path, "cgroup.kill", "1");

	if (!r)
		r = wait_event(path, "populated 0", deadline_ns);
	if (r)
		return err_trace(r);
	remove_below(path_of(dir, path, NULL));
	if (rmdir(dir))
		return err_new(-errno, "rmdir %s: %s", dir, strerror(errno));
	return 0;
}

void cgroup_sweep(void)
{
	remove_below(CGROUP_ROOT);
}

int cgroup_open(const char *path, int *fd_ret)
{
	char dir[PATH_MAX];
	int fd = open(path_of(dir, path, NULL), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_new(-errno, "open %s: %s", dir, strerror(errno));
	*fd_ret = fd;
	return 0;
}

int cgroup_move(const char *path, int pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", pid);
	return write_knob(path, "cgroup.procs", text);
}

static void read_stat_line(const char *key, uint64_t value, struct wire_cgroupstat *ret)
{
	static const struct {
		const char *key;
		size_t offset;
		uint64_t factor;
	} fields[] = {
		{ "usage_usec", offsetof(struct wire_cgroupstat, usage_ns), NSEC_PER_USEC },
		{ "nr_periods", offsetof(struct wire_cgroupstat, periods), 1 },
		{ "nr_throttled", offsetof(struct wire_cgroupstat, throttled), 1 },
		{ "throttled_usec", offsetof(struct wire_cgroupstat, throttled_ns), NSEC_PER_USEC },
		{ "nr_bursts", offsetof(struct wire_cgroupstat, bursts), 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].key, key) == 0)
			le64_put((char *)ret + fields[i].offset, value * fields[i].factor);
}

void cgroup_read_stat(const char *path, struct wire_cgroupstat *ret)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char file[PATH_MAX], key[64];
	uint64_t value;
	int used;

	if (buf_read_file(&text, path_of(file, path, "cpu.stat"), CGROUP_FILE_MAX)) {
		err_clear();
		return;
	}
	for (const char *at = buf_text(&text);
	     sscanf(at, "%63s %" SCNu64 "%n", key, &value, &used) == 2; at += used)
		read_stat_line(key, value, ret);
}

bool cgroup_has_oom_kill(const char *path)
{
	static const char key[] = "oom_kill ";
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char file[PATH_MAX];
	const char *line;

	if (buf_read_file(&text, path_of(file, path, "memory.events"), CGROUP_FILE_MAX)) {
		err_clear();
		return false;
	}
	line = strstr(buf_text(&text), key);
	return line && line[strlen(key)] != '0';
}
