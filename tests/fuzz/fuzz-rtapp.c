// SPDX-License-Identifier: GPL-2.0-only
/* rt-app files: whatever the bytes, words or a scenario file; and what was made of them is one that
 * loads, unless the claims, which are passed on as they stand, are none. */
#include "base/buf.h"
#include "base/err.h"
#include "base/util.h"
#include "harness/rtapp.h"
#include "harness/yaml_load.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(buf_deinit) struct buf yaml = BUF_NULL;
	struct scenario_file *file = NULL;
	int r = rtapp_convert("fuzz.json", (const char *)data, size, &yaml);

	assert(r == 0 || err_text()[0]);
	if (r == 0)
		r = scenario_file_parse("fuzz", buf_text(&yaml), yaml.len, &file);
	assert(r == 0 || yaml.len == 0 || memmem(data, size, "ktstr", 5));
	scenario_file_free(file);
	err_clear();
	return 0;
}
