// SPDX-License-Identifier: GPL-2.0-only
/* Framing of the channel's byte stream. */
#include "wire/frame.h"

#include "base/util.h"

#include <errno.h>

static const char *const frame_names[] = {
	[FRAME_READY] = "READY",
	[FRAME_EVENT] = "EVENT",
	[FRAME_REPORT] = "REPORT",
	[FRAME_CPUSTAT] = "CPUSTAT",
	[FRAME_TASKSTAT] = "TASKSTAT",
	[FRAME_CGROUPSTAT] = "CGROUPSTAT",
	[FRAME_STDOUT] = "STDOUT",
	[FRAME_STDERR] = "STDERR",
	[FRAME_EXIT] = "EXIT",
	[FRAME_DONE] = "DONE",
	[FRAME_FAILED] = "FAILED",
	[FRAME_PAYLOAD_OUT] = "PAYLOAD_OUT",
	[FRAME_PAYLOAD_EXIT] = "PAYLOAD_EXIT",
	[FRAME_CLOCK] = "CLOCK",
	[FRAME_PLAN] = "PLAN",
	[FRAME_EXEC] = "EXEC",
	[FRAME_STDIN] = "STDIN",
	[FRAME_WINSIZE] = "WINSIZE",
	[FRAME_SIGNAL] = "SIGNAL",
	[FRAME_STOP] = "STOP",
	[FRAME_SHUTDOWN] = "SHUTDOWN",
};

const char *frame_name(unsigned type)
{
	if (type >= ARRAY_SIZE(frame_names) || !frame_names[type])
		return "unknown";
	return frame_names[type];
}

static bool is_known(unsigned type)
{
	return type < ARRAY_SIZE(frame_names) && frame_names[type];
}

int frame_peek(const struct buf *in, uint32_t seq, struct frame *ret)
{
	struct frame_header h;

	if (in->len < sizeof(h))
		return FRAME_MORE;
	memcpy(&h, in->data, sizeof(h));
	if (h.magic != FRAME_MAGIC)
		return err_new(-EPROTO, "channel: frame %u: magic 0x%08x, expected 0x%08x", seq,
			       h.magic, (unsigned)FRAME_MAGIC);
	if (h.flags || !is_known(h.type))
		return err_new(-EPROTO, "channel: frame %u: type %u with flags 0x%x is unknown",
			       seq, h.type, h.flags);
	if (h.seq != seq)
		return err_new(-EPROTO, "channel: %s frame has number %u, expected %u",
			       frame_name(h.type), h.seq, seq);
	if (h.len > FRAME_PAYLOAD_MAX)
		return err_new(-EPROTO, "channel: %s frame of %u bytes, at most %u are allowed",
			       frame_name(h.type), h.len, (unsigned)FRAME_PAYLOAD_MAX);
	if (in->len - sizeof(h) < h.len)
		return FRAME_MORE;
	*ret = (struct frame){
		.type = h.type, .len = h.len, .seq = h.seq, .payload = in->data + sizeof(h)
	};
	return 0;
}

void frame_consume(struct buf *in, const struct frame *f)
{
	buf_consume(in, FRAME_HEADER_BYTES + (size_t)f->len);
}

int frame_put(struct buf *out, uint32_t *seq, enum frame_type type, const void *payload, size_t len)
{
	struct frame_header h = { .magic = FRAME_MAGIC, .type = (uint16_t)type, .seq = *seq };

	if (len > FRAME_PAYLOAD_MAX)
		return err_new(-EMSGSIZE, "channel: %s frame of %zu bytes, at most %u are allowed",
			       frame_name(type), len, (unsigned)FRAME_PAYLOAD_MAX);
	h.len = (uint32_t)len;
	buf_add(out, &h, sizeof(h));
	buf_add(out, payload, len);
	(*seq)++;
	return 0;
}
