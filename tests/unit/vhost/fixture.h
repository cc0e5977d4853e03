/* SPDX-License-Identifier: GPL-2.0-only */
/* A vhost-user server on a socket of its own, in a thread or in a process that can be killed. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

struct fixture {
	char dir[32];
	char path[64];	/* of the socket */
	char image[64]; /* a file for disks that must outlive the server */
	int stop_fd;
	pthread_t thread;
	pid_t pid; /* 0: a thread */
	struct blk *blk;
	struct vhost_server *server;
	int result;	   /* of vhost_server_run() */
	unsigned reported; /* connections ended by the server */
	char words[256];   /* of the last */
};

/* Make a directory and an image of @image_bytes zeros (0: none). */
void fixture_init(struct fixture *f, off_t image_bytes);
void fixture_deinit(struct fixture *f);

/* Serve @spec; "IMAGE" at its start stands for the image's path. */
void fixture_start(struct fixture *f, const char *spec);
/* As SIGTERM would; returns vhost_server_run()'s result. */
int fixture_stop(struct fixture *f);

/* The same in a process of its own, and its end without warning. */
void fixture_spawn(struct fixture *f, const char *spec);
void fixture_kill(struct fixture *f);
