// SPDX-License-Identifier: GPL-2.0-only
/* The rig's disk behind a vhost-user session: the tests of requests and framing that run on the
 * registers run here too, unchanged. Guest memory is two regions of one file, as on the MMIO face. */
#include "devices/blk/rig.h"
#include "vhost/client.h"
#include "vhost/session.h"

#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct rig_vhost {
	struct client c; /* its socket and its calls; rings and memory are the rig's */
	struct vhost_session *session;
	pthread_t thread;
};

static void *serve(void *ctx)
{
	struct rig_vhost *v = ctx;
	int r;

	do {
		struct pollfd p = { .fd = vhost_session_fd(v->session), .events = POLLIN };

		r = poll(&p, 1, -1) < 0 && errno != EINTR ? -errno
							  : vhost_session_serve(v->session);
	} while (r == 0);
	v->session = vhost_session_free(v->session);
	return NULL;
}

static void share_memory(struct rig *r)
{
	struct vhost_region_msg regions[2];
	int fds[] = { r->ram_fd, r->ram_fd };

	for (unsigned i = 0; i < 2; i++)
		regions[i] = (struct vhost_region_msg){
			.guest_addr = r->mem.regions[i].gpa,
			.bytes = r->mem.regions[i].bytes,
			.user_addr = (uintptr_t)r->mem.regions[i].host,
			.mmap_offset = r->mem.regions[i].gpa,
		};
	assert_int_equal(client_ask_memory(&r->vhost->c, regions, 2, fds, 2), 0);
}

static void attach(struct rig *r)
{
	static const struct vhost_report silent = { .ctx = NULL };
	struct rig_vhost *v = calloc(1, sizeof(*v));
	int sockets[2];

	assert_non_null(v);
	r->vhost = v;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	assert_int_equal(vhost_session_new(blk_virtio(r->blk), sockets[0], &silent, &v->session),
			 0);
	client_adopt(&v->c, sockets[1]);
	assert_int_equal(pthread_create(&v->thread, NULL, serve, v), 0);
}

static void detach(struct rig *r)
{
	shutdown(r->vhost->c.socket, SHUT_RDWR);
	pthread_join(r->vhost->thread, NULL);
	client_end(&r->vhost->c);
	free(r->vhost);
}

static void setup_queue(struct rig *r, unsigned q)
{
	struct client *c = &r->vhost->c;
	uint64_t at = (uintptr_t)rig_ring(r, q, 0);
	struct vhost_vring_addr_msg m = {
		.index = q, .desc = at, .avail = at + RIG_AVAIL, .used = at + RIG_USED
	};

	memset(rig_ring(r, q, 0), 0, RIG_RING_STRIDE);
	c->rings[q].kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(client_ask_state(c, VHOST_SET_VRING_NUM, q, RIG_QUEUE_SIZE), 0);
	assert_int_equal(client_ask(c, VHOST_SET_VRING_ADDR, &m, sizeof(m), NULL, 0), 0);
	assert_int_equal(client_ask_fd(c, VHOST_SET_VRING_CALL, q, r->irq_fd), 0);
	assert_int_equal(client_ask_fd(c, VHOST_SET_VRING_KICK, q, c->rings[q].kick_fd), 0);
	assert_int_equal(client_ask_state(c, VHOST_SET_VRING_ENABLE, q, 1), 0);
}

static void setup(struct rig *r, uint64_t features)
{
	struct client_setup s = { .features = features | UINT64_C(1) << VHOST_F_PROTOCOL_FEATURES };

	client_negotiate(&r->vhost->c, &s);
	share_memory(r);
	for (unsigned q = 0; q < r->queues; q++)
		setup_queue(r, q);
}

static void kick(struct rig *r, unsigned q)
{
	client_kick(&r->vhost->c, q);
}

/* An interrupt comes after its answer is visible: the first is waited for. */
static uint64_t irqs(struct rig *r)
{
	struct pollfd p = { .fd = r->irq_fd, .events = POLLIN };
	eventfd_t value = 0;

	if (poll(&p, 1, r->drained_irqs ? 0 : CLIENT_TIMEOUT_MS) == 1)
		assert_int_equal(eventfd_read(r->irq_fd, &value), 0);
	r->drained_irqs += value;
	return r->drained_irqs;
}

static const struct rig_face vhost_face = {
	.is_threaded = true,
	.attach = attach,
	.detach = detach,
	.setup = setup,
	.kick = kick,
	.irqs = irqs,
};

const struct rig_face *const rig_face = &vhost_face;
