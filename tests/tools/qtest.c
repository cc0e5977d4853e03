// SPDX-License-Identifier: GPL-2.0-only
/* The qtest protocol over a machine without a CPU; see qtest.h. */
#include "qtest.h"

#include "base/json.h"
#include "base/util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 4 };
static const uint64_t bulk_max = UINT64_C(1) << 30;

static uint64_t virtual_now(void *ctx)
{
	return ((const struct qtest *)ctx)->clock_ns;
}

static void count_irq(void *ctx)
{
	((struct qtest *)ctx)->irqs++;
}

int qtest_init(struct qtest *q, const struct blk_spec *spec, uint64_t ram_bytes)
{
	const struct blk_clock clock = { .now_ns = virtual_now, .ctx = q };
	const struct irq_line irq = { .raise = count_irq, .ctx = q };
	const struct bus_region window = { .base = QTEST_REGISTERS,
					   .bytes = QTEST_WINDOW,
					   .access = virtio_mmio_access,
					   .ctx = &q->mmio,
					   .name = "virtio-mmio" };
	int r;

	*q = (struct qtest){ .ram = GMEM_BACKING_NULL, .mem.pages = GMEM_PAGES_OWN };
	r = gmem_backing_init(&q->ram, "qtest-ram", ram_bytes);
	if (r == 0)
		r = gmem_add(&q->mem, gpa(0), ram_bytes, q->ram.host);
	if (r == 0)
		r = blk_new(spec, &clock, &q->blk);
	if (r == 0)
		r = virtio_mmio_init(&q->mmio, blk_virtio(q->blk), &q->mem, irq);
	if (r < 0)
		return err_trace(r);
	q->has_mmio = true;
	r = bus_add(&q->bus, &window);
	return r < 0 ? err_trace(r) : 0;
}

void qtest_deinit(struct qtest *q)
{
	if (q->has_mmio)
		virtio_mmio_deinit(&q->mmio);
	q->has_mmio = false;
	q->blk = blk_free(q->blk);
	gmem_backing_deinit(&q->ram);
}

/* Guest memory comes first, then registers, then nothing, which reads as zero. */
uint64_t qtest_load(struct qtest *q, uint64_t addr, unsigned size)
{
	struct bus_access a = { .addr = addr, .size = (uint8_t)size };
	uint64_t value = 0;

	if (gmem_read(&q->mem, gpa(addr), &value, size) == 0)
		return value;
	return bus_dispatch(&q->bus, &a) == BUS_HANDLED ? a.value : 0;
}

void qtest_store(struct qtest *q, uint64_t addr, unsigned size, uint64_t value)
{
	struct bus_access a = {
		.addr = addr,
		.size = (uint8_t)size,
		.is_write = true,
		.value = size < 8 ? value & ((UINT64_C(1) << size * 8) - 1) : value,
	};

	if (gmem_write(&q->mem, gpa(addr), &a.value, size) != 0)
		(void)bus_dispatch(&q->bus, &a);
}

void qtest_clock_to(struct qtest *q, uint64_t target_ns)
{
	for (;;) {
		uint64_t due_ns = blk_next_due_ns(q->blk);

		if (due_ns > target_ns)
			break;
		q->clock_ns = MAX(q->clock_ns, due_ns);
		blk_run_due(q->blk);
		/* Due again at once is nothing that time can change. */
		if (blk_next_due_ns(q->blk) <= due_ns)
			break;
	}
	q->clock_ns = MAX(q->clock_ns, target_ns);
}

/* How many bytes of a bulk access go into one access of the machine: a run of RAM, or what a CPU
 * would do to registers (4, 2 or 1 bytes, aligned). */
static unsigned access_size(const struct qtest *q, uint64_t addr, uint64_t left)
{
	if (gmem_ptr(&q->mem, gpa(addr), 1))
		return 1;
	for (unsigned size = 4; size > 1; size /= 2) {
		if (is_aligned(addr, size) && left >= size)
			return size;
	}
	return 1;
}

static void bulk_read(struct qtest *q, uint64_t addr, uint64_t bytes, unsigned char *ret)
{
	if (gmem_read(&q->mem, gpa(addr), ret, bytes) == 0)
		return;
	for (uint64_t done = 0; done < bytes;) {
		unsigned size = access_size(q, addr + done, bytes - done);
		uint64_t value = qtest_load(q, addr + done, size);

		memcpy(ret + done, &value, size);
		done += size;
	}
}

static void bulk_write(struct qtest *q, uint64_t addr, uint64_t bytes, const unsigned char *data)
{
	if (gmem_write(&q->mem, gpa(addr), data, bytes) == 0)
		return;
	for (uint64_t done = 0; done < bytes;) {
		unsigned size = access_size(q, addr + done, bytes - done);
		uint64_t value = 0;

		memcpy(&value, data + done, size);
		qtest_store(q, addr + done, size, value);
		done += size;
	}
}

/* A command: its words, numbers of the first arguments already read. */
struct command {
	char *words[WORDS_MAX];
	unsigned count; /* of words */
	uint64_t numbers[WORDS_MAX];
};

struct command_row {
	const char *name;
	unsigned min_args;
	unsigned max_args;
	unsigned numbers; /* how many of the first arguments are numbers */
	unsigned size;	  /* of one access */
	void (*run)(struct qtest *q, const struct command *c, const struct command_row *row,
		    struct buf *answer);
};

static void run_load(struct qtest *q, const struct command *c, const struct command_row *row,
		     struct buf *answer)
{
	buf_printf(answer, "OK 0x%016lx\n", qtest_load(q, c->numbers[1], row->size));
}

static void run_store(struct qtest *q, const struct command *c, const struct command_row *row,
		      struct buf *answer)
{
	qtest_store(q, c->numbers[1], row->size, c->numbers[2]);
	buf_str(answer, "OK\n");
}

static bool is_bulk_size(uint64_t bytes, struct buf *answer)
{
	if (bytes && bytes <= bulk_max)
		return true;
	buf_str(answer, "ERR invalid argument size\n");
	return false;
}

static void run_read(struct qtest *q, const struct command *c, const struct command_row *row,
		     struct buf *answer)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t bytes = c->numbers[2];
	cleanup(freep) unsigned char *data = NULL;
	char *hex;

	if (!is_bulk_size(bytes, answer))
		return;
	data = calloc(1, bytes);
	buf_str(answer, "OK 0x");
	hex = data ? buf_zeros(answer, 2 * bytes) : NULL;
	if (!hex)
		return;
	bulk_read(q, c->numbers[1], bytes, data);
	for (uint64_t i = 0; i < bytes; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
	buf_str(answer, "\n");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes from "0xHEX", at most @bytes; what the text does not say stays zero. False if it is no
 * hexadecimal text. */
static bool unhex(const char *text, unsigned char *ret, uint64_t bytes)
{
	size_t digits;

	if (text[0] == '0' && (text[1] | 0x20) == 'x')
		text += 2;
	digits = strlen(text);
	for (size_t i = 0; i < digits; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return false;
		if (i / 2 < bytes)
			ret[i / 2] |= (unsigned char)(digit << (i % 2 ? 0 : 4));
	}
	return true;
}

static void run_write(struct qtest *q, const struct command *c, const struct command_row *row,
		      struct buf *answer)
{
	uint64_t bytes = c->numbers[2];
	cleanup(freep) unsigned char *data = NULL;

	if (!is_bulk_size(bytes, answer))
		return;
	data = calloc(1, bytes);
	if (!data || !unhex(c->words[3], data, bytes)) {
		buf_str(answer, "FAIL Data is not hexadecimal\n");
		return;
	}
	bulk_write(q, c->numbers[1], bytes, data);
	buf_str(answer, "OK\n");
}

static void run_memset(struct qtest *q, const struct command *c, const struct command_row *row,
		       struct buf *answer)
{
	uint64_t bytes = c->numbers[2];
	cleanup(freep) unsigned char *data = NULL;

	if (bytes == 0) {
		buf_str(answer, "OK\n");
		return;
	}
	if (!is_bulk_size(bytes, answer))
		return;
	data = malloc(bytes);
	if (!data)
		return;
	memset(data, (int)(c->numbers[3] & 0xff), bytes);
	bulk_write(q, c->numbers[1], bytes, data);
	buf_str(answer, "OK\n");
}

static void run_clock_step(struct qtest *q, const struct command *c, const struct command_row *row,
			   struct buf *answer)
{
	uint64_t due_ns = blk_next_due_ns(q->blk);
	uint64_t target_ns = due_ns == UINT64_MAX ? q->clock_ns : due_ns;

	/* Time does not go back: a negative step is none. */
	if (c->count > 1)
		target_ns = c->numbers[1] > INT64_MAX
				    ? q->clock_ns
				    : MIN(q->clock_ns + c->numbers[1], (uint64_t)INT64_MAX);
	qtest_clock_to(q, target_ns);
	buf_printf(answer, "OK %lu\n", q->clock_ns);
}

static void run_clock_set(struct qtest *q, const struct command *c, const struct command_row *row,
			  struct buf *answer)
{
	qtest_clock_to(q, c->numbers[1]);
	buf_printf(answer, "OK %lu\n", q->clock_ns);
}

static void run_endianness(struct qtest *q, const struct command *c, const struct command_row *row,
			   struct buf *answer)
{
	buf_str(answer, "OK little\n");
}

static void run_counters(struct qtest *q, const struct command *c, const struct command_row *row,
			 struct buf *answer)
{
	struct json j = json_to(answer);

	buf_str(answer, "OK ");
	json_object(&j, NULL);
	blk_counters_members_json(q->blk, &j);
	json_u64(&j, "interrupts_raised", counter_get(&q->mmio.interrupts));
	for (unsigned i = 0; i < MMIO_REFUSAL_COUNT; i++) {
		char name[64];

		snprintf(name, sizeof(name), "mmio_%s", virtio_mmio_refusal_name(i));
		json_u64(&j, name, counter_get(&q->mmio.refusals[i]));
	}
	json_object_end(&j);
	buf_str(answer, "\n");
}

static void run_faults(struct qtest *q, const struct command *c, const struct command_row *row,
		       struct buf *answer)
{
	buf_str(answer, "OK ");
	blk_faults_log_json(q->blk, answer);
	buf_str(answer, "\n");
}

static void run_throttle(struct qtest *q, const struct command *c, const struct command_row *row,
			 struct buf *answer)
{
	struct blk_throttle_spec spec = { 0 };

	err_clear();
	if (strcmp(c->words[1], "none") != 0 && blk_throttle_parse(c->words[1], &spec) < 0) {
		buf_printf(answer, "FAIL %s\n", err_text());
		return;
	}
	blk_set_throttle(q->blk, &spec);
	buf_str(answer, "OK\n");
}

static void run_irq(struct qtest *q, const struct command *c, const struct command_row *row,
		    struct buf *answer)
{
	buf_printf(answer, "OK %lu\n", q->irqs);
}

static const struct command_row command_rows[] = {
	{ "readb", 1, 1, 1, 1, run_load },	    { "readw", 1, 1, 1, 2, run_load },
	{ "readl", 1, 1, 1, 4, run_load },	    { "readq", 1, 1, 1, 8, run_load },
	{ "writeb", 2, 2, 2, 1, run_store },	    { "writew", 2, 2, 2, 2, run_store },
	{ "writel", 2, 2, 2, 4, run_store },	    { "writeq", 2, 2, 2, 8, run_store },
	{ "read", 2, 2, 2, 0, run_read },	    { "write", 3, 3, 2, 0, run_write },
	{ "memset", 3, 3, 3, 0, run_memset },	    { "clock_step", 0, 1, 1, 0, run_clock_step },
	{ "clock_set", 1, 1, 1, 0, run_clock_set }, { "endianness", 0, 0, 0, 0, run_endianness },
	{ "counters", 0, 0, 0, 0, run_counters },   { "faults", 0, 0, 0, 0, run_faults },
	{ "throttle", 1, 1, 0, 0, run_throttle },   { "irq", 0, 0, 0, 0, run_irq },
};

/* Cut the line into words; those beyond WORDS_MAX are ignored, as QEMU ignores them. */
static void split(char *line, struct command *c)
{
	char *rest = line;

	c->count = 0;
	for (char *word; c->count < WORDS_MAX && (word = strtok_r(rest, " \t\r\n", &rest));)
		c->words[c->count++] = word;
}

/* As QEMU reads numbers: decimal, 0x or a leading 0 for octal, and -1 for all ones. */
static int read_number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	return errno || end == text || *end ? -EINVAL : 0;
}

static int read_numbers(struct command *c, const struct command_row *row)
{
	for (unsigned i = 1; i <= row->numbers && i < c->count; i++) {
		int r = read_number(c->words[i], &c->numbers[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

void qtest_command(struct qtest *q, char *line, struct buf *answer)
{
	struct command c;

	split(line, &c);
	for (size_t i = 0; c.count && i < ARRAY_SIZE(command_rows); i++) {
		const struct command_row *row = &command_rows[i];

		if (strcmp(row->name, c.words[0]) != 0)
			continue;
		if (c.count - 1 < row->min_args || read_numbers(&c, row) < 0)
			buf_printf(answer, "FAIL Bad arguments of '%s'\n", row->name);
		else
			row->run(q, &c, row, answer);
		return;
	}
	buf_printf(answer, "FAIL Unknown command '%s'\n", c.count ? c.words[0] : "");
}
