// SPDX-License-Identifier: GPL-2.0-only
/* Boot time and memory of our machine beside `qemu-system-x86_64 -M microvm`: the same kernel (an
 * unpacked vmlinux for both), initramfs, command line, 2 vCPUs and memory, interleaved in one run.
 *
 *   bench-boot ROUNDS [KERNEL]
 *
 * This program plays all parts: it measures; as `bench-boot --machine VMLINUX INITRAMFS` it is our
 * VMM and nothing else; as process 1 it is the guest's init, whose first act is a line on the
 * console with its uptime. Time runs from fork() of the VMM to that line. */
#include "base/buf.h"
#include "base/util.h"
#include "image/initramfs.h"
#include "image/kernel.h"
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INIT_LINE "BENCH-INIT "

enum { ROUNDS_MAX = 100, TIMEOUT_S = 120 };
/* A mapping of this size is guest memory, in either VMM. */
static const uint64_t guest_mapping_kib = 100 * 1024;
static const double ratio_limit = 0.6;

/* ---- the guest ---- */

static void __attribute__((noreturn)) be_init(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	dprintf(1, INIT_LINE "%" PRIu64 "\n",
		(uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec);
	for (;;)
		pause();
}

/* ---- our VMM ---- */

static int be_vmm(const char *kernel, const char *initramfs_path)
{
	cleanup(buf_deinit) struct buf initramfs = BUF_NULL;
	struct machine *m = NULL;
	int r = buf_read_file(&initramfs, initramfs_path, 256 * MIB);

	if (r >= 0)
		r = vmm_machine(kernel, &initramfs, NULL, &m);
	r = r < 0 ? 1 : vmm_run(m);
	fprintf(stderr, "bench-boot: %s\n", err_text());
	return r;
}

/* ---- measuring ---- */

struct contender {
	const char *name;
	const char *words[VMM_WORDS_MAX];
	double boot_s[ROUNDS_MAX], uptime_s[ROUNDS_MAX], rss_mib[ROUNDS_MAX];
};

/* Memory of @pid that is not the guest's. */
static int read_rss(pid_t pid, double *mib_ret)
{
	cleanup(buf_deinit) struct buf smaps = BUF_NULL;
	uint64_t size = 0, rss = 0, sum = 0;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	int r = buf_read_file(&smaps, path, 16 * MIB);
	if (r < 0)
		return err_trace(r);
	for (char *at = smaps.data, *line; (line = strsep(&at, "\n"));) {
		sscanf(line, "Size: %" SCNu64, &size);
		if (sscanf(line, "Rss: %" SCNu64, &rss) == 1 && size < guest_mapping_kib)
			sum += rss;
	}
	*mib_ret = (double)sum / 1024;
	return 0;
}

/* Read the console until init's whole line is there. */
static int await_init(int console_fd, double *uptime_s_ret)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	uint64_t deadline_ns = now_ns() + TIMEOUT_S * NSEC_PER_SEC;
	struct pollfd p = { console_fd, POLLIN, 0 };
	char chunk[512];
	const char *line;

	do {
		if (poll(&p, 1, timeout_ms_until(deadline_ns)) != 1)
			return err_new(-ETIMEDOUT, "no init after %d s: %s", TIMEOUT_S,
				       buf_text(&text));
		ssize_t n = read(console_fd, chunk, sizeof(chunk));
		if (n <= 0)
			return err_new(-EIO, "the VMM ended: %s", buf_text(&text));
		buf_add(&text, chunk, (size_t)n);
		line = strstr(buf_text(&text), INIT_LINE);
	} while (!line || !strchr(line, '\n'));
	*uptime_s_ret = strtod(line + strlen(INIT_LINE), NULL) / 1e9;
	return 0;
}

/* For bench-boot-carrier, which sees from outside what the carrier's CPU did in between. */
static void mark(const struct contender *c, const char *what)
{
	if (getenv("KTSTR_IN_CARRIER"))
		dprintf(1, "MARK %s %s\n", what, c->name);
}

static int run_round(struct contender *c, unsigned round)
{
	mark(c, "start");
	uint64_t start_ns = now_ns();
	int console_fd = -1;
	pid_t pid = -1;
	int r = vmm_spawn(c->words, TIMEOUT_S, &pid, &console_fd);

	if (r < 0)
		return err_trace(r);
	r = await_init(console_fd, &c->uptime_s[round]);
	c->boot_s[round] = (double)(now_ns() - start_ns) / 1e9;
	mark(c, "init");
	if (r >= 0)
		r = read_rss(pid, &c->rss_mib[round]);
	vmm_kill(pid);
	close(console_fd);
	return r < 0 ? err_prefix(r, "%s: ", c->name) : 0;
}

static void report(struct contender *ours, struct contender *reference, unsigned rounds)
{
	struct contender *const both[] = { ours, reference };
	double boot_s[2], uptime_s[2], rss_mib[2];

	for (unsigned i = 0; i < 2; i++) {
		struct contender *c = both[i];

		boot_s[i] = vmm_median(c->boot_s, rounds);
		uptime_s[i] = vmm_median(c->uptime_s, rounds);
		rss_mib[i] = vmm_median(c->rss_mib, rounds);
		printf("  %-14s boot %6.3f s (%.3f-%.3f)  guest uptime %6.3f s  memory beyond the "
		       "guest's %6.1f MiB\n",
		       c->name, boot_s[i], c->boot_s[0], c->boot_s[rounds - 1], uptime_s[i],
		       rss_mib[i]);
	}
	printf("  %-14s boot %6.2f                  guest uptime %6.2f    memory %.2f\n", "ratio",
	       boot_s[0] / boot_s[1], uptime_s[0] / uptime_s[1], rss_mib[0] / rss_mib[1]);
	printf("  boot: at most %.2f wanted: %s\n", ratio_limit,
	       boot_s[0] <= ratio_limit * boot_s[1] ? "held" : "MISSED");
}

static int measure(struct contender *ours, struct contender *reference, unsigned rounds)
{
	/* One round of each that does not count: page cache, TLBs, translated code. */
	for (unsigned i = 0; i <= rounds; i++) {
		unsigned slot = i ? i - 1 : 0;
		int r = run_round(ours, slot);

		if (r >= 0)
			r = run_round(reference, slot);
		if (r < 0)
			return err_trace(r);
		if (i)
			fprintf(stderr, "  round %u: %.3f s, %.3f s\n", i, ours->boot_s[slot],
				reference->boot_s[slot]);
	}
	return 0;
}

/* Our own command line for the reference, too. */
static int read_cmdline(const char *kernel, const struct buf *initramfs, char **ret)
{
	struct machine *m = NULL;
	int r = vmm_machine(kernel, initramfs, NULL, &m);

	if (r < 0)
		return err_trace(r);
	*ret = strdup(machine_cmdline(m));
	machine_free(m);
	return *ret ? 0 : err_new(-ENOMEM, "no memory");
}

static int make_initramfs(struct buf *bytes, char *path)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	int r = initramfs_new(&fs);

	if (r >= 0)
		r = initramfs_add_dir(fs, "/dev", 0755);
	if (r >= 0)
		r = initramfs_add_host_file(fs, "/init", "/proc/self/exe", 0755);
	if (r >= 0)
		r = initramfs_finish(fs, bytes);
	if (r < 0)
		return err_trace(r);
	cleanup(fd_closep) int fd = mkostemp(path, O_CLOEXEC);
	r = fd < 0 ? -errno : write_all(fd, bytes->data, bytes->len);
	return r < 0 ? err_new(r, "%s: %s", path, strerror(-r)) : 0;
}

static int run(const struct kernel_image *kernel, unsigned rounds)
{
	cleanup(buf_deinit) struct buf initramfs = BUF_NULL;
	cleanup(freep) char *cmdline = NULL;
	char path[] = "/tmp/ktstr-bench-XXXXXX";
	int r = make_initramfs(&initramfs, path);

	if (r >= 0)
		r = read_cmdline(kernel->vmlinux, &initramfs, &cmdline);
	cleanup(freep) struct contender *ours = calloc(1, sizeof(*ours));
	cleanup(freep) struct contender *reference = calloc(1, sizeof(*reference));
	if (r >= 0 && (!ours || !reference))
		r = err_new(-ENOMEM, "no memory");
	if (r >= 0) {
		ours->name = "ktstr machine";
		reference->name = "qemu microvm";
		memcpy(ours->words,
		       ((const char *const[]){ "/proc/self/exe", "--machine", kernel->vmlinux,
					       path }),
		       4 * sizeof(char *));
		vmm_qemu_words(reference->words, kernel->vmlinux, path, cmdline, NULL);
		setvbuf(stdout, NULL, _IOLBF, 0);
		printf("boot to the guest's init: %s, 2 vCPUs, %d MiB, medians of %u interleaved "
		       "rounds\n  %s\n",
		       kernel->release, VMM_MEMORY_MIB, rounds, cmdline);
		r = measure(ours, reference, rounds);
	}
	if (r >= 0)
		report(ours, reference, rounds);
	unlink(path);
	return r;
}

int main(int argc, char **argv)
{
	cleanup(kernel_image_deinit) struct kernel_image kernel = KERNEL_IMAGE_NULL;
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	if (getpid() == 1)
		be_init();
	if (argc == 4 && !strcmp(argv[1], "--machine"))
		return be_vmm(argv[2], argv[3]);
	if (rounds < 1 || rounds > ROUNDS_MAX || argc > 3) {
		fprintf(stderr, "usage: bench-boot ROUNDS(1-%d) [KERNEL]\n", ROUNDS_MAX);
		return 2;
	}
	int r = kernel_find(argc > 2 ? argv[2] : NULL, KERNEL_CLOUD, NULL, &kernel);
	if (r >= 0)
		r = run(&kernel, (unsigned)rounds);
	if (r < 0)
		fprintf(stderr, "bench-boot: %s\n", err_text());
	return r < 0;
}
