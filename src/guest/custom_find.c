// SPDX-License-Identifier: GPL-2.0-only
/* The functions of the test author by name: in the guest to call one, on the host, which is the same
 * program, to know before the boot whether it is there. */
#include "guest/custom.h"

#include <string.h>

/* The linker's names for the ends of the section; absent where no function is registered. */
extern const struct ktstr_work_record __start_ktstr_works[] __attribute__((weak));
extern const struct ktstr_work_record __stop_ktstr_works[] __attribute__((weak));

const struct ktstr_work_record *custom_find(const char *name)
{
	for (const struct ktstr_work_record *r = __start_ktstr_works; r < __stop_ktstr_works; r++)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

void custom_names(struct buf *out)
{
	for (const struct ktstr_work_record *r = __start_ktstr_works; r < __stop_ktstr_works; r++)
		buf_printf(out, "%s%s", r == __start_ktstr_works ? "" : ", ", r->name);
}
