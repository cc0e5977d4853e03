// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a scenario file. What is accepted must, when printed, read back as the same; and it
 * compiles, or is refused in words, for the machine that it asks for. */
#include "harness/cell.h"
#include "harness/yaml_load.h"
#include "harness/yaml_show.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show_first(const struct scenario_file *f, struct buf *out)
{
	scenario_show_yaml(scenario_file_record(f, 0), out);
}

static void compile_first(const struct scenario_file *f)
{
	static const struct cell_options options = { 0 };
	struct cell cell;

	if (cell_compile(scenario_file_record(f, 0), &options, &cell) >= 0)
		cell_deinit(&cell);
	else if (!*err_text())
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(scenario_file_freep) struct scenario_file *first = NULL;
	cleanup(scenario_file_freep) struct scenario_file *second = NULL;
	cleanup(buf_deinit) struct buf once = BUF_NULL;
	cleanup(buf_deinit) struct buf twice = BUF_NULL;

	if (scenario_file_parse("fuzz", (const char *)data, size, &first))
		return 0;
	show_first(first, &once);
	if (scenario_file_parse("again", buf_text(&once), once.len, &second))
		abort();
	show_first(second, &twice);
	if (strcmp(buf_text(&once), buf_text(&twice)))
		abort();
	compile_first(first);
	return 0;
}
