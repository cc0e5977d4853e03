// SPDX-License-Identifier: GPL-2.0-only
/* Requests about shared memory. A change while rings run parks them, changes, and lets them find
 * themselves again in what there is then. */
#include "vhost/request.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Rings follow the new memory or everything stays as it was. */
static int swap_memory(struct vhost_session *s, struct vhost_mem *fresh, struct vhost_reply *reply)
{
	struct vhost_mem *old = s->mem;

	vhost_session_park_all(s);
	s->mem = fresh;
	s->dev->mem = &fresh->gmem;
	int r = vhost_session_resume(s);

	if (r >= 0) {
		vhost_mem_deinit(old);
		free(old);
		return 0;
	}
	vhost_session_park_all(s);
	s->mem = old;
	s->dev->mem = &old->gmem;
	cleanup(freep) char *words = strdup(err_text());

	reply->must_end = vhost_session_resume(s) < 0;
	return err_adopt(r, words ? words : "memory table");
}

static void mem_freep(struct vhost_mem **mem)
{
	if (*mem)
		vhost_mem_deinit(*mem);
	free(*mem);
}

int vhost_set_mem_table(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_table_msg m = { 0 };

	memcpy(&m, msg->payload, MIN(sizeof(m), (size_t)msg->header.size));
	if (m.count > VHOST_TABLE_REGIONS ||
	    msg->header.size <
		    offsetof(struct vhost_table_msg, regions) + m.count * sizeof(m.regions[0]))
		return err_new(-EINVAL, "memory table of %u regions in %u bytes", m.count,
			       msg->header.size);
	if (msg->fd_count != m.count)
		return err_new(-EINVAL, "memory table of %u regions with %u descriptors", m.count,
			       msg->fd_count);
	cleanup(mem_freep) struct vhost_mem *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return err_new(-ENOMEM, "memory table");
	vhost_mem_init(fresh, &s->guard);
	for (unsigned i = 0; i < m.count; i++) {
		int r = vhost_mem_add(fresh, &m.regions[i], msg->fds[i]);

		if (r < 0)
			return err_trace(r);
	}
	int r = swap_memory(s, fresh, reply);

	if (r < 0)
		return err_trace(r);
	fresh = NULL; /* the session's now */
	return 0;
}

int vhost_get_max_mem_slots(struct vhost_session *s, struct vhost_msg *msg,
			    struct vhost_reply *reply)
{
	return vhost_reply_value(reply, VHOST_MEM_SLOTS);
}

int vhost_add_mem_reg(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_single_region_msg m;

	memcpy(&m, msg->payload, sizeof(m));
	vhost_session_park_all(s);
	int r = vhost_mem_add(s->mem, &m.region, msg->fds[0]);
	cleanup(freep) char *words = r < 0 ? strdup(err_text()) : NULL;
	int resumed = vhost_session_resume(s);

	reply->must_end = resumed < 0;
	if (r < 0)
		return err_adopt(r, words ? words : "memory region");
	return resumed < 0 ? err_trace(resumed) : 0;
}

/* A region that a running ring lives in cannot go: what is unmapped cannot be mapped again, so that
 * ends the connection. */
int vhost_rem_mem_reg(struct vhost_session *s, struct vhost_msg *msg, struct vhost_reply *reply)
{
	struct vhost_single_region_msg m;

	memcpy(&m, msg->payload, sizeof(m));
	vhost_session_park_all(s);
	int r = vhost_mem_remove(s->mem, &m.region);
	cleanup(freep) char *words = r < 0 ? strdup(err_text()) : NULL;
	int resumed = vhost_session_resume(s);

	reply->must_end = resumed < 0;
	if (r < 0)
		return err_adopt(r, words ? words : "memory region");
	return resumed < 0 ? err_trace(resumed) : 0;
}
