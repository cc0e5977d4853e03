// SPDX-License-Identifier: GPL-2.0-only
/* Facts about this host from /proc, /sys and PATH. The KVM part is kvm_probe.c. */
#include "host/probe.h"

#include "base/buf.h"
#include "base/parse.h"
#include "base/util.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int host_find_program(const char *name, char **ret)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];

	if (strchr(name, '/')) {
		if (!is_program(name))
			return -ENOENT;
		*ret = strdup(name);
		return *ret ? 0 : -ENOMEM;
	}
	for (const char *at = path && *path ? path : "/usr/bin:/bin"; at;) {
		size_t length = strcspn(at, ":");

		snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, at, name);
		if (is_program(candidate)) {
			*ret = strdup(candidate);
			return *ret ? 0 : -ENOMEM;
		}
		at = at[length] ? at + length + 1 : NULL;
	}
	return -ENOENT;
}

/* The value of a "key : value" line of a /proc file; false if no line has that key. */
static bool find_value(const char *text, const char *key, char *ret, size_t ret_bytes)
{
	size_t length = strlen(key);

	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\n");

		if (!strncmp(line, key, length) && strspn(line + length, " \t:")) {
			const char *value = line + length + strspn(line + length, " \t:");

			snprintf(ret, ret_bytes, "%.*s", (int)(end - value), value);
			return true;
		}
		line = *end ? end + 1 : end;
	}
	return false;
}

/* The first line of file @root@path in @ret; false if it cannot be read. */
static bool read_line(const char *root, const char *path, char *ret, size_t ret_bytes)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (buf_read_file(&text, full, 1 << 16) < 0) {
		err_clear();
		return false;
	}
	snprintf(ret, ret_bytes, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
	return true;
}

/* How many members a list such as "0-3,8" has. */
static unsigned count_list(const char *list)
{
	unsigned count = 0;

	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (end == list)
			break;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last >= first)
			count += (unsigned)(last - first) + 1;
		list = *end == ',' ? end + 1 : end;
	}
	return count;
}

static bool read_cache(const char *root, unsigned index, unsigned cpus, struct host_cache *ret)
{
	static const char dir[] = "/sys/devices/system/cpu/cpu0/cache/index";
	char path[PATH_MAX], text[256];
	struct host_cache c = { 0 };
	unsigned sharing = 1;

	snprintf(path, sizeof(path), "%s%u/level", dir, index);
	if (!read_line(root, path, text, sizeof(text)))
		return false;
	c.level = (unsigned)strtoul(text, NULL, 10);
	snprintf(path, sizeof(path), "%s%u/type", dir, index);
	read_line(root, path, c.type, sizeof(c.type));
	snprintf(path, sizeof(path), "%s%u/size", dir, index);
	if (!read_line(root, path, text, sizeof(text)) || parse_bytes(text, &c.bytes) < 0)
		c.bytes = 0;
	snprintf(path, sizeof(path), "%s%u/shared_cpu_list", dir, index);
	if (read_line(root, path, text, sizeof(text)))
		sharing = count_list(text);
	c.instances = sharing ? (cpus + sharing - 1) / sharing : cpus;
	*ret = c;
	return true;
}

static uint64_t kib_value(const char *meminfo, const char *key)
{
	char text[64];

	return find_value(meminfo, key, text, sizeof(text)) ? strtoull(text, NULL, 10) * KIB : 0;
}

static int read_memory(const char *root, struct host_info *h)
{
	cleanup(buf_deinit) struct buf meminfo = BUF_NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	int r = buf_read_file(&meminfo, path, MIB);
	if (r < 0)
		return err_trace(r);
	h->memory_bytes = kib_value(buf_text(&meminfo), "MemTotal");
	h->memory_available_bytes = kib_value(buf_text(&meminfo), "MemAvailable");
	return 0;
}

static int read_cpus(const char *root, struct host_info *h)
{
	cleanup(buf_deinit) struct buf cpuinfo = BUF_NULL;
	char path[PATH_MAX], list[4096];
	cpu_set_t allowed;

	snprintf(path, sizeof(path), "%s/proc/cpuinfo", root);
	int r = buf_read_file(&cpuinfo, path, 16 * MIB);
	if (r < 0)
		return err_trace(r);
	if (!find_value(buf_text(&cpuinfo), "model name", h->model, sizeof(h->model)))
		snprintf(h->model, sizeof(h->model), "unknown CPU");
	if (read_line(root, "/sys/devices/system/cpu/online", list, sizeof(list)))
		h->cpus_online = count_list(list);
	h->nodes = read_line(root, "/sys/devices/system/node/online", list, sizeof(list))
			   ? count_list(list)
			   : 1;
	h->cpus_allowed = sched_getaffinity(0, sizeof(allowed), &allowed) == 0
				  ? (unsigned)CPU_COUNT(&allowed)
				  : h->cpus_online;
	return 0;
}

int host_info_read(const char *root, struct host_info *ret)
{
	struct host_info h = { .is_in_carrier = getenv("KTSTR_IN_CARRIER") != NULL };
	int r = read_cpus(root, &h);

	if (r >= 0)
		r = read_memory(root, &h);
	if (r < 0)
		return err_trace(r);
	while (h.cache_count < HOST_CACHES_MAX + 1 &&
	       read_cache(root, h.cache_count, h.cpus_online, &h.caches[h.cache_count]))
		h.cache_count++;
	if (!read_line(root, "/proc/sys/kernel/osrelease", h.kernel, sizeof(h.kernel)))
		snprintf(h.kernel, sizeof(h.kernel), "of unknown release");
	*ret = h;
	return 0;
}
