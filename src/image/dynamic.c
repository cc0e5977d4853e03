// SPDX-License-Identifier: GPL-2.0-only
/* Source: System V ABI, chapter 5, "Dynamic Section"; execve(2), "Interpreter scripts". */
#include "image/dynamic.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>

static const char blanks[] = " \t";

static int damaged(const struct elf *e, const char *what)
{
	return err_new(-EBADMSG, "%s: damaged ELF file: %s", e->name, what);
}

/* The entries by index; false behind the last one. */
static bool dynamic_entry(const struct span *table, size_t index, Elf64_Dyn *ret)
{
	if (index >= table->len / sizeof(*ret))
		return false;
	memcpy(ret, table->data + index * sizeof(*ret), sizeof(*ret));
	return ret->d_tag != DT_NULL;
}

/* The string table lies where DT_STRTAB says, in virtual addresses. */
static bool string_table(const struct elf *e, const struct span *table, struct span *ret)
{
	uint64_t address = 0, bytes = 0;
	Elf64_Dyn d;

	for (size_t i = 0; dynamic_entry(table, i, &d); i++) {
		if (d.d_tag == DT_STRTAB)
			address = d.d_un.d_ptr;
		if (d.d_tag == DT_STRSZ)
			bytes = d.d_un.d_val;
	}
	return elf_at_address(e, address, bytes, ret);
}

static int take_entry(const struct elf *e, const struct span *strings, const Elf64_Dyn *d,
		      struct dynamic *out)
{
	const char *s;

	if (d->d_tag != DT_NEEDED && d->d_tag != DT_RPATH && d->d_tag != DT_RUNPATH)
		return 0;
	s = elf_string(strings, d->d_un.d_val);
	if (!s || (d->d_tag == DT_NEEDED && !*s))
		return damaged(e, "a name is outside of its string table");
	if (d->d_tag == DT_RPATH)
		out->rpath = s;
	else if (d->d_tag == DT_RUNPATH)
		out->runpath = s;
	else if (out->needed_count == DYNAMIC_NEEDED_MAX)
		return damaged(e, "it needs too many libraries");
	else
		out->needed[out->needed_count++] = s;
	return 0;
}

static int take_dynamic(const struct elf *e, struct dynamic *out)
{
	struct span table, strings;
	Elf64_Phdr segment;
	Elf64_Dyn d;

	if (!elf_segment_of_type(e, PT_DYNAMIC, &segment))
		return 0;
	if (!elf_segment_bytes(e, &segment, &table))
		return damaged(e, "its dynamic section is not in the file");
	if (!string_table(e, &table, &strings))
		return damaged(e, "its dynamic strings are not in the file");
	for (size_t i = 0; dynamic_entry(&table, i, &d); i++) {
		int r = take_entry(e, &strings, &d, out);

		if (r < 0)
			return r;
	}
	return 0;
}

int dynamic_parse(const struct elf *e, struct dynamic *ret)
{
	struct dynamic out = { 0 };
	Elf64_Phdr segment;
	struct span span;
	int r;

	if (elf_segment_of_type(e, PT_INTERP, &segment)) {
		if (elf_segment_bytes(e, &segment, &span))
			out.interpreter = elf_string(&span, 0);
		if (!out.interpreter || out.interpreter[0] != '/')
			return damaged(e, "the name of its interpreter");
	}
	r = take_dynamic(e, &out);
	if (r < 0)
		return err_trace(r);
	*ret = out;
	return 0;
}

/* The word at @line, and the line behind it. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, blanks);

	*line = word + strcspn(word, blanks);
	if (**line)
		*(*line)++ = '\0';
	return word;
}

int script_parse(const void *bytes, size_t len, struct script *ret)
{
	char line[SCRIPT_LINE_BYTES] = { 0 };
	char *rest = line, *interpreter, *word;

	if (len < 2 || memcmp(bytes, "#!", 2))
		return SCRIPT_OTHER;
	memcpy(line, (const char *)bytes + 2, MIN(len - 2, sizeof(line) - 1));
	line[strcspn(line, "\n")] = '\0';
	interpreter = next_word(&rest);
	if (interpreter[0] != '/')
		return SCRIPT_OTHER;
	memset(ret, 0, sizeof(*ret));
	strcpy(ret->interpreter, interpreter);
	word = strrchr(interpreter, '/') + 1;
	if (strcmp(word, "env"))
		return 0;
	do
		word = next_word(&rest);
	while (word[0] == '-' || strchr(word, '='));
	strcpy(ret->env_program, word);
	return 0;
}
