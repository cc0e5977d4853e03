// SPDX-License-Identifier: GPL-2.0-only
#include "vmm.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void print_console(void *ctx, const char *bytes, size_t n)
{
	if (write_all(1, bytes, n) < 0)
		exit(1);
}

int vmm_machine(const char *kernel, const struct buf *initramfs, const struct blk_spec *disk,
		struct machine **ret)
{
	struct machine_desc d = MACHINE_DESC_NULL;

	d.topology = (struct topology){ 1, 1, 2, 1 };
	d.memory_bytes = VMM_MEMORY_MIB * MIB;
	d.kernel_path = kernel;
	d.initrd = initramfs->data;
	d.initrd_bytes = initramfs->len;
	d.console = print_console;
	d.disks = disk;
	d.disk_count = disk ? 1 : 0;
	return machine_new(&d, ret);
}

int vmm_run(struct machine *m)
{
	struct pollfd end = { machine_end_fd(m), POLLIN, 0 };

	if (machine_start(m) == 0)
		while (poll(&end, 1, -1) < 0)
			;
	machine_free(m);
	return 1; /* the guest's init never ends it */
}

void vmm_qemu_words(const char **words, const char *kernel, const char *initramfs,
		    const char *cmdline, const char *const *more)
{
	/* rtc=on: without a clock the kernel waits ten seconds for one. */
	const char *const machine[] = { "qemu-system-x86_64",
					"-M",
					"microvm,rtc=on,auto-kernel-cmdline=off",
					"-enable-kvm",
					"-cpu",
					"host",
					"-smp",
					"2",
					"-m",
					"512",
					"-nodefaults",
					"-no-user-config",
					"-no-reboot",
					"-display",
					"none",
					"-serial",
					"stdio",
					"-kernel",
					kernel,
					"-initrd",
					initramfs,
					"-append",
					cmdline };
	size_t n = ARRAY_SIZE(machine);

	_Static_assert(VMM_MEMORY_MIB == 512, "both machines have the same memory");
	memcpy(words, machine, sizeof(machine));
	for (; more && *more && n < VMM_WORDS_MAX - 1; more++)
		words[n++] = *more;
	words[n] = NULL;
}

int vmm_spawn(const char *const *words, unsigned timeout_s, pid_t *pid_ret, int *console_ret)
{
	int console[2];

	if (pipe2(console, O_CLOEXEC) < 0)
		return err_new(-errno, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(timeout_s); /* survives exec */
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(console[1], 1);
		dup2(console[1], 2);
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	close(console[1]);
	*pid_ret = pid;
	*console_ret = console[0];
	return pid < 0 ? err_new(-errno, "fork: %s", strerror(errno)) : 0;
}

void vmm_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double vmm_median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
