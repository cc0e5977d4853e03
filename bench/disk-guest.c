// SPDX-License-Identifier: GPL-2.0-only
/* The disk as a guest sees it: our machine beside `qemu-system-x86_64 -M microvm` with virtio-blk in
 * an I/O thread of its own; the same kernel, modules, init, I/O and image, interleaved in one run.
 *
 *   bench-disk-guest ROUNDS IMAGE [KERNEL]
 *
 * This program plays all parts, as bench-boot does: it measures; as `--machine VMLINUX INITRAMFS DISK`
 * it is our VMM; as process 1 it is the guest's init, which loads the drivers, does each line of
 * `lines` for a second with asynchronous O_DIRECT I/O, and prints requests per second. */
#include "base/buf.h"
#include "base/util.h"
#include "devices/blk/spec.h"
#include "image/initramfs.h"
#include "image/kernel.h"
#include "image/modules.h"
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define LINE_MARK "BENCH-IO "
#define END_MARK "BENCH-END"

enum { ROUNDS_MAX = 100, TIMEOUT_S = 120, DEPTH_MAX = 32 };

static const struct line {
	const char *name;
	unsigned bytes, depth;
	bool is_random, is_write;
} lines[] = {
	{ "4 KiB random read, depth 1", 4096, 1, true, false },
	{ "4 KiB random read, depth 32", 4096, 32, true, false },
	{ "4 KiB random write, depth 32", 4096, 32, true, true },
	{ "128 KiB sequential read, depth 8", 128 * 1024, 8, false, false },
};
enum { LINES = ARRAY_SIZE(lines) };

/* ---- the guest ---- */

struct guest_io {
	const struct line *line;
	int fd;
	aio_context_t aio;
	uint64_t slots, next; /* places of line->bytes on the disk */
	uint64_t random;
	char *memory;
	struct iocb iocbs[DEPTH_MAX];
};

static void __attribute__((noreturn)) give_up(const char *what)
{
	printf("bench init: %s: %s\n" END_MARK "\n", what, strerror(errno));
	for (;;)
		pause();
}

static int submit(struct guest_io *io, unsigned which)
{
	struct iocb *cb = &io->iocbs[which];
	uint64_t slot = io->next++;

	if (io->line->is_random) {
		io->random = io->random * 6364136223846793005u + 1442695040888963407u;
		slot = io->random >> 24;
	}
	*cb = (struct iocb){
		.aio_data = which,
		.aio_lio_opcode = io->line->is_write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)io->fd,
		.aio_buf = (uintptr_t)io->memory + (uint64_t)which * io->line->bytes,
		.aio_nbytes = io->line->bytes,
		.aio_offset = (int64_t)(slot % io->slots * io->line->bytes),
	};
	return syscall(SYS_io_submit, io->aio, 1, &cb) == 1 ? 0 : -1;
}

/* Keep @line->depth requests on the way for a second. Returns how many were answered in it. */
static double run_line(struct guest_io *io)
{
	struct io_event events[DEPTH_MAX];
	uint64_t start_ns = now_ns(), end_ns = start_ns + NSEC_PER_SEC, now = start_ns, done = 0;
	unsigned pending = 0;

	for (; pending < io->line->depth; pending++)
		if (submit(io, pending) < 0)
			give_up("io_submit");
	while (now < end_ns) {
		long n = syscall(SYS_io_getevents, io->aio, 1, DEPTH_MAX, events, NULL);

		for (long i = 0; i < n; i++)
			if (events[i].res != io->line->bytes ||
			    submit(io, (unsigned)events[i].data) < 0)
				give_up(io->line->name);
		done += n > 0 ? (uint64_t)n : 0;
		now = now_ns();
	}
	while (pending)
		pending -= (unsigned)syscall(SYS_io_getevents, io->aio, 1, DEPTH_MAX, events, NULL);
	return (double)done * 1e9 / (double)(now - start_ns);
}

static void load_modules(void)
{
	char path[32];

	for (unsigned i = 0;; i++) {
		snprintf(path, sizeof(path), "/modules/%u", i);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			give_up(path);
		close(fd);
	}
}

static void __attribute__((noreturn)) be_init(void)
{
	struct guest_io io = { .random = 1 };
	uint64_t bytes = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	load_modules();
	if (mount("dev", "/dev", "devtmpfs", 0, NULL) < 0)
		give_up("devtmpfs");
	io.fd = open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC);
	if (io.fd < 0 || ioctl(io.fd, BLKGETSIZE64, &bytes) < 0)
		give_up("/dev/vda");
	if (posix_memalign((void **)&io.memory, 4096, MIB * 4) ||
	    syscall(SYS_io_setup, DEPTH_MAX, &io.aio) < 0)
		give_up("memory");
	memset(io.memory, 0x5a, MIB * 4);
	for (unsigned i = 0; i < LINES; i++) {
		io.line = &lines[i];
		io.slots = bytes / lines[i].bytes;
		io.next = 0;
		printf(LINE_MARK "%u %.1f\n", i, run_line(&io));
	}
	printf(END_MARK "\n");
	for (;;)
		pause();
}

/* ---- our VMM ---- */

static int load_machine(const char *kernel, const char *initramfs_path, const char *disk,
			struct machine **ret)
{
	cleanup(buf_deinit) struct buf initramfs = BUF_NULL;
	struct blk_spec spec;
	int r = buf_read_file(&initramfs, initramfs_path, 256 * MIB);

	if (r >= 0)
		r = blk_spec_parse(disk, &spec);
	return r < 0 ? err_trace(r) : vmm_machine(kernel, &initramfs, &spec, ret);
}

static int be_vmm(char **argv)
{
	struct machine *m = NULL;
	int r = load_machine(argv[0], argv[1], argv[2], &m);

	r = r < 0 ? 1 : vmm_run(m);
	fprintf(stderr, "bench-disk-guest: %s\n", err_text());
	return r;
}

/* ---- measuring ---- */

struct contender {
	const char *name;
	const char *words[VMM_WORDS_MAX];
	double rates[LINES][ROUNDS_MAX];
};

/* Take the rates from the console. */
static int read_rates(FILE *console, struct contender *c, unsigned round)
{
	char text[512], last[512] = "";
	unsigned seen = 0, which;
	double rate;

	while (fgets(text, sizeof(text), console) && !strstr(text, END_MARK)) {
		const char *mark = strstr(text, LINE_MARK);

		memcpy(last, text, sizeof(last));
		if (!mark || sscanf(mark, LINE_MARK "%u %lf", &which, &rate) != 2 || which >= LINES)
			continue;
		c->rates[which][round] = rate;
		seen++;
	}
	return seen == LINES ? 0 : err_new(-EIO, "%s: ended early: %s", c->name, last);
}

static int run_round(struct contender *c, unsigned round)
{
	FILE *console = NULL;
	int console_fd = -1;
	pid_t pid = -1;
	int r = vmm_spawn(c->words, TIMEOUT_S, &pid, &console_fd);

	if (r < 0)
		return err_trace(r);
	console = fdopen(console_fd, "r");
	r = console ? read_rates(console, c, round) : err_new(-ENOMEM, "no memory");
	vmm_kill(pid);
	if (console)
		fclose(console);
	return r;
}

static void report(struct contender *ours, struct contender *reference, unsigned rounds)
{
	for (unsigned i = 0; i < LINES; i++) {
		double ratios[ROUNDS_MAX];

		for (unsigned round = 0; round < rounds; round++)
			ratios[round] = ours->rates[i][round] / reference->rates[i][round];
		printf("  %-34s %s %8.0f/s  %s %8.0f/s  ratio %.2f\n", lines[i].name, ours->name,
		       vmm_median(ours->rates[i], rounds), reference->name,
		       vmm_median(reference->rates[i], rounds), vmm_median(ratios, rounds));
	}
}

static int measure(struct contender *ours, struct contender *reference, unsigned rounds)
{
	for (unsigned round = 0; round < rounds; round++) {
		int r = run_round(ours, round);

		if (r >= 0)
			r = run_round(reference, round);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static int add_modules(struct initramfs *fs, const struct kernel_image *kernel)
{
	static const char *const names[] = { "virtio_mmio", "virtio_blk" };
	cleanup(module_list_deinit) struct module_list modules = MODULE_LIST_NULL;
	int r = modules_closure(kernel->modules_dir, names, ARRAY_SIZE(names), &modules);

	for (size_t i = 0; i < modules.count && r >= 0; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/modules/%zu", i);
		r = initramfs_add_data(fs, path, modules.all[i].bytes.data,
				       modules.all[i].bytes.len, 0644);
	}
	return r;
}

static int make_initramfs(const struct kernel_image *kernel, char *path)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(buf_deinit) struct buf bytes = BUF_NULL;
	int r = initramfs_new(&fs);

	if (r >= 0)
		r = initramfs_add_dir(fs, "/dev", 0755);
	if (r >= 0)
		r = initramfs_add_host_file(fs, "/init", "/proc/self/exe", 0755);
	if (r >= 0)
		r = add_modules(fs, kernel);
	if (r >= 0)
		r = initramfs_finish(fs, &bytes);
	if (r < 0)
		return err_trace(r);
	cleanup(fd_closep) int fd = mkostemp(path, O_CLOEXEC);
	r = fd < 0 ? -errno : write_all(fd, bytes.data, bytes.len);
	return r < 0 ? err_new(r, "%s: %s", path, strerror(-r)) : 0;
}

static int compare(const struct kernel_image *kernel, const char *image, const char *initramfs,
		   unsigned rounds)
{
	cleanup(freep) struct contender *ours = calloc(1, sizeof(*ours));
	cleanup(freep) struct contender *reference = calloc(1, sizeof(*reference));
	cleanup(buf_deinit) struct buf drive = BUF_NULL, cmdline = BUF_NULL;
	struct machine *m = NULL;
	int r = load_machine(kernel->vmlinux, initramfs, image, &m);

	if (r < 0)
		return err_trace(r);
	buf_str(&cmdline, machine_cmdline(m));
	buf_printf(&drive, "if=none,id=d,format=raw,file=%s", image);
	machine_free(m);
	if (!ours || !reference || buf_ok(&drive) < 0 || buf_ok(&cmdline) < 0)
		return err_new(-ENOMEM, "no memory");
	ours->name = "ktstr machine";
	reference->name = "qemu microvm";
	memcpy(ours->words,
	       ((const char *const[]){ "/proc/self/exe", "--machine", kernel->vmlinux, initramfs,
				       image }),
	       5 * sizeof(char *));
	vmm_qemu_words(reference->words, kernel->vmlinux, initramfs, buf_text(&cmdline),
		       (const char *const[]){ "-global", "virtio-mmio.force-legacy=false",
					      "-object", "iothread,id=io", "-drive",
					      buf_text(&drive), "-device",
					      "virtio-blk-device,drive=d,iothread=io", NULL });
	r = measure(ours, reference, rounds);
	if (r >= 0)
		report(ours, reference, rounds);
	return r;
}

static int run(const struct kernel_image *kernel, const char *image, unsigned rounds)
{
	char path[] = "/tmp/ktstr-bench-XXXXXX";
	int r = make_initramfs(kernel, path);

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("disk in a guest: %s, 2 vCPUs, requests per second, medians of %u interleaved "
	       "rounds\n",
	       kernel->release, rounds);
	if (r >= 0)
		r = compare(kernel, image, path, rounds);
	unlink(path);
	return r;
}

int main(int argc, char **argv)
{
	cleanup(kernel_image_deinit) struct kernel_image kernel = KERNEL_IMAGE_NULL;
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	if (getpid() == 1)
		be_init();
	if (argc == 5 && !strcmp(argv[1], "--machine"))
		return be_vmm(argv + 2);
	if (rounds < 1 || rounds > ROUNDS_MAX || argc < 3 || argc > 4) {
		fprintf(stderr, "usage: bench-disk-guest ROUNDS(1-%d) IMAGE [KERNEL]\n",
			ROUNDS_MAX);
		return 2;
	}
	int r = kernel_find(argc > 3 ? argv[3] : NULL, KERNEL_CLOUD, NULL, &kernel);
	if (r >= 0)
		r = run(&kernel, argv[2], (unsigned)rounds);
	if (r < 0)
		fprintf(stderr, "bench-disk-guest: %s\n", err_text());
	return r < 0;
}
