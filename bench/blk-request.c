// SPDX-License-Identifier: GPL-2.0-only
/* COUNT writes of 4 KiB through the whole device, engine inline, backing null, which forgets them: kick,
 * walk, parse, answer, interrupt decision, and no copying. What blk-request.sh counts the instructions
 * of; a run by hand prints nothing. usage: blk-request COUNT BATCH [DISK-OPTIONS] */
#include "blk-driver.h"

#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	unsigned batch = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	struct blk_driver d;
	char text[256];

	snprintf(text, sizeof(text), "null:1G,engine=inline%s", argc > 3 ? argv[3] : "");
	if (batch < 1 || batch > BLK_DRIVER_BATCH_MAX ||
	    blk_driver_init(&d, text, NULL, VIRTIO_BLK_T_OUT, batch) < 0) {
		fprintf(stderr, "blk-request: %s\n", err_text());
		return 1;
	}
	for (uint64_t done = 0; done < count; done += batch)
		blk_driver_turn(&d);
	blk_driver_deinit(&d);
	return 0;
}
