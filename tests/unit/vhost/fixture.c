// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/fixture.h"

#include "base/cleanup.h"
#include "devices/blk/blk.h"
#include "vhost/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(bool is_fine, const char *what)
{
	if (is_fine)
		return;
	fprintf(stderr, "vhost fixture: %s: %s (%s)\n", what, strerror(errno), err_text());
	abort();
}

void fixture_init(struct fixture *f, off_t image_bytes)
{
	*f = (struct fixture){ .dir = "/tmp/ktstr-vhost-XXXXXX", .stop_fd = -1 };
	must(mkdtemp(f->dir), "mkdtemp");
	snprintf(f->path, sizeof(f->path), "%s/socket", f->dir);
	snprintf(f->image, sizeof(f->image), "%s/image", f->dir);
	if (!image_bytes)
		return;
	cleanup(fd_closep) int fd = open(f->image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0 && ftruncate(fd, image_bytes) == 0, "image");
}

void fixture_deinit(struct fixture *f)
{
	unlink(f->path);
	unlink(f->image);
	rmdir(f->dir);
	f->stop_fd = fd_close(f->stop_fd);
}

static void report(void *ctx, const char *words)
{
	struct fixture *f = ctx;

	f->reported++;
	snprintf(f->words, sizeof(f->words), "%s", words);
}

static void make(struct fixture *f, const char *text)
{
	cleanup(freep) struct blk_spec *spec = malloc(sizeof(*spec));
	char full[512];
	bool has_image = strncmp(text, "IMAGE", 5) == 0;

	snprintf(full, sizeof(full), "%s%s", has_image ? f->image : "", text + (has_image ? 5 : 0));
	must(spec && blk_spec_parse(full, spec) == 0, "spec");
	must(blk_new(spec, NULL, &f->blk) == 0 && blk_start(f->blk) == 0, "disk");
	struct vhost_server_desc desc = { .path = f->path,
					  .dev = blk_virtio(f->blk),
					  .stop_fd = f->stop_fd,
					  .report = { .ended = report, .ctx = f } };

	must(vhost_server_open(&desc, &f->server) == 0, "server");
}

static void *serve(void *ctx)
{
	struct fixture *f = ctx;

	f->result = vhost_server_run(f->server);
	return NULL;
}

void fixture_start(struct fixture *f, const char *spec)
{
	f->stop_fd = fd_close(f->stop_fd);
	f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(f->stop_fd >= 0, "eventfd");
	make(f, spec);
	must(pthread_create(&f->thread, NULL, serve, f) == 0, "thread");
}

int fixture_stop(struct fixture *f)
{
	uint64_t one = 1;

	must(write(f->stop_fd, &one, sizeof(one)) == sizeof(one), "stop");
	pthread_join(f->thread, NULL);
	f->server = vhost_server_close(f->server);
	f->blk = blk_free(f->blk);
	return f->result;
}

/* The child says through a pipe that it listens. */
void fixture_spawn(struct fixture *f, const char *spec)
{
	int ready[2];
	char byte = 0;

	must(pipe(ready) == 0, "pipe");
	f->pid = fork();
	must(f->pid >= 0, "fork");
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make(f, spec);
		must(write(ready[1], "r", 1) == 1, "ready");
		_exit(vhost_server_run(f->server) < 0);
	}
	close(ready[1]);
	must(read(ready[0], &byte, 1) == 1, "the server did not start");
	close(ready[0]);
}

void fixture_kill(struct fixture *f)
{
	int status;

	must(kill(f->pid, SIGKILL) == 0 && waitpid(f->pid, &status, 0) == f->pid, "kill");
	f->pid = 0;
}
