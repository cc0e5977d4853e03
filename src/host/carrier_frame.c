// SPDX-License-Identifier: GPL-2.0-only
/* Encoding and decoding of the carrier's frames. Either end treats the other's bytes as data to be
 * checked: lengths are bounded before anything is kept, strings must end inside their frame. */
#include "host/carrier_frame.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int carrier_reader_next(struct carrier_reader *r, struct carrier_frame *ret)
{
	buf_consume(&r->in, r->used);
	r->used = 0;
	if (r->in.len < CARRIER_HEADER_BYTES)
		return CARRIER_FRAME_MORE;

	uint32_t magic = le32_get(r->in.data);
	uint32_t length = le32_get(r->in.data + 8);

	if (magic != CARRIER_FRAME_MAGIC || length > CARRIER_PAYLOAD_MAX)
		return err_new(-EPROTO, "carrier: bytes that are no frame (magic %#x, length %u)",
			       magic, length);
	if (r->in.len < CARRIER_HEADER_BYTES + (size_t)length)
		return CARRIER_FRAME_MORE;
	r->used = CARRIER_HEADER_BYTES + (size_t)length;
	*ret = (struct carrier_frame){
		.type = (enum carrier_frame_type)le32_get(r->in.data + 4),
		.payload = r->in.data + CARRIER_HEADER_BYTES,
		.length = length,
	};
	return 0;
}

void carrier_reader_deinit(struct carrier_reader *r)
{
	buf_deinit(&r->in);
	r->used = 0;
}

void carrier_frame_add(struct buf *out, enum carrier_frame_type type, const void *payload,
		       size_t length)
{
	char header[CARRIER_HEADER_BYTES];

	le32_put(header, CARRIER_FRAME_MAGIC);
	le32_put(header + 4, (uint32_t)type);
	le32_put(header + 8, (uint32_t)length);
	buf_add(out, header, sizeof(header));
	buf_add(out, payload, length);
}

void carrier_frame_add_u32(struct buf *out, enum carrier_frame_type type, uint32_t a)
{
	char payload[4];

	le32_put(payload, a);
	carrier_frame_add(out, type, payload, sizeof(payload));
}

void carrier_frame_add_u32x2(struct buf *out, enum carrier_frame_type type, uint32_t a, uint32_t b)
{
	char payload[8];

	le32_put(payload, a);
	le32_put(payload + 4, b);
	carrier_frame_add(out, type, payload, sizeof(payload));
}

enum { RUN_COUNTS_BYTES = 16 };

static uint32_t add_strings(struct buf *out, const char *const *strings)
{
	uint32_t count = 0;

	for (; strings[count]; count++)
		buf_add(out, strings[count], strlen(strings[count]) + 1);
	return count;
}

int carrier_run_request_add(struct buf *out, const struct carrier_run_request *q)
{
	cleanup(buf_deinit) struct buf payload = BUF_NULL;
	const char *results_dir = q->results_dir ? q->results_dir : "";
	char counts[RUN_COUNTS_BYTES] = { 0 };

	buf_add(&payload, counts, sizeof(counts));
	buf_add(&payload, q->cwd, strlen(q->cwd) + 1);
	buf_add(&payload, results_dir, strlen(results_dir) + 1);
	uint32_t argc = add_strings(&payload, q->argv);
	uint32_t envc = add_strings(&payload, q->envp);
	uint32_t diskc = add_strings(&payload, q->disks);

	int r = buf_ok(&payload);
	if (r < 0)
		return err_trace(r);
	if (payload.len > CARRIER_PAYLOAD_MAX)
		return err_new(-E2BIG,
			       "carrier: arguments and environment take %zu bytes, at most "
			       "%d fit",
			       payload.len, CARRIER_PAYLOAD_MAX);
	le32_put(payload.data,
		 (q->is_tty ? CARRIER_RUN_TTY : 0u) | (q->has_records ? CARRIER_RUN_RECORDS : 0u));
	le32_put(payload.data + 4, argc);
	le32_put(payload.data + 8, envc);
	le32_put(payload.data + 12, diskc);
	carrier_frame_add(out, CARRIER_RUN, payload.data, payload.len);
	return 0;
}

/* The string at *@at, which must end before @end; *@at moves behind it. */
static const char *take_string(const char **at, const char *end)
{
	const char *s = *at;
	const char *nul = memchr(s, '\0', (size_t)(end - s));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return s;
}

static const char **take_strings(const char **at, const char *end, uint32_t count)
{
	/* Each string is one byte at least, so a count beyond the bytes left is a lie. */
	if (count > (size_t)(end - *at))
		return NULL;
	cleanup(freep) const char **strings = calloc((size_t)count + 1, sizeof(*strings));
	if (!strings)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		strings[i] = take_string(at, end);
		if (!strings[i])
			return NULL;
	}
	return steal_ptr(&strings);
}

int carrier_run_request_read(const char *payload, uint32_t length, struct carrier_run_request *ret)
{
	struct carrier_run_request q = { 0 };
	const char *end = payload + length;
	const char *at = payload + RUN_COUNTS_BYTES;

	if (length < RUN_COUNTS_BYTES || !le32_get(payload + 4))
		return err_new(-EPROTO, "carrier: a request without a command");
	q.is_tty = le32_get(payload) & CARRIER_RUN_TTY;
	q.has_records = le32_get(payload) & CARRIER_RUN_RECORDS;
	q.cwd = take_string(&at, end);
	q.results_dir = q.cwd ? take_string(&at, end) : NULL;
	if (q.results_dir)
		q.argv = take_strings(&at, end, le32_get(payload + 4));
	if (q.argv)
		q.envp = take_strings(&at, end, le32_get(payload + 8));
	if (q.envp)
		q.disks = take_strings(&at, end, le32_get(payload + 12));
	if (!q.disks || at != end) {
		carrier_run_request_deinit(&q);
		return err_new(-EPROTO, "carrier: a request whose strings do not add up");
	}
	if (!*q.results_dir)
		q.results_dir = NULL;
	*ret = q;
	return 0;
}

void carrier_run_request_deinit(struct carrier_run_request *q)
{
	free((void *)(uintptr_t)q->argv);
	free((void *)(uintptr_t)q->envp);
	free((void *)(uintptr_t)q->disks);
	*q = (struct carrier_run_request){ 0 };
}
