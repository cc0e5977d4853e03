// SPDX-License-Identifier: GPL-2.0-only
/* Dinic: breadth-first levels, then blocking flow by depth-first search along them, until the sink
 * is out of reach. Edges come in pairs: e and e^1 are each other's way back. */
#include "stats/flow.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

int flow_init(struct flow *f, unsigned nodes, unsigned edges)
{
	*f = (struct flow){
		.node_count = nodes,
		.edge_room = edges * 2,
		.edges = calloc((size_t)edges * 2 + 1, sizeof(*f->edges)),
		.first = malloc(nodes * sizeof(*f->first)),
		.cursor = malloc(nodes * sizeof(*f->cursor)),
		.level = malloc(nodes * sizeof(*f->level)),
		.queue = malloc(nodes * sizeof(*f->queue)),
	};
	if (!f->edges || !f->first || !f->cursor || !f->level || !f->queue) {
		flow_deinit(f);
		return err_new(-ENOMEM, "out of memory for a network of %u nodes", nodes);
	}
	for (unsigned i = 0; i < nodes; i++)
		f->first[i] = -1;
	return 0;
}

void flow_deinit(struct flow *f)
{
	free(f->edges);
	free(f->first);
	free(f->cursor);
	free(f->level);
	free(f->queue);
	*f = FLOW_NULL;
}

static void add_half(struct flow *f, unsigned from, unsigned to, double capacity)
{
	f->edges[f->edge_count] = (struct flow_edge){
		.to = to,
		.next = f->first[from],
		.capacity = capacity,
	};
	f->first[from] = (int)f->edge_count++;
}

unsigned flow_add(struct flow *f, unsigned from, unsigned to, double capacity)
{
	unsigned edge = f->edge_count;

	add_half(f, from, to, capacity);
	add_half(f, to, from, 0);
	return edge;
}

void flow_set_capacity(struct flow *f, unsigned edge, double capacity)
{
	f->edges[edge].capacity = capacity;
}

static bool find_levels(struct flow *f, unsigned source, unsigned sink)
{
	unsigned head = 0, tail = 0;

	for (unsigned i = 0; i < f->node_count; i++)
		f->level[i] = UINT_MAX;
	f->level[source] = 0;
	f->queue[tail++] = source;
	while (head < tail) {
		unsigned node = f->queue[head++];

		for (int e = f->first[node]; e >= 0; e = f->edges[e].next) {
			unsigned to = f->edges[e].to;

			if (f->edges[e].left <= FLOW_EPSILON || f->level[to] != UINT_MAX)
				continue;
			f->level[to] = f->level[node] + 1;
			f->queue[tail++] = to;
		}
	}
	return f->level[sink] != UINT_MAX;
}

/* Recursion depth is the number of levels: the depth of a cgroup tree, plus a few. */
static double push(struct flow *f, unsigned node, unsigned sink, double amount)
{
	double pushed = 0;

	if (node == sink)
		return amount;
	for (int *e = &f->cursor[node]; *e >= 0; *e = f->edges[*e].next) {
		struct flow_edge *edge = &f->edges[*e];
		double part;

		if (edge->left <= FLOW_EPSILON || f->level[edge->to] != f->level[node] + 1)
			continue;
		part = push(f, edge->to, sink, fmin(amount - pushed, edge->left));
		edge->left -= part;
		f->edges[*e ^ 1].left += part;
		pushed += part;
		if (amount - pushed <= FLOW_EPSILON)
			break;
	}
	return pushed;
}

double flow_maximise(struct flow *f, unsigned source, unsigned sink)
{
	double total = 0;

	for (unsigned e = 0; e < f->edge_count; e++)
		f->edges[e].left = f->edges[e].capacity;
	while (find_levels(f, source, sink)) {
		double part;

		for (unsigned i = 0; i < f->node_count; i++)
			f->cursor[i] = f->first[i];
		part = push(f, source, sink, HUGE_VAL);
		if (part <= FLOW_EPSILON)
			break;
		total += part;
	}
	return total;
}

void flow_reach(struct flow *f, unsigned from, unsigned barred, double least, bool is_backward,
		bool *mark)
{
	unsigned head = 0, tail = 0;

	for (unsigned i = 0; i < f->node_count; i++)
		mark[i] = false;
	mark[from] = true;
	f->queue[tail++] = from;
	while (head < tail) {
		unsigned node = f->queue[head++];

		for (int e = f->first[node]; e >= 0; e = f->edges[e].next) {
			double left = f->edges[is_backward ? e ^ 1 : e].left;
			unsigned to = f->edges[e].to;

			if (left <= least || mark[to] || to == barred)
				continue;
			mark[to] = true;
			f->queue[tail++] = to;
		}
	}
}
