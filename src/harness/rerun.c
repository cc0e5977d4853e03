// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rerun.h"

#include "base/util.h"
#include "harness/words.h"

/* " --option WORD" */
static void add_option(struct buf *out, const char *option, const char *word)
{
	buf_printf(out, " %s ", option);
	words_quote(out, word);
}

/* One that is not compiled in is found by its file, which may hold others. */
static void add_name(struct buf *out, const struct ktstr_record *record)
{
	cleanup(buf_deinit) struct buf name = BUF_NULL;

	if (registry_is_file(record->file))
		buf_printf(&name, "%s:", record->file);
	buf_str(&name, record->name);
	words_quote(out, buf_text(&name));
}

static void add_timeout(struct buf *out, uint64_t ns)
{
	bool is_whole = ns % NSEC_PER_SEC == 0;

	buf_printf(out, " --timeout %llu%s",
		   (unsigned long long)(is_whole ? ns / NSEC_PER_SEC : ns), is_whole ? "s" : "ns");
}

void rerun_line(const struct run_options *o, const struct ktstr_record *record,
		const char *topology, const struct fault *fault, struct buf *out)
{
	buf_printf(out, "%s run ", o->program);
	add_name(out, record);
	buf_printf(out, " --topology %s", topology);
	if (o->kernel)
		add_option(out, "--kernel", o->kernel);
	if (o->cell.memory_bytes)
		buf_printf(out, " --memory %llu", (unsigned long long)(o->cell.memory_bytes / MIB));
	if (o->cell.timeout_ns)
		add_timeout(out, o->cell.timeout_ns);
	for (unsigned i = 0; i < o->disk_count; i++)
		add_option(out, "--disk", o->disks[i]);
	if (o->has_kaslr)
		buf_str(out, " --kaslr");
	if (o->kernel_args)
		add_option(out, "--append", o->kernel_args);
	if (o->cell.seed != 1)
		buf_printf(out, " --seed %llu", (unsigned long long)o->cell.seed);
	if (fault)
		add_option(out, "--fault", fault->text);
}
