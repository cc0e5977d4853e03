// SPDX-License-Identifier: GPL-2.0-only
/* Tokens against a model, exhaustively: every sequence of STEPS of the steps below, on a queue of two
 * entries. A device that answers late, twice, or in the wrong life of the queue is among them. */
#include "virtio/ring.h"

#include "test.h"

enum { SIZE = 2, STEPS = 6, TOKENS = 3, LENGTH_BASE = 100 };

enum step {
	TAKE, /* the driver offers a free head, the device pops it */
	SHOW,
	NEW_LIFE, /* stopped, and started anew */
	STAGE,	  /* + n: the token taken n takes ago */
	DROP = STAGE + TOKENS,
	STEP_COUNT = DROP + TOKENS,
};

enum state { FREE, POPPED, STAGED };

struct token_model {
	enum state heads[SIZE]; /* of this life */
	unsigned life;
	unsigned staged;
	unsigned shown;
	unsigned in_flight;
	struct {
		unsigned life;
		uint16_t head;
		struct vq_token token;
	} tokens[STEPS];
	unsigned token_count;
};

struct bench {
	struct ring_memory memory;
	struct ring ring;
	struct vq vq;
	struct vq_chain chain;
	struct token_model model;
};

static void start(struct bench *b)
{
	ring_reset(&b->ring);
	assert_int_equal(vq_start(&b->vq, &b->memory.mem, &b->ring.setup), 0);
	for (unsigned i = 0; i < SIZE; i++)
		b->model.heads[i] = FREE;
	b->model.staged = b->model.shown = b->model.in_flight = 0;
}

static void take(struct bench *b)
{
	struct token_model *m = &b->model;

	for (uint16_t head = 0; head < SIZE; head++) {
		if (m->heads[head] != FREE)
			continue;
		ring_desc(&b->ring, head, RING_MEMORY_BASE, 1, RING_WRITE, 0);
		ring_offer(&b->ring, head);
		assert_int_equal(vq_pop(&b->vq, &b->chain), 0);
		m->heads[head] = POPPED;
		m->in_flight++;
		m->tokens[m->token_count].life = m->life;
		m->tokens[m->token_count].head = head;
		m->tokens[m->token_count++].token = b->chain.token;
		return;
	}
}

/* Answer or drop the token taken @ago takes ago, if there are so many. */
static void answer(struct bench *b, unsigned ago, bool is_drop)
{
	struct token_model *m = &b->model;

	if (ago >= m->token_count)
		return;
	unsigned which = m->token_count - 1 - ago;
	uint16_t head = m->tokens[which].head;
	bool is_current = m->tokens[which].life == m->life && m->heads[head] == POPPED;
	struct vq_token token = m->tokens[which].token;

	assert_int_equal(vq_token_is_current(&b->vq, token), is_current);
	if (is_drop)
		vq_drop(&b->vq, token);
	else
		assert_int_equal(vq_stage(&b->vq, token, LENGTH_BASE + which), is_current);
	if (!is_current)
		return;
	m->heads[head] = is_drop ? FREE : STAGED;
	m->staged += !is_drop;
	m->in_flight--;
}

static void show(struct bench *b)
{
	struct token_model *m = &b->model;

	assert_int_equal(vq_publish(&b->vq), m->staged);
	m->shown += m->staged;
	m->staged = 0;
	for (unsigned i = 0; i < SIZE; i++)
		if (m->heads[i] == STAGED)
			m->heads[i] = FREE;
}

static void run_step(struct bench *b, unsigned step)
{
	if (step == TAKE) {
		take(b);
	} else if (step == SHOW) {
		show(b);
	} else if (step == NEW_LIFE) {
		vq_stop(&b->vq);
		b->model.life++;
		start(b);
	} else {
		answer(b, (step - STAGE) % TOKENS, step >= DROP);
	}
	assert_int_equal(b->vq.in_flight, b->model.in_flight);
	assert_int_equal(ring_used_idx(&b->ring), b->model.shown);
	for (unsigned i = 0; i < b->model.token_count; i++)
		assert_int_equal(vq_token_is_current(&b->vq, b->model.tokens[i].token),
				 b->model.tokens[i].life == b->model.life &&
					 b->model.heads[b->model.tokens[i].head] == POPPED);
}

/* One head taken twice in one life has equal tokens, and whose answer comes late could not be told: a
 * device answers each chain once (structure of its slots), so sequences end here. */
static bool is_ambiguous(const struct token_model *m)
{
	for (unsigned i = 0; i < m->token_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (m->tokens[i].head == m->tokens[j].head &&
			    m->tokens[i].life == m->tokens[j].life)
				return true;
	return false;
}

static void run_all(uint32_t first_generation)
{
	struct bench b = { 0 };
	uint64_t sequences = 1;

	for (unsigned i = 0; i < STEPS; i++)
		sequences *= STEP_COUNT;
	ring_memory_init(&b.memory, 4096 * 4);
	ring_init(&b.ring, &b.memory, SIZE);
	assert_int_equal(vq_init(&b.vq, SIZE), 0);
	for (uint64_t s = 0; s < sequences; s++) {
		b.model = (struct token_model){ 0 };
		b.vq.generation = first_generation;
		start(&b);
		uint64_t rest = s;

		for (unsigned i = 0; i < STEPS && !is_ambiguous(&b.model); i++, rest /= STEP_COUNT)
			run_step(&b, rest % STEP_COUNT);
		vq_stop(&b.vq);
	}
	vq_deinit(&b.vq);
	ring_memory_deinit(&b.memory);
}

TEST(no_sequence_of_steps_lets_a_stale_token_act)
{
	run_all(0);
}

TEST(the_number_of_a_life_may_wrap)
{
	run_all(UINT32_MAX - 1);
}

TESTS(T(no_sequence_of_steps_lets_a_stale_token_act), T(the_number_of_a_life_may_wrap))
