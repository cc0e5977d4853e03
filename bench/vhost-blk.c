// SPDX-License-Identifier: GPL-2.0-only
/* Our vhost-user-blk backend against qemu-storage-daemon: one front end of our own drives both, on the
 * same image, in turns, and prints for each workload the median over the rounds of
 *
 *	iops ratio	ours / theirs			(more than 1: we are faster)
 *	cpu ratio	our CPU time per request / theirs	(less than 1: we are cheaper)
 *
 * The front end is a driver with EVENT_IDX that sleeps until it is called, as a guest does. CPU time is
 * the backend's threads' own (schedstat), not the front end's. The reference runs in each of the
 * configurations below once, and then in the one that was fastest at reading with depth 32.
 *
 * With --reference ours the reference is our backend with no options: what options cost.
 *
 * usage: vhost-blk KTSTR [--rounds N] [--seconds S] [--disk-options TEXT] [--reference CONFIG|ours]
 *        [--dir DIR]		where the image is made, /dev/shm otherwise */
#include "base/child.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "vhost/client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	IMAGE_BYTES = 64 << 20,
	RING_SIZE = 128,
	MAX_DEPTH = 32,
	MAX_ROUNDS = 512,
};

struct workload {
	const char *name;
	uint32_t type;
	uint32_t bytes;
	unsigned depth;
	bool is_sequential;
};

static const struct workload workloads[] = {
	{ "4k random read, depth 1", VIRTIO_BLK_T_IN, 4096, 1, false },
	{ "4k random read, depth 32", VIRTIO_BLK_T_IN, 4096, 32, false },
	{ "4k random write, depth 32", VIRTIO_BLK_T_OUT, 4096, 32, false },
	{ "128k sequential read, depth 8", VIRTIO_BLK_T_IN, 131072, 8, true },
};

enum { COMPARED = 1 }; /* the workload that chooses the reference's configuration */

/* qemu-storage-daemon's choices: the word for its file driver, and whether it has a thread of its own. */
static const struct {
	const char *name;
	const char *file;
	const char *thread;
} references[] = {
	{ "threads", "aio=threads", ",iothread=t0" },
	{ "native", "aio=native,cache.direct=on", ",iothread=t0" },
	{ "io_uring", "aio=io_uring", ",iothread=t0" },
	{ "io_uring-direct", "aio=io_uring,cache.direct=on", ",iothread=t0" },
	{ "io_uring-main", "aio=io_uring", "" },
};

struct backend {
	pid_t pid;
	char socket[96];
};

struct result {
	double iops;
	double cpu_ns; /* of the backend, per request */
};

static void must(bool is_fine, const char *what)
{
	if (is_fine)
		return;
	fprintf(stderr, "vhost-blk: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void wait_for_socket(const struct backend *b)
{
	struct stat st;
	int status;

	while (stat(b->socket, &st) < 0)
		must(waitpid(b->pid, &status, WNOHANG) == 0, "the backend has ended");
}

static void spawn(struct backend *b, char *const argv[])
{
	b->pid = fork();
	must(b->pid >= 0, "fork");
	if (b->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execvp(argv[0], argv);
		fprintf(stderr, "vhost-blk: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	wait_for_socket(b);
}

static void end(struct backend *b)
{
	int status;

	if (!b->pid)
		return;
	kill(b->pid, SIGKILL); /* qemu-storage-daemon with io_uring does not end by SIGTERM */
	waitpid(b->pid, &status, 0);
	unlink(b->socket);
	b->pid = 0;
}

static void start_ours(struct backend *b, const char *ktstr, const char *dir, const char *name,
		       const char *options)
{
	char disk[512];

	snprintf(b->socket, sizeof(b->socket), "%s/%s", dir, name);
	snprintf(disk, sizeof(disk), "%s/image%s", dir, options);
	spawn(b, (char *[]){ (char *)(uintptr_t)ktstr, "blk", "--socket", b->socket, "--disk", disk,
			     NULL });
}

static void start_reference(struct backend *b, size_t which, const char *dir)
{
	char file[256], export[256];

	snprintf(b->socket, sizeof(b->socket), "%s/reference", dir);
	snprintf(file, sizeof(file), "driver=file,node-name=f0,filename=%s/image,locking=off,%s",
		 dir, references[which].file);
	snprintf(export, sizeof(export),
		 "type=vhost-user-blk,id=e0,node-name=f0,addr.type=unix,addr.path=%s,writable=on,"
		 "num-queues=1%s",
		 b->socket, references[which].thread);
	spawn(b, (char *[]){ "qemu-storage-daemon", "--object", "iothread,id=t0", "--blockdev",
			     file, "--export", export, NULL });
}

/* Nanoseconds on a CPU of all threads of @pid. */
static uint64_t cpu_ns_of(pid_t pid)
{
	char path[320];
	uint64_t sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);

	must(dir, path);
	for (struct dirent *d; (d = readdir(dir));) {
		unsigned long long ns;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (f && fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		fclosep(&f);
	}
	closedir(dir);
	return sum;
}

struct driver {
	struct client c;
	const struct workload *w;
	struct virtio_blk_outhdr *headers[MAX_DEPTH];
	uint8_t *statuses[MAX_DEPTH];
	uint64_t random;
	uint64_t next_sector;
	uint64_t done;
};

static uint64_t next_sector(struct driver *d)
{
	uint64_t blocks = IMAGE_BYTES / d->w->bytes, block = d->next_sector++ % blocks;

	if (!d->w->is_sequential) {
		d->random = d->random * UINT64_C(6364136223846793005) + 1442695040888963407;
		block = (d->random >> 33) % blocks;
	}
	return block * (d->w->bytes / 512);
}

static void setup(struct driver *d, const char *socket)
{
	static const uint64_t protocol = 1 << VHOST_PROTOCOL_MQ | 1 << VHOST_PROTOCOL_REPLY_ACK;
	uint64_t features =
		UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << VHOST_F_PROTOCOL_FEATURES |
		UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX |
		UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC | UINT64_C(1) << VIRTIO_BLK_F_FLUSH;

	client_connect(&d->c, socket);
	client_start(&d->c, &(struct client_setup){ .ring_size = RING_SIZE,
						    .features = features,
						    .protocol_features = protocol });
	for (unsigned i = 0; i < d->w->depth; i++) {
		struct virtio_blk_outhdr h = { .type = d->w->type };
		uint16_t write_flag = d->w->type == VIRTIO_BLK_T_IN ? RING_WRITE : 0;
		uint64_t header = ring_place_data(&d->c.memory, &h, sizeof(h));
		uint64_t data = ring_place(&d->c.memory, d->w->bytes, 4096);
		uint64_t status = ring_place(&d->c.memory, 1, 1);
		struct ring_buffer buffers[] = { { header, sizeof(h), 0 },
						 { data, d->w->bytes, write_flag },
						 { status, 1, RING_WRITE } };

		d->headers[i] = ring_host(&d->c.memory, header);
		d->statuses[i] = ring_host(&d->c.memory, status);
		ring_chain(&d->c.rings[0].ring, (uint16_t)(i * 3), buffers, 3);
	}
}

static void post(struct driver *d, unsigned slot)
{
	d->headers[slot]->sector = next_sector(d);
	*d->statuses[slot] = 0xff;
	ring_post(&d->c.rings[0].ring, (uint16_t)(slot * 3));
}

static void show(struct driver *d, uint16_t old)
{
	struct ring *r = &d->c.rings[0].ring;

	ring_show(r);
	if (ring_must_kick(r, old, true))
		client_kick(&d->c, 0);
}

/* Take what was answered and post as many again. */
static void turn(struct driver *d)
{
	struct ring *r = &d->c.rings[0].ring;
	uint16_t old = r->posted;
	uint32_t head, len;

	while (ring_take(r, &head, &len)) {
		must(*d->statuses[head / 3] == VIRTIO_BLK_S_OK, "a request failed");
		d->done++;
		post(d, head / 3);
	}
	if (r->posted != old)
		show(d, old);
}

static void wait_for_call(struct driver *d)
{
	struct client_ring *r = &d->c.rings[0];
	struct pollfd p = { .fd = r->call_fd, .events = POLLIN };
	uint64_t count;

	ring_set_used_event(&r->ring, r->ring.taken);
	if (ring_has_used(&r->ring))
		return;
	must(poll(&p, 1, CLIENT_TIMEOUT_MS) == 1, "no call");
	must(read(r->call_fd, &count, sizeof(count)) == sizeof(count), "call");
}

static struct result run(const struct backend *b, const struct workload *w, double seconds)
{
	struct driver *d = calloc(1, sizeof(*d));
	uint64_t start_ns, end_ns, cpu_ns;

	must(d, "driver");
	*d = (struct driver){ .w = w, .random = 1 };
	setup(d, b->socket);
	cpu_ns = cpu_ns_of(b->pid);
	start_ns = now_ns();
	end_ns = start_ns + (uint64_t)(seconds * 1e9);
	for (unsigned i = 0; i < w->depth; i++)
		post(d, i);
	show(d, 0);
	do {
		wait_for_call(d);
		turn(d);
	} while (now_ns() < end_ns);
	struct result result = {
		.iops = (double)d->done * 1e9 / (double)(now_ns() - start_ns),
		.cpu_ns = (double)(cpu_ns_of(b->pid) - cpu_ns) / (double)d->done,
	};

	client_stop_ring(&d->c, 0);
	client_end(&d->c);
	free(d);
	return result;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static size_t fastest_reference(const char *dir, double seconds)
{
	double best = 0;
	size_t which = 0;

	for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
		struct backend b;

		start_reference(&b, i, dir);
		struct result r = run(&b, &workloads[COMPARED], seconds);

		end(&b);
		printf("qemu-storage-daemon %-16s %8.0f IOPS %6.0f ns CPU a request\n",
		       references[i].name, r.iops, r.cpu_ns);
		if (r.iops > best) {
			best = r.iops;
			which = i;
		}
	}
	return which;
}

static void compare_on(const struct workload *w, const struct backend *ours,
		       const struct backend *theirs, unsigned rounds, double seconds)
{
	double our_iops[MAX_ROUNDS], their_iops[MAX_ROUNDS], iops[MAX_ROUNDS], cpu[MAX_ROUNDS];
	double our_cpu[MAX_ROUNDS], their_cpu[MAX_ROUNDS];

	for (unsigned i = 0; i < rounds; i++) {
		struct result a, b;

		/* Who goes first changes, so that a drift of the host favours nobody. */
		if (i % 2) {
			b = run(theirs, w, seconds);
			a = run(ours, w, seconds);
		} else {
			a = run(ours, w, seconds);
			b = run(theirs, w, seconds);
		}
		our_iops[i] = a.iops;
		their_iops[i] = b.iops;
		our_cpu[i] = a.cpu_ns;
		their_cpu[i] = b.cpu_ns;
		iops[i] = a.iops / b.iops;
		cpu[i] = a.cpu_ns / b.cpu_ns;
	}
	printf("%-30s %9.0f %9.0f %6.2f   %7.0f %7.0f %6.2f\n", w->name, median(our_iops, rounds),
	       median(their_iops, rounds), median(iops, rounds), median(our_cpu, rounds),
	       median(their_cpu, rounds), median(cpu, rounds));
}

static void make_image(const char *dir)
{
	char path[96], *block = malloc(1 << 20);
	FILE *f;

	snprintf(path, sizeof(path), "%s/image", dir);
	f = fopen(path, "we");
	must(f && block, "image");
	memset(block, 0x5a, 1 << 20);
	for (unsigned i = 0; i < IMAGE_BYTES >> 20; i++)
		must(fwrite(block, 1 << 20, 1, f) == 1, "image");
	must(fclose(f) == 0, "image");
	free(block);
}

static void remove_dir(const char *dir)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/image", dir);
	unlink(path);
	rmdir(dir);
}

struct options {
	const char *ktstr;
	const char *disk_options;
	const char *reference; /* NULL: the fastest */
	const char *dir;       /* where the image is made */
	unsigned rounds;
	double seconds;
};

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "rounds", 1, NULL, 'r' },	  { "seconds", 1, NULL, 's' },
		{ "disk-options", 1, NULL, 'd' }, { "reference", 1, NULL, 'q' },
		{ "dir", 1, NULL, 'D' },	  { 0 }
	};

	for (int key; (key = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		if (key == 'r')
			o->rounds = MIN((unsigned)atoi(optarg), (unsigned)MAX_ROUNDS);
		else if (key == 's')
			o->seconds = atof(optarg);
		else if (key == 'd')
			o->disk_options = optarg;
		else if (key == 'q')
			o->reference = optarg;
		else if (key == 'D')
			o->dir = optarg;
		else
			exit(2);
	}
	o->ktstr = argv[optind];
	if (!o->ktstr) {
		fprintf(stderr, "usage: vhost-blk KTSTR [--rounds N] [--seconds S]\n");
		exit(2);
	}
}

static size_t choose_reference(const struct options *o, const char *dir)
{
	for (size_t i = 0; o->reference && i < ARRAY_SIZE(references); i++)
		if (strcmp(o->reference, references[i].name) == 0)
			return i;
	return fastest_reference(dir, o->seconds);
}

/* The name of what was started. */
static const char *start_other(const struct options *o, const char *dir, struct backend *b)
{
	if (o->reference && strcmp(o->reference, "ours") == 0) {
		start_ours(b, o->ktstr, dir, "reference", "");
		return "ours without options";
	}
	size_t which = choose_reference(o, dir);

	start_reference(b, which, dir);
	return references[which].name;
}

int main(int argc, char **argv)
{
	struct options o = { .disk_options = "", .dir = "/dev/shm", .rounds = 7, .seconds = 0.4 };
	char dir[64];
	struct backend ours, theirs;

	parse(argc, argv, &o);
	setlinebuf(stdout);
	snprintf(dir, sizeof(dir), "%s/ktstr-bench-XXXXXX", o.dir);
	must(mkdtemp(dir), o.dir);
	make_image(dir);
	const char *reference = start_other(&o, dir, &theirs);

	start_ours(&ours, o.ktstr, dir, "ours", o.disk_options);
	printf("ours%s against %s, %u rounds of %.1f s\n", o.disk_options, reference, o.rounds,
	       o.seconds);
	printf("%-30s %9s %9s %6s   %7s %7s %6s\n", "", "IOPS", "ref", "ratio", "ns/req", "ref",
	       "ratio");
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		compare_on(&workloads[i], &ours, &theirs, o.rounds, o.seconds);
	end(&ours);
	end(&theirs);
	remove_dir(dir);
	return 0;
}
