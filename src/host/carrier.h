/* SPDX-License-Identifier: GPL-2.0-only */
/* The carrier: real KVM on a host that has none. QEMU emulates an x86 CPU with AMD SVM in software
 * (TCG), a stock kernel in it loads kvm-amd, and commands of ours run inside over the host's own
 * files, mounted read-only.
 *
 *   our process --spawns--> QEMU/TCG --boots--> carrier kernel + our binary as /init (role carrier)
 *        |                                              |  chroot into / of the host (9p,
 * read-only)
 *        '--- one byte stream, frames (carrier_frame.h) -'  runs CMD, streams its stdio, its status
 *
 * One emulated CPU, always: with two, multi-threaded TCG kills the carrier kernel within minutes.
 * Who wants two cores busy starts two carriers.
 *
 * Inside, CMD sees the host's files, its own environment and directory as outside, plus
 * KTSTR_IN_CARRIER=1. /tmp, /var/tmp and $XDG_STATE_HOME show the host's content; what is written
 * there is lost at the end. /run and /dev/shm are empty. What must come out is written below the
 * command's results_dir, goes to a disk in rw_disks, or, where it must survive the carrier's death,
 * to the command's record.
 *
 * Nothing here knows where kernels come from: the caller passes paths and the initramfs. */
#pragma once

#include "base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the caller's initramfs must hold: /init (our binary), and these modules with what they
 * depend on, named one per line in load order in CARRIER_MODULES_LIST, each file decompressed
 * beside it. irqbypass and ccp are kvm-amd's dependencies, netfs and 9pnet those of 9p. */
#define CARRIER_MODULES_DIR "/ktstr/modules"
#define CARRIER_MODULES_LIST "/ktstr/modules.list"
extern const char *const carrier_modules[]; /* NULL at the end */

/* Kernel argument that makes our binary the carrier's init. The kernel passes arguments that are
 * not its own to process 1 as environment, which tells a carrier from a container whose process 1
 * we happen to be. */
#define CARRIER_ROLE_ARG "KTSTR_ROLE=carrier"

struct carrier_desc {
	const char *qemu;	 /* NULL: qemu-system-x86_64, looked up in PATH */
	const char *kernel_path; /* bzImage, or vmlinux, which boots 1.5 s sooner */
	const void *initramfs;	 /* borrowed until carrier_start() returns */
	size_t initramfs_bytes;
	uint64_t memory_bytes;	     /* 0: CARRIER_MEMORY_DEFAULT */
	uint64_t boot_timeout_ns;    /* 0: CARRIER_BOOT_TIMEOUT_NS */
	const char *const *rw_disks; /* absolute paths of files the commands may write */
	unsigned rw_disk_count;
	int signal_fd; /* carrier_signals_take(), or -1: nobody interrupts */
};

#define CARRIER_MEMORY_DEFAULT (UINT64_C(3) << 30)
#define CARRIER_BOOT_TIMEOUT_NS (UINT64_C(180) * UINT64_C(1000000000))
enum { CARRIER_RW_DISKS_MAX = 16 };

struct carrier_command {
	const char *const *argv; /* NULL at the end; argv[0] is looked up in the PATH of envp */
	const char *const *envp; /* NULL at the end; NULL: our own environment */
	const char *cwd;	 /* NULL: our own */
	const char *results_dir; /* NULL, or an absolute path: an empty writable directory inside;
				    its files arrive in the same directory outside, which exists */
	int stdin_fd;		 /* -1: empty */
	int stdout_fd;		 /* -1: discarded */
	int stderr_fd;		 /* -1: discarded */
	/* NULL; or it takes what the command writes to its descriptor CARRIER_RECORD_FD, in pieces,
	 * as they come. 0, or an error, which ends carrier_exec(). */
	int (*record)(void *ctx, const void *bytes, size_t len);
	void *record_ctx;
	bool is_tty;	     /* give the command a terminal; stdin_fd is one, in raw mode by us */
	uint64_t timeout_ns; /* 0: none */
};

enum carrier_end {
	CARRIER_EXITED,	     /* status: 0-255 */
	CARRIER_SIGNALLED,   /* the command was killed by signal `status` */
	CARRIER_TIMED_OUT,   /* deadline; the command was killed, the carrier lives */
	CARRIER_INTERRUPTED, /* our user sent signal `status`; stop the carrier now */
};

struct carrier_result {
	enum carrier_end end;
	int status;
	unsigned result_files; /* that arrived in results_dir */
};

struct carrier;

/* Boot a carrier and wait until it takes commands. Returns 0; CARRIER_INTERRUPTED if a signal
 * arrived first; -ENOENT if there is no QEMU, -ETIMEDOUT, -EIO if the carrier died, its last
 * console lines in the words. @ret is the caller's, for carrier_free(). The carrier ends with the
 * calling thread: call everything about one carrier from the thread that started it. */
int carrier_start(const struct carrier_desc *desc, struct carrier **ret) must_check;

/* Run one command to its end, after any number of others. Signals that arrive at desc.signal_fd
 * are passed to the command; one second later, or at the second signal, the carrier is given up.
 * Returns 0, also when the command failed (see @ret); -E2BIG if argv and environment exceed 1 MiB,
 * -EIO if the carrier died: only carrier_free() is left to do then. */
int carrier_exec(struct carrier *c, const struct carrier_command *command,
		 struct carrier_result *ret) must_check;

/* The last lines of the carrier's own console. Valid until the next call on @c. */
const char *carrier_console(const struct carrier *c);

/* Process id of its QEMU, for measurements. */
int carrier_pid(const struct carrier *c);

/* End the carrier at once and free it; NULL is fine. Returns NULL. */
struct carrier *carrier_free(struct carrier *c);
void carrier_freep(struct carrier **c);

/* Start, run one command, end. *@exit_status_ret as a shell would give it: the command's own, 128 +
 * signal, 124 after a timeout, 130 or 143 when interrupted. Takes SIGINT, SIGTERM, SIGHUP and
 * SIGWINCH for itself meanwhile if desc.signal_fd is -1. Errors as carrier_start() and
 * carrier_exec(). */
int carrier_run(const struct carrier_desc *desc, const struct carrier_command *command,
		int *exit_status_ret) must_check;

/* The exit status that a shell would give for @result. */
int carrier_exit_status(const struct carrier_result *result);

/* Block SIGINT, SIGTERM, SIGHUP and SIGWINCH in this thread (so before other threads exist) and
 * make them readable. *@old_ret is the mask for carrier_signals_give_back(). */
int carrier_signals_take(int *fd_ret, sigset_t *old_ret) must_check;
void carrier_signals_give_back(int *fd, const sigset_t *old);

/* Is this process running inside a carrier? */
bool carrier_is_inside(void);
