/* SPDX-License-Identifier: GPL-2.0-only */
/* Maximum flow in a small network with real capacities (Dinic's algorithm), and what its residual
 * network says about who could still get more. For the fluid solver; knows nothing of CPUs. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Differences below this are nothing; capacities are of the order of 1 to 1000. */
#define FLOW_EPSILON 1e-9

struct flow_edge {
	unsigned to;
	int next;	 /* of the same node, -1: none */
	double capacity; /* as set */
	double left;	 /* residual; the edge back is the one with the other lowest bit */
};

struct flow {
	unsigned node_count;
	unsigned edge_count; /* two for each flow_add() */
	unsigned edge_room;
	struct flow_edge *edges;
	int *first; /* edge of each node */
	int *cursor;
	unsigned *level;
	unsigned *queue;
};

#define FLOW_NULL ((struct flow){ 0 })

/* A network of @nodes nodes with room for @edges edges. 0 or -ENOMEM. */
int flow_init(struct flow *f, unsigned nodes, unsigned edges) must_check;
void flow_deinit(struct flow *f);

/* Add an edge; there must be room. Returns its handle. */
unsigned flow_add(struct flow *f, unsigned from, unsigned to, double capacity);
void flow_set_capacity(struct flow *f, unsigned edge, double capacity);

/* Forget all flow, then push as much as possible from @source to @sink; returns how much. */
double flow_maximise(struct flow *f, unsigned source, unsigned sink);

/* After flow_maximise(): mark in @mark (node_count long) the nodes that residual paths lead to from
 * @from, or with @is_backward those from which they lead to @from. No path uses @barred, nor an edge
 * with no more than @least left. */
void flow_reach(struct flow *f, unsigned from, unsigned barred, double least, bool is_backward,
		bool *mark);
