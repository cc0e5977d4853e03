// SPDX-License-Identifier: GPL-2.0-only
/* A hostile vhost-user front end: messages with descriptors of every kind, kicks, writes into shared
 * memory and its shrinking, in any order, on a real disk. Nothing may crash or hang; every reply has
 * its form; when the session is over, no descriptor and no mapping of it is left.
 *
 * The input is a list of records:
 *	0 REQUEST FLAGS COUNT KIND[COUNT] SIZE(2) PAYLOAD[SIZE]	a message; each KIND is a descriptor
 *	1 OFFSET(2) COUNT BYTES[COUNT]				a write into the shared memory
 *	2							a kick
 *	3 PAGES							the shared file is cut or grown */
#include "base/cleanup.h"
#include "devices/blk/blk.h"
#include "vhost/session.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_PAGES = 16, FILE_BYTES = FILE_PAGES * 4096, MAX_RECORDS = 256 };

#define MUST(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "vhost: %s\n", #claim);                                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct world {
	struct blk *blk;
	struct vhost_session *session;
	int peer;
	int memory_fd;
	int kick_fd;
	int call_fd;
};

struct input {
	const uint8_t *data;
	size_t left;
};

static unsigned take8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static unsigned take16(struct input *in)
{
	unsigned low = take8(in);

	return low | take8(in) << 8;
}

/* At most @len bytes, where they are. */
static const uint8_t *take_bytes(struct input *in, unsigned *len)
{
	const uint8_t *at = in->data;

	*len = MIN(*len, (unsigned)in->left);
	in->data += *len;
	in->left -= *len;
	return at;
}

static int fd_of_kind(const struct world *w, unsigned kind)
{
	const int fds[] = { w->memory_fd, w->kick_fd, w->call_fd, w->peer };

	return fds[kind % ARRAY_SIZE(fds)];
}

static void send_message(struct world *w, struct input *in)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 16)] = { 0 };
	struct vhost_header h = { .request = take8(in), .flags = take8(in) };
	unsigned fd_count = take8(in) % 12;
	int fds[16];

	for (unsigned i = 0; i < fd_count; i++)
		fds[i] = fd_of_kind(w, take8(in));
	unsigned size = take16(in), sent = size;
	const uint8_t *payload = take_bytes(in, &sent);
	struct iovec iov[] = { { &h, sizeof(h) }, { (void *)(uintptr_t)payload, sent } };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };

	h.size = size;
	if (fd_count) {
		mh.msg_control = control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *m = CMSG_FIRSTHDR(&mh);

		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(m), fds, sizeof(int) * fd_count);
	}
	ssize_t n = sendmsg(w->peer, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)n;
}

static void write_memory(struct world *w, struct input *in)
{
	unsigned offset = take16(in), count = take8(in);
	const uint8_t *bytes = take_bytes(in, &count);
	ssize_t n = pwrite(w->memory_fd, bytes, count, offset);

	(void)n;
}

static void kick(struct world *w)
{
	uint64_t one = 1;
	ssize_t n = write(w->kick_fd, &one, sizeof(one));

	(void)n;
}

static void cut_memory(struct world *w, struct input *in)
{
	MUST(ftruncate(w->memory_fd, (off_t)(take8(in) % (FILE_PAGES + 1)) * 4096) == 0);
}

/* Every reply that has come: header, flags, a payload of a possible size, and no descriptor kept. */
static void read_replies(struct world *w)
{
	struct vhost_config_msg payload;
	struct vhost_header h;

	while (recv(w->peer, &h, sizeof(h), MSG_DONTWAIT) == sizeof(h)) {
		MUST(h.flags == (VHOST_FLAG_VERSION | VHOST_FLAG_REPLY));
		MUST(h.request < VHOST_REQUEST_COUNT || h.size == 8);
		MUST(h.size <= sizeof(payload));
		MUST(!h.size || recv(w->peer, &payload, h.size, MSG_DONTWAIT) == h.size);
	}
}

/* One record. False when the session is over. */
static bool step(struct world *w, struct input *in)
{
	switch (take8(in) % 4) {
	case 0:
		send_message(w, in);
		break;
	case 1:
		write_memory(w, in);
		break;
	case 2:
		kick(w);
		break;
	case 3:
		cut_memory(w, in);
		break;
	}
	int r = 0;

	for (unsigned i = 0; i < 3 && !r; i++)
		r = vhost_session_serve(w->session);
	read_replies(w);
	return r == 0;
}

static unsigned open_fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void start(struct world *w)
{
	static const struct vhost_report silent = { .ctx = NULL };
	struct blk_spec *spec = malloc(sizeof(*spec));
	int sockets[2];

	MUST(spec && blk_spec_parse("ram:64K,engine=inline", spec) == 0);
	MUST(blk_new(spec, NULL, &w->blk) == 0);
	free(spec);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
	w->peer = sockets[1];
	w->memory_fd = memfd_create("fuzz", MFD_CLOEXEC);
	w->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	MUST(w->memory_fd >= 0 && ftruncate(w->memory_fd, FILE_BYTES) == 0);
	MUST(vhost_session_new(blk_virtio(w->blk), sockets[0], &silent, &w->session) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct world w;
	unsigned before = open_fd_count();

	start(&w);
	for (unsigned i = 0; i < MAX_RECORDS && in.left; i++)
		if (!step(&w, &in))
			break;
	vhost_session_free(w.session);
	blk_free(w.blk);
	close(w.peer);
	close(w.memory_fd);
	close(w.kick_fd);
	close(w.call_fd);
	err_clear();
	MUST(open_fd_count() == before);
	return 0;
}
