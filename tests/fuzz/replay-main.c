// SPDX-License-Identifier: GPL-2.0-only
/* main() for a fuzz target without libFuzzer: runs it on every file of the directories given, then
 * on mutations of those files from a fixed seed, so that each ordinary test run tries a little more
 * than the corpus, and the same every time. KTSTR_FUZZ_MUTATIONS=N sets how many (default 2000).
 * The file that is being run is named when a sanitizer or a signal ends the program. */
#include "base/buf.h"
#include "base/parse.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT_BYTES = 1 << 20, MAX_INPUTS = 4096, DEFAULT_MUTATIONS = 2000 };

struct corpus {
	struct buf inputs[MAX_INPUTS];
	unsigned count;
};

/* xorshift64*: the same mutations on every machine. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static int load_file(struct corpus *c, const char *path)
{
	if (c->count == MAX_INPUTS)
		return err_new(-ENOSPC, "%s: more than %u inputs", path, MAX_INPUTS);
	int r = buf_read_file(&c->inputs[c->count], path, MAX_INPUT_BYTES);

	if (r < 0)
		return err_trace(r);
	c->count++;
	return 0;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int load_dir(struct corpus *c, const char *dir)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_input, alphasort);

	if (count < 0)
		return err_new(-errno, "%s: %s", dir, strerror(errno));
	int r = 0;

	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (!r)
			r = load_file(c, path);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static void run(const void *data, size_t len)
{
	/* A copy of its own size, so that reading one byte too far is found. */
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

/* Change up to eight places of a copy: a bit, a byte, a copied stretch, or the length. */
static void run_mutation(const struct buf *input, uint64_t *random)
{
	size_t len = input->len;
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, input->data, len);
	for (uint64_t i = next_random(random) % 8 + 1; i && len; i--) {
		size_t at = next_random(random) % len, from = next_random(random) % len;
		size_t room = len - MAX(at, from);
		size_t stretch = MIN(next_random(random) % 16 + 1, room);

		switch (next_random(random) % 4) {
		case 0:
			copy[at] ^= (uint8_t)(1u << next_random(random) % 8);
			break;
		case 1:
			copy[at] = (uint8_t)next_random(random);
			break;
		case 2:
			memmove(copy + at, copy + from, stretch);
			break;
		default:
			len -= next_random(random) % 4 ? 0 : stretch;
			break;
		}
	}
	run(copy, len);
	free(copy);
}

static uint64_t mutation_count(void)
{
	const char *text = getenv("KTSTR_FUZZ_MUTATIONS");
	uint64_t count;

	return text && !parse_u64(text, &count) ? count : DEFAULT_MUTATIONS;
}

int main(int argc, char **argv)
{
	static struct corpus corpus;
	uint64_t random = 0x6b74737472, mutations = mutation_count();

	for (int i = 1; i < argc; i++) {
		if (load_dir(&corpus, argv[i]) < 0) {
			fprintf(stderr, "%s: %s\n", argv[0], err_text());
			return 1;
		}
	}
	if (!corpus.count) {
		fprintf(stderr, "%s: no inputs in the corpus\n", argv[0]);
		return 1;
	}
	for (unsigned i = 0; i < corpus.count; i++)
		run(corpus.inputs[i].data, corpus.inputs[i].len);
	for (uint64_t i = 0; i < mutations; i++)
		run_mutation(&corpus.inputs[i % corpus.count], &random);
	printf("%u inputs and %llu mutations\n", corpus.count, (unsigned long long)mutations);
	for (unsigned i = 0; i < corpus.count; i++)
		buf_deinit(&corpus.inputs[i]);
	return 0;
}
