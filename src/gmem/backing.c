// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory from a memfd: one shared mapping, so that a second process (a vhost-user server) or
 * a later copy-on-write fork can map the same pages. */
#include "base/cleanup.h"
#include "gmem/gmem.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

int gmem_backing_init(struct gmem_backing *ret, const char *name, uint64_t bytes)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!bytes || bytes % page_bytes || bytes > INT64_MAX)
		return err_new(-EINVAL, "guest memory of %" PRIu64 " bytes: not whole pages",
			       bytes);
	cleanup(fd_closep) int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return err_new(-errno, "guest memory: memfd_create: %s", strerror(errno));
	if (ftruncate(fd, (off_t)bytes))
		return err_new(-errno, "guest memory of %" PRIu64 " MiB: %s", bytes / MIB,
			       strerror(errno));
	void *host = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (host == MAP_FAILED)
		return err_new(-errno, "guest memory of %" PRIu64 " MiB: mmap: %s", bytes / MIB,
			       strerror(errno));
	*ret = (struct gmem_backing){ .fd = steal_fd(&fd), .bytes = bytes, .host = host };
	return 0;
}

void gmem_backing_deinit(struct gmem_backing *b)
{
	if (b->host)
		munmap(b->host, b->bytes);
	fd_close(b->fd);
	*b = GMEM_BACKING_NULL;
}
