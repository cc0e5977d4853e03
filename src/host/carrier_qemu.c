// SPDX-License-Identifier: GPL-2.0-only
/* One QEMU process. Its initramfs is a memfd and its stream a socket pair, so nothing of a carrier
 * has a name in the file system that could stay behind or collide with another carrier's. */
#include "host/carrier_qemu.h"

#include "base/util.h"
#include "host/carrier_port.h"
#include "host/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* mitigations=off: the carrier protects nobody from anybody, and every kernel entry is emulated.
 * tsc=reliable, nokaslr: no calibration, no relocation. noautogroup: the kernel's own threads, which
 * a machine waits for, compete with each vCPU and not with all of the session as one. panic=-1 with
 * -no-reboot ends QEMU. */
static const char kernel_arguments[] =
	"console=ttyS0 quiet panic=-1 reboot=t tsc=reliable nokaslr mitigations=off audit=0 "
	"init_on_alloc=0 random.trust_cpu=on noautogroup "
	"rcupdate.rcu_expedited=1 " CARRIER_ROLE_ARG;

static void add_word(struct buf *out, const char *word)
{
	buf_add(out, word, strlen(word) + 1);
}

static void add_words(struct buf *out, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_word(out, words[i]);
}

static void end_word(struct buf *out)
{
	buf_add(out, "", 1);
}

/* QEMU splits option values at commas; a comma of the path is written twice. */
static void add_path(struct buf *out, const char *path)
{
	for (; *path; path++)
		buf_str(out, *path == ',' ? ",," : (char[]){ *path, '\0' });
}

static void add_disk(struct buf *out, const char *path, unsigned index)
{
	add_word(out, "-drive");
	buf_printf(out, "if=none,id=disk%u,format=raw,discard=unmap,file=", index);
	add_path(out, path);
	end_word(out);
	add_word(out, "-device");
	buf_printf(out, "virtio-blk-pci,drive=disk%u,serial=ktstr%u", index, index);
	end_word(out);
}

static void add_socket(struct buf *out, const char *id, int fd)
{
	add_word(out, "-chardev");
	buf_printf(out, "socket,id=%s,fd=%d", id, fd);
	end_word(out);
}

void carrier_qemu_words(const struct carrier_desc *desc, const char *qemu,
			const struct carrier_qemu_fds *fds, struct buf *out)
{
	static const char *const machine[] = {
		"-name",
		"carrier,debug-threads=on",
		"-machine",
		"q35,usb=off,vmport=off,smbus=off,sata=off,hpet=off,graphics=off",
		"-accel",
		"tcg,thread=single",
		"-cpu",
		"max",
		"-smp",
		"1",
		"-nodefaults",
		"-no-user-config",
		"-no-reboot",
		"-display",
		"none",
		"-chardev",
		"stdio,id=console,signal=off",
		"-serial",
		"chardev:console",
		"-fsdev",
		"local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
		"-device",
		"virtio-9p-pci,fsdev=root,mount_tag=root",
		"-device",
		"virtio-serial-pci,max_ports=3",
		"-device",
		"virtserialport,chardev=stream,name=" CARRIER_PORT_NAME,
		"-device",
		"virtserialport,chardev=delay,name=" CARRIER_DELAY_PORT_NAME,
	};
	uint64_t memory_bytes = desc->memory_bytes ? desc->memory_bytes : CARRIER_MEMORY_DEFAULT;

	add_word(out, qemu);
	add_socket(out, "stream", fds->stream);
	add_socket(out, "delay", fds->delay);
	add_words(out, machine, ARRAY_SIZE(machine));
	add_word(out, "-m");
	buf_printf(out, "%llu", (unsigned long long)(memory_bytes / MIB));
	end_word(out);
	add_word(out, "-kernel");
	add_word(out, desc->kernel_path);
	add_word(out, "-initrd");
	buf_printf(out, "/proc/self/fd/%d", fds->initramfs);
	end_word(out);
	for (unsigned i = 0; i < desc->rw_disk_count; i++)
		add_disk(out, desc->rw_disks[i], i);
	add_word(out, "-append");
	add_word(out, kernel_arguments);
}

static int memfd_with(const void *data, size_t bytes, int *ret)
{
	cleanup(fd_closep) int fd = memfd_create("carrier-initramfs", MFD_CLOEXEC);

	if (fd < 0)
		return err_new(-errno, "carrier: memfd_create: %s", strerror(errno));
	int r = write_all(fd, data, bytes);
	if (r < 0)
		return err_new(r, "carrier: keep %zu bytes of initramfs in memory: %s", bytes,
			       strerror(-r));
	*ret = steal_fd(&fd);
	return 0;
}

static int check_files(const struct carrier_desc *desc)
{
	if (access(desc->kernel_path, R_OK) < 0)
		return err_new(-errno, "carrier kernel %s: %s", desc->kernel_path, strerror(errno));
	if (desc->rw_disk_count > CARRIER_RW_DISKS_MAX)
		return err_new(-EINVAL, "carrier: %u writable disks, at most %d",
			       desc->rw_disk_count, CARRIER_RW_DISKS_MAX);
	for (unsigned i = 0; i < desc->rw_disk_count; i++) {
		if (access(desc->rw_disks[i], R_OK | W_OK) < 0)
			return err_new(-errno, "disk %s: %s", desc->rw_disks[i], strerror(errno));
	}
	return 0;
}

struct qemu_spawn {
	const struct buf *words;
	int console_fd;
	int inherited[3]; /* descriptors that the words name */
};

/* In the child: nothing but system calls, our threads' locks may be held. Descriptors are made
 * inheritable here and not before, so that a second carrier started by another thread meanwhile
 * does not hold them open. */
static void become_qemu(char *const *argv, pid_t parent, const struct qemu_spawn *s)
{
	sigset_t none;
	int null_fd = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	/* The parent may have ended before the kernel knew that it should tell us. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(s->console_fd, 1) < 0 ||
	    dup2(s->console_fd, 2) < 0)
		_exit(127);
	for (size_t i = 0; i < ARRAY_SIZE(s->inherited); i++) {
		if (fcntl(s->inherited[i], F_SETFD, 0) < 0)
			_exit(127);
	}
	execv(argv[0], argv);
	_exit(127);
}

static int split_words(const struct buf *words, char ***ret)
{
	size_t count = 0;

	for (size_t at = 0; at < words->len; at += strlen(words->data + at) + 1)
		count++;
	char **argv = calloc(count + 1, sizeof(*argv));
	if (!argv)
		return err_new(-ENOMEM, "carrier: no memory for a command line");
	count = 0;
	for (size_t at = 0; at < words->len; at += strlen(words->data + at) + 1)
		argv[count++] = words->data + at;
	*ret = argv;
	return 0;
}

static int spawn(const struct qemu_spawn *s, pid_t *ret)
{
	cleanup(freep) char **argv = NULL;
	int r = buf_ok(s->words);

	if (r >= 0)
		r = split_words(s->words, &argv);
	if (r < 0)
		return err_trace(r);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return err_new(-errno, "carrier: fork: %s", strerror(errno));
	if (pid == 0)
		become_qemu(argv, parent, s);
	*ret = pid;
	return 0;
}

static int find_qemu(const struct carrier_desc *desc, char **ret)
{
	int r = host_find_program(desc->qemu ? desc->qemu : "qemu-system-x86_64", ret);

	if (r < 0)
		return err_new(r, "carrier: no %s here; install the package qemu-system-x86",
			       desc->qemu ? desc->qemu : "qemu-system-x86_64");
	return 0;
}

/* Of a stream; our end does not block. */
static int open_pair(int *ours_ret, int *theirs_ret)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_new(-errno, "carrier: socketpair: %s", strerror(errno));
	*ours_ret = ends[0];
	*theirs_ret = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		return err_new(-errno, "carrier: fcntl: %s", strerror(errno));
	return 0;
}

int carrier_qemu_start(const struct carrier_desc *desc, struct carrier_qemu *ret)
{
	cleanup(freep) char *qemu = NULL;
	cleanup(buf_deinit) struct buf words = BUF_NULL;
	cleanup(fd_closep) int initramfs_fd = -1;
	int r = check_files(desc);

	if (r >= 0)
		r = find_qemu(desc, &qemu);
	if (r >= 0)
		r = memfd_with(desc->initramfs, desc->initramfs_bytes, &initramfs_fd);
	if (r < 0)
		return err_trace(r);

	cleanup(fd_closep) int ours = -1;
	cleanup(fd_closep) int theirs = -1;
	cleanup(fd_closep) int delay_ours = -1;
	cleanup(fd_closep) int delay_theirs = -1;
	int console[2];
	r = open_pair(&ours, &theirs);
	if (r >= 0)
		r = open_pair(&delay_ours, &delay_theirs);
	if (r < 0)
		return err_trace(r);
	if (pipe2(console, O_CLOEXEC) < 0)
		return err_new(-errno, "carrier: pipe: %s", strerror(errno));
	cleanup(fd_closep) int console_ours = console[0];
	cleanup(fd_closep) int console_theirs = console[1];
	if (fcntl(console_ours, F_SETFL, O_NONBLOCK) < 0)
		return err_new(-errno, "carrier: fcntl: %s", strerror(errno));

	pid_t pid = 0;
	const struct carrier_qemu_fds fds = { theirs, delay_theirs, initramfs_fd };
	carrier_qemu_words(desc, qemu, &fds, &words);
	r = spawn(&(struct qemu_spawn){ &words,
					console_theirs,
					{ theirs, delay_theirs, initramfs_fd } },
		  &pid);
	if (r < 0)
		return err_trace(r);
	*ret = (struct carrier_qemu){
		.pid = pid,
		.stream_fd = steal_fd(&ours),
		.delay_fd = steal_fd(&delay_ours),
		.console_fd = steal_fd(&console_ours),
	};
	return 0;
}

void carrier_qemu_stop(struct carrier_qemu *q)
{
	if (q->pid) {
		kill(q->pid, SIGKILL);
		while (waitpid(q->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	fd_close(q->stream_fd);
	fd_close(q->delay_fd);
	fd_close(q->console_fd);
	*q = CARRIER_QEMU_NULL;
}
