// SPDX-License-Identifier: GPL-2.0-only
/* The console's life, its thread, and what the transport asks of it. The thread waits for edges on
 * kick eventfds and sockets and then does one pass over everything (console_serve.c); since a pass
 * tries each thing again, an edge that found nobody ready is not lost. The lock is held during a
 * pass and never while waiting, so taking it once means that no pass is under way. */
#include "base/cleanup.h"
#include "devices/console_internal.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Epoll tags: kicks carry their queue's number. */
enum { TAG_SOCKET = CONSOLE_QUEUE_COUNT, TAG_WAKE };

static struct console *console_of(struct virtio_device *dev)
{
	return container_of(dev, struct console, dev);
}

static void wake(struct console *c)
{
	/* It can only fail because the counter is full, and then a wake-up is pending anyway. */
	(void)eventfd_write(c->wake_fd, 1);
}

/* Device functions. */

static void config_read(struct virtio_device *dev, unsigned offset, void *buf, unsigned size)
{
	struct console *c = console_of(dev);

	pthread_mutex_lock(&c->lock);
	memcpy(buf, (const char *)&c->config + offset, size);
	pthread_mutex_unlock(&c->lock);
}

static void driver_ok(struct virtio_device *dev)
{
	struct console *c = console_of(dev);

	pthread_mutex_lock(&c->lock);
	/* 5.3.5: without MULTIPORT there is one port, and nobody to say that it is open. */
	if (!virtio_has_feature(dev, VIRTIO_CONSOLE_F_MULTIPORT))
		c->ports[CONSOLE_TTY].is_guest_open = true;
	pthread_mutex_unlock(&c->lock);
}

static void queue_live(struct virtio_device *dev, unsigned q)
{
	wake(console_of(dev));
}

/* Only reached if kicks have no eventfd, which console_new() sees to. */
static void notify(struct virtio_device *dev, unsigned q)
{
	wake(console_of(dev));
}

/* A chain that is partly in the socket is given up: what is out cannot be called back, and the
 * queue's next life must not be kept waiting by a full socket. */
static void queue_stop(struct virtio_device *dev, unsigned q, enum virtio_stop how)
{
	struct console *c = console_of(dev);

	pthread_mutex_lock(&c->lock);
	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++) {
		if (q == console_tx_queue(p))
			c->ports[p].has_chain = false;
	}
	pthread_mutex_unlock(&c->lock);
}

static void reset(struct virtio_device *dev)
{
	struct console *c = console_of(dev);

	pthread_mutex_lock(&c->lock);
	for (unsigned p = 0; p < CONSOLE_PORT_COUNT; p++) {
		c->ports[p].is_added = false;
		c->ports[p].is_ready = false;
		c->ports[p].is_guest_open = false;
		c->ports[p].to_tell = 0;
	}
	pthread_mutex_unlock(&c->lock);
}

static const struct virtio_device_ops console_ops = {
	.name = "virtio-console",
	.device_id = VIRTIO_ID_CONSOLE,
	.config_read = config_read,
	.driver_ok = driver_ok,
	.queue_live = queue_live,
	.notify = notify,
	.queue_stop = queue_stop,
	.reset = reset,
};

/* The thread. */

static void count_kicks(struct console *c, const struct epoll_event *events, int count)
{
	for (int i = 0; i < count; i++) {
		/* What an ignored kick announced is found when its queue goes live. */
		if (events[i].data.u32 < CONSOLE_QUEUE_COUNT)
			(void)!virtio_queue_accept_kick(&c->dev, events[i].data.u32);
	}
}

static void *console_main(void *arg)
{
	struct console *c = arg;
	struct epoll_event events[CONSOLE_QUEUE_COUNT + CONSOLE_PORT_COUNT + 1];
	bool is_left = true;

	while (!atomic_load(&c->is_stopping)) {
		int count = epoll_wait(c->epoll_fd, events, ARRAY_SIZE(events), is_left ? 0 : -1);

		count_kicks(c, events, count);
		is_left = console_serve(c);
	}
	return NULL;
}

static int watch(struct console *c, int fd, uint32_t tag, uint32_t events)
{
	struct epoll_event e = { .events = events | EPOLLET, .data.u32 = tag };

	if (epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &e))
		return err_new(-errno, "virtio-console: epoll: %s", strerror(errno));
	return 0;
}

static int watch_all(struct console *c)
{
	int r = watch(c, c->wake_fd, TAG_WAKE, EPOLLIN);

	for (unsigned q = 0; !r && q < CONSOLE_QUEUE_COUNT; q++)
		r = watch(c, c->dev.queues[q].kick_fd, q, EPOLLIN);
	for (unsigned p = 0; !r && p < CONSOLE_PORT_COUNT; p++) {
		if (c->ports[p].fd >= 0)
			r = watch(c, c->ports[p].fd, TAG_SOCKET, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	}
	return r < 0 ? err_trace(r) : 0;
}

static int open_fds(struct console *c)
{
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->epoll_fd < 0 || c->wake_fd < 0)
		return err_new(-errno, "virtio-console: %s", strerror(errno));
	int r = virtio_device_open_kicks(&c->dev);

	if (r < 0)
		return err_trace(r);
	r = watch_all(c);
	return r < 0 ? err_trace(r) : 0;
}

static void set_port(struct console *c, enum console_port p, int fd, const char *name)
{
	c->ports[p].fd = fd;
	c->ports[p].name = name;
	c->ports[p].is_console = p == CONSOLE_TTY;
	c->ports[p].is_host_open = fd >= 0;
	c->ports[p].is_broken = fd < 0;
}

static void set_up(struct console *c, const struct console_desc *desc)
{
	set_port(c, CONSOLE_TTY, desc->tty_fd, NULL);
	set_port(c, CONSOLE_CTL, desc->ctl_fd, CONSOLE_CTL_NAME);
	c->config = (struct virtio_console_config){
		.cols = desc->cols ? desc->cols : 80,
		.rows = desc->rows ? desc->rows : 25,
		.max_nr_ports = CONSOLE_PORT_COUNT,
	};
	c->epoll_fd = c->wake_fd = -1;
	pthread_mutex_init(&c->lock, NULL);
}

int console_new(const struct console_desc *desc, struct console **ret)
{
	const uint64_t features =
		UINT64_C(1) << VIRTIO_CONSOLE_F_SIZE | UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT;
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return err_new(-ENOMEM, "virtio-console: out of memory");
	set_up(c, desc);
	/* The write register for emergencies is not offered and not part of the space. */
	int r = virtio_device_init(&c->dev, &console_ops, features,
				   offsetof(struct virtio_console_config, emerg_wr),
				   CONSOLE_QUEUE_COUNT, CONSOLE_QUEUE_SIZE);

	if (r == 0)
		r = open_fds(c);
	if (r < 0) {
		console_free(c);
		return err_trace(r);
	}
	*ret = c;
	return 0;
}

void console_free(struct console *c)
{
	if (!c)
		return;
	console_stop(c);
	fd_close(c->epoll_fd);
	fd_close(c->wake_fd);
	virtio_device_deinit(&c->dev);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct virtio_device *console_virtio(struct console *c)
{
	return &c->dev;
}

int console_start(struct console *c)
{
	if (c->has_thread)
		return 0;
	atomic_store(&c->is_stopping, false);
	int r = pthread_create(&c->thread, NULL, console_main, c);

	if (r)
		return err_new(-r, "virtio-console: thread: %s", strerror(r));
	c->has_thread = true;
	return 0;
}

void console_stop(struct console *c)
{
	if (!c->has_thread)
		return;
	atomic_store(&c->is_stopping, true);
	wake(c);
	pthread_join(c->thread, NULL);
	c->has_thread = false;
}

void console_pause(struct console *c)
{
	pthread_mutex_lock(&c->lock);
}

void console_resume(struct console *c)
{
	pthread_mutex_unlock(&c->lock);
}

bool console_serve(struct console *c)
{
	pthread_mutex_lock(&c->lock);
	bool is_left = console_pass(c);

	pthread_mutex_unlock(&c->lock);
	return is_left;
}

void console_resize(struct console *c, uint16_t cols, uint16_t rows)
{
	pthread_mutex_lock(&c->lock);
	virtio_config_touch(&c->dev);
	c->config.cols = cols;
	c->config.rows = rows;
	virtio_config_changed(&c->dev);
	if (c->ports[CONSOLE_TTY].is_ready)
		c->ports[CONSOLE_TTY].to_tell |= CONSOLE_TELL_RESIZE;
	pthread_mutex_unlock(&c->lock);
	wake(c);
}

const struct console_counters *console_counters(const struct console *c)
{
	return &c->counters;
}
