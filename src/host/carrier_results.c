// SPDX-License-Identifier: GPL-2.0-only
/* Both ends of the results channel. Outside, each part of a path is opened below the one before,
 * never following a link, so that nothing a carrier says can name a file elsewhere. */
#include "host/carrier_results.h"

#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

struct sender {
	int (*send)(void *ctx, enum carrier_frame_type type, const void *payload, size_t length);
	void *ctx;
	size_t dir_len; /* of the results directory's path */
};

static int send_data(const struct sender *s, int fd, const char *path)
{
	cleanup(freep) char *chunk = malloc(CARRIER_CHUNK_BYTES);

	if (!chunk)
		return err_new(-ENOMEM, "carrier: no memory to send %s", path);
	for (;;) {
		ssize_t n = read(fd, chunk, CARRIER_CHUNK_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_new(-errno, "carrier: read %s: %s", path, strerror(errno));
		if (n == 0)
			return 0;
		int r = s->send(s->ctx, CARRIER_FILE_DATA, chunk, (size_t)n);
		if (r < 0)
			return err_trace(r);
	}
}

static int send_file(const struct sender *s, const FTSENT *e)
{
	cleanup(buf_deinit) struct buf head = BUF_NULL;
	cleanup(fd_closep) int fd = open(e->fts_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const char *below = e->fts_path + s->dir_len + 1;
	char mode[4];

	if (fd < 0)
		return err_new(-errno, "carrier: open %s: %s", e->fts_path, strerror(errno));
	le32_put(mode, e->fts_statp->st_mode & 0777);
	buf_add(&head, mode, sizeof(mode));
	buf_add(&head, below, strlen(below) + 1);
	int r = buf_ok(&head);
	if (r >= 0)
		r = s->send(s->ctx, CARRIER_FILE, head.data, head.len);
	if (r >= 0)
		r = send_data(s, fd, e->fts_path);
	return r < 0 ? err_trace(r) : 0;
}

static void fts_closep(FTS **f)
{
	if (*f)
		fts_close(*f);
}

int carrier_results_send(const char *dir,
			 int (*send)(void *ctx, enum carrier_frame_type type, const void *payload,
				     size_t length),
			 void *ctx)
{
	struct sender s = { .send = send, .ctx = ctx, .dir_len = strlen(dir) };
	cleanup(freep) char *copy = strdup(dir);
	char *const roots[] = { copy, NULL };
	cleanup(fts_closep) FTS *walk =
		copy ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;

	if (!walk)
		return err_new(-errno, "carrier: walk %s: %s", dir, strerror(errno));
	for (FTSENT *e; (e = fts_read(walk));) {
		if (e->fts_info != FTS_F || !S_ISREG(e->fts_statp->st_mode))
			continue;
		int r = send_file(&s, e);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

int carrier_results_open(struct carrier_results *r, const char *dir)
{
	struct carrier_results fresh = CARRIER_RESULTS_NULL;

	if (dir) {
		fresh.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fresh.dir_fd < 0)
			return err_new(-errno, "results directory %s: %s", dir, strerror(errno));
	}
	*r = fresh;
	return 0;
}

static bool is_plain_name(const char *name)
{
	return *name && strcmp(name, ".") && strcmp(name, "..");
}

/* Open the directory that holds the last part of @path (which is cut into parts), making
 * directories on the way; *@name_ret is that last part. */
static int open_parent(int dir_fd, char *path, int *fd_ret, const char **name_ret)
{
	cleanup(fd_closep) int at = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);

	if (at < 0)
		return -errno;
	for (char *slash; (slash = strchr(path, '/')); path = slash + 1) {
		*slash = '\0';
		if (!is_plain_name(path))
			return -EPROTO;
		if (mkdirat(at, path, 0777) < 0 && errno != EEXIST)
			return -errno;
		int next = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		fd_close(at);
		at = next;
	}
	if (!is_plain_name(path))
		return -EPROTO;
	*name_ret = path;
	*fd_ret = steal_fd(&at);
	return 0;
}

static int begin_file(struct carrier_results *r, const struct carrier_frame *f)
{
	cleanup(fd_closep) int parent = -1;
	cleanup(freep) char *path = NULL;
	const char *name = NULL;

	if (r->dir_fd < 0 || f->length < 6 || f->payload[f->length - 1])
		return err_new(-EPROTO, "carrier: a result file that nobody asked for");
	const char *said = f->payload + 4;
	path = strdup(said);
	if (!path)
		return err_new(-ENOMEM, "carrier: no memory for a path");
	int e = open_parent(r->dir_fd, path, &parent, &name);
	if (e < 0)
		return err_new(e, "carrier: result file \"%s\": %s", said, strerror(-e));
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			le32_get(f->payload) & 0777);
	if (fd < 0)
		return err_new(-errno, "carrier: result file \"%s\": %s", said, strerror(errno));
	fd_close(r->file_fd);
	r->file_fd = fd;
	r->file_count++;
	return 0;
}

int carrier_results_take(struct carrier_results *r, const struct carrier_frame *f)
{
	if (f->type == CARRIER_FILE)
		return begin_file(r, f);
	if (f->type != CARRIER_FILE_DATA || r->file_fd < 0)
		return err_new(-EPROTO, "carrier: result bytes without a file");
	r->bytes += f->length;
	if (r->bytes > CARRIER_RESULTS_BYTES_MAX)
		return err_new(-EFBIG, "carrier: results of more than %llu bytes",
			       (unsigned long long)CARRIER_RESULTS_BYTES_MAX);
	int e = write_all(r->file_fd, f->payload, f->length);
	if (e < 0)
		return err_new(e, "carrier: write a result file: %s", strerror(-e));
	return 0;
}

void carrier_results_deinit(struct carrier_results *r)
{
	fd_close(r->file_fd);
	fd_close(r->dir_fd);
	*r = CARRIER_RESULTS_NULL;
}
