// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as an executable file or a module: interpreter, libraries, script line, sections. Strings
 * that are handed out have to lie in the input and end there. */
#include "image/dynamic.h"
#include "image/elf_file.h"
#include "image/path.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
	if (!claim)
		abort();
}

static void check_string(const uint8_t *data, size_t size, const char *s)
{
	const char *start = (const char *)data;

	if (!s)
		return;
	require(s >= start && s < start + size);
	require(memchr(s, '\0', (size_t)(start + size - s)));
}

static void check_dynamic(const uint8_t *data, size_t size)
{
	struct dynamic d;
	struct elf e;

	if (elf_open(data, size, "input", &e) || dynamic_parse(&e, &d))
		return;
	check_string(data, size, d.interpreter);
	check_string(data, size, d.rpath);
	check_string(data, size, d.runpath);
	for (unsigned i = 0; i < d.needed_count; i++)
		check_string(data, size, d.needed[i]);
}

static void check_section(const uint8_t *data, size_t size)
{
	struct span info;
	struct elf e;

	if (elf_open(data, size, "input", &e) || !elf_section(&e, ".modinfo", &info))
		return;
	require(info.data >= data && info.len <= size - (size_t)(info.data - data));
	for (size_t at = 0; at < info.len;) {
		const char *s = elf_string(&info, at);

		if (!s)
			break;
		check_string(data, size, s);
		at += strlen(s) + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[PATH_MAX], again[PATH_MAX];
	struct script script;

	check_dynamic(data, size);
	check_section(data, size);
	if (!script_parse(data, size, &script) && path_normalise(script.interpreter, path)) {
		require(path_normalise(path, again) && !strcmp(path, again));
		require(!strstr(path, "/../") && !strstr(path, "//"));
	}
	return 0;
}
