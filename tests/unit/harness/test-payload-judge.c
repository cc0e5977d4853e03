// SPDX-License-Identifier: GPL-2.0-only
/* What the judge makes of the frames of payloads: the checks exit and metric, and the record. */
#include "harness/judge.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/telemetry.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <string.h>

static const struct ktstr_scenario scenario = {
	.topology = "1n1l1c1t",
	.payloads = PAYLOADS(
		{ .name = "p",
		  .command = "sh",
		  .file = "/tmp/f",
		  .metrics = METRICS(
			  { .name = "rate", .json = "rate", .source = "stdout", .unit = "ops" },
			  { .name = "errors",
			    .pattern = "errors=([0-9]+)",
			    .source = "stderr",
			    .is_exact = true },
			  { .name = "x", .yaml = "x" }) }),
	.hold = "1s",
	.checks = CHECKS("metric name=rate min=0.5 max=100", "metric name=p/errors max=0"),
};

static const struct ktstr_scenario wants_three = {
	.topology = "1n1l1c1t",
	.payloads = PAYLOADS({ .name = "p", .command = "sh" }, { .name = "q", .command = "sh" }),
	.hold = "1s",
	.checks = CHECKS("exit of=p status=3"),
};

static const struct ktstr_scenario boxed = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "box",
			     .max = "20ms/100ms",
			     .payloads = PAYLOADS({ .name = "p", .command = "sh" }) }),
	.hold = "1s",
	.checks = CHECKS("throttling min=1 of=box"),
};

struct words {
	const char *out, *err, *file;
	uint64_t delay_ns; /* of the vCPU while it ran, of 1 s */
	uint32_t end, status, signal;
};

struct play {
	struct result result;
	struct telemetry telemetry;
};

static void take(struct play *p, enum frame_type type, const void *payload, size_t len, int want)
{
	const struct frame f = { .type = type, .len = (uint32_t)len, .payload = payload };
	uint32_t index = 9;
	bool is_end;

	assert_int_equal(telemetry_add(&p->telemetry, &f, &index, &is_end), want);
}

static void take_event(struct play *p, uint32_t code, uint32_t index, uint64_t ns, int want)
{
	const struct wire_event e = { .ns = ns, .code = code, .index = index };

	take(p, FRAME_EVENT, &e, sizeof(e), want);
}

static void take_out(struct play *p, uint32_t payload, uint32_t stream, const char *text)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	const struct wire_payload_out head = { .payload = payload, .stream = stream };

	buf_add(&out, &head, sizeof(head));
	buf_str(&out, text ? text : "");
	take(p, FRAME_PAYLOAD_OUT, out.data, out.len, 0);
}

static void take_payload(struct play *p, uint32_t i, const struct words *w)
{
	const struct wire_payload_exit e = { .payload = i,
					     .end = w->end,
					     .status = w->status,
					     .signal = w->signal,
					     .start_ns = NSEC_PER_SEC,
					     .end_ns = 2 * NSEC_PER_SEC,
					     .cpu_ns = 12345 };

	take_event(p, EVENT_PAYLOAD_START, i, NSEC_PER_SEC, TELEMETRY_PAYLOAD_EDGE);
	take_out(p, i, 1, w->out);
	take_out(p, i, 2, w->err);
	take_out(p, i, 3, w->file);
	take(p, FRAME_PAYLOAD_EXIT, &e, sizeof(e), TELEMETRY_PAYLOAD_EDGE);
	p->telemetry.payloads[i].host_delay_end_ns[0] = w->delay_ns;
}

static void take_cpus(struct play *p, uint32_t reason)
{
	const struct {
		struct wire_sample head;
		struct wire_cpustat cpu;
	} sample = { .head = { .step = 1, .reason = reason, .count = 1 },
		     .cpu = { .is_online = 1 } };

	take(p, FRAME_CPUSTAT, &sample, sizeof(sample), 0);
}

/* All payloads did the same. */
static void play(struct play *p, const struct ktstr_scenario *s, const struct words *w)
{
	static struct ktstr_record record = { .name = "x", .file = "x.c" };
	static const struct cell_options options = { 0 };
	const struct wire_done done = { 0 };

	*p = (struct play){ .result = { .record = &record } };
	record.scenario = s;
	assert_int_equal(cell_compile(&record, &options, &p->result.cell), 0);
	assert_int_equal(telemetry_init(&p->telemetry, &p->result.cell), 0);
	take_event(p, EVENT_HOLD_BEGIN, 1, NSEC_PER_SEC, TELEMETRY_WINDOW_EDGE);
	take_cpus(p, SAMPLE_HOLD_BEGIN);
	for (uint32_t i = 0; i < p->result.cell.plan.header.payload_count; i++)
		take_payload(p, i, w);
	take_cpus(p, SAMPLE_HOLD_END);
	take_event(p, EVENT_HOLD_END, 1, 2 * NSEC_PER_SEC, TELEMETRY_WINDOW_EDGE);
	take(p, FRAME_DONE, &done, sizeof(done), 0);
	assert_int_equal(judge_trial(&p->result, &p->telemetry), 0);
}

static void play_deinit(struct play *p)
{
	telemetry_deinit(&p->telemetry);
	result_deinit(&p->result);
}

static const struct finding *finding_of(const struct play *p, const char *claim)
{
	for (uint32_t i = 0; i < p->result.finding_count; i++) {
		if (strncmp(p->result.findings[i].claim->text, claim, strlen(claim)) == 0)
			return &p->result.findings[i];
	}
	fail_msg("no finding of %s", claim);
	return NULL;
}

#define GOOD .out = "{\"rate\": 12.5}\n", .err = "errors=0\n", .file = "x: 7\n"

TEST(figures_within_their_bounds_are_a_pass)
{
	cleanup(play_deinit) struct play p;

	play(&p, &scenario, &(struct words){ GOOD });
	assert_int_equal(p.result.verdict, VERDICT_PASS);
	assert_int_equal(p.result.finding_count, 3);
	assert_int_equal(finding_of(&p, "metric name=rate")->observed, 12500);
	assert_string_equal(finding_of(&p, "metric name=rate")->unit, "milli ops");
	assert_string_equal(buf_text(&finding_of(&p, "metric name=rate")->figures),
			    "rate 12.5 ops");
	assert_string_equal(buf_text(&finding_of(&p, "exit")->figures),
			    "p: exit 0 after 1.0 s, rate 12.5 ops, errors 0, x 7");
}

TEST(a_figure_that_is_hardly_out_of_bounds_is_shown_to_be)
{
	static const struct {
		const char *out;
		uint64_t observed;
		const char *figures;
	} cases[] = {
		{ "{\"rate\": 100.0004}\n", 100001, "rate 100.0004 ops" },
		{ "{\"rate\": 0.4996}\n", 499, "rate 0.4996 ops" },
	};

	for (size_t i = 0; i < 2; i++) {
		cleanup(play_deinit) struct play p;
		const struct finding *f;

		play(&p, &scenario, &(struct words){ .out = cases[i].out, .err = "errors=0\n" });
		f = finding_of(&p, "metric name=rate");
		assert_int_equal(f->verdict, VERDICT_FAIL);
		assert_int_equal(f->observed, cases[i].observed);
		assert_string_equal(buf_text(&f->figures), cases[i].figures);
	}
}

TEST(the_record_has_ends_metrics_and_output)
{
	cleanup(play_deinit) struct play p;
	cleanup(buf_deinit) struct buf record = BUF_NULL;

	play(&p, &scenario, &(struct words){ .out = "{\"rate\": 12.5}", .err = "errors=0\n" });
	result_json(&p.result, &record);
	assert_non_null(strstr(buf_text(&record), "\"payloads\":[{\"name\":\"p\""));
	assert_non_null(strstr(buf_text(&record), "\"end\":\"exited\",\"status\":0,\"signal\":0"));
	assert_non_null(strstr(buf_text(&record), "\"cpu_ns\":12345"));
	assert_non_null(strstr(buf_text(&record), "{\"name\":\"rate\",\"value\":12.5,"));
	assert_non_null(strstr(buf_text(&record),
			       "{\"name\":\"x\",\"value\":null,\"unit\":null,\"is_exact\":false,"
			       "\"why\":\"file: there is no YAML in its 0 bytes\"}"));
	assert_non_null(strstr(buf_text(&record),
			       "\"stderr\":{\"bytes\":9,\"cut\":false,\"end\":\"errors=0\\n\"}"));
}

static const struct {
	struct words words;
	const char *claim;
	enum verdict verdict, whole;
} cases[] = {
	/* out of bounds, on a quiet host and on one that took a fifth of its time */
	{ { .out = "{\"rate\": 0.499}", .err = "errors=0" },
	  "metric name=rate",
	  VERDICT_FAIL,
	  VERDICT_FAIL },
	{ { .out = "{\"rate\": 100.001}", .err = "errors=0" },
	  "metric name=rate",
	  VERDICT_FAIL,
	  VERDICT_FAIL },
	{ { .out = "{\"rate\": 0.499}", .err = "errors=0", .delay_ns = NSEC_PER_SEC / 5 },
	  "metric name=rate",
	  VERDICT_UNDECIDED,
	  VERDICT_UNDECIDED },
	{ { GOOD, .delay_ns = NSEC_PER_SEC / 5 },
	  "metric name=rate",
	  VERDICT_UNDECIDED,
	  VERDICT_UNDECIDED },
	/* what noise cannot change stands */
	{ { .out = "{\"rate\": 1}", .err = "errors=1", .delay_ns = NSEC_PER_SEC / 5 },
	  "metric name=p/errors",
	  VERDICT_FAIL,
	  VERDICT_FAIL },
	/* no figure: nobody's verdict, but for the payload that was late */
	{ { .out = "hello", .err = "errors=0" }, "metric name=rate", VERDICT_INFRA, VERDICT_INFRA },
	{ { .out = "{\"rate\": -1}", .err = "errors=0" },
	  "metric name=rate",
	  VERDICT_INFRA,
	  VERDICT_INFRA },
	{ { .end = PAYLOAD_TIMED_OUT, .status = 137, .signal = 9 },
	  "metric name=rate",
	  VERDICT_UNDECIDED,
	  VERDICT_FAIL },
	/* ends */
	{ { GOOD, .status = 1 }, "exit", VERDICT_FAIL, VERDICT_FAIL },
	{ { GOOD, .status = 1, .delay_ns = NSEC_PER_SEC / 5 }, "exit", VERDICT_FAIL, VERDICT_FAIL },
	{ { GOOD, .status = 139, .signal = 11 }, "exit", VERDICT_FAIL, VERDICT_FAIL },
	{ { GOOD, .end = PAYLOAD_TIMED_OUT }, "exit", VERDICT_FAIL, VERDICT_FAIL },
	{ { GOOD, .end = PAYLOAD_TIMED_OUT, .delay_ns = NSEC_PER_SEC / 5 },
	  "exit",
	  VERDICT_UNDECIDED,
	  VERDICT_UNDECIDED },
	{ { GOOD, .end = PAYLOAD_KILLED, .status = 137, .signal = 9 },
	  "exit",
	  VERDICT_PASS,
	  VERDICT_PASS },
	{ { GOOD, .end = PAYLOAD_NOT_STARTED, .status = 127 },
	  "exit",
	  VERDICT_INFRA,
	  VERDICT_INFRA },
};

TEST(what_is_wrong_is_named_and_nothing_else)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(play_deinit) struct play p;

		play(&p, &scenario, &cases[i].words);
		assert_int_equal(finding_of(&p, cases[i].claim)->verdict, cases[i].verdict);
		assert_int_equal(p.result.verdict, cases[i].whole);
	}
}

/* A status that is claimed of one payload is not claimed of the other. */
TEST(every_payload_has_to_end_as_claimed_or_with_0)
{
	cleanup(play_deinit) struct play p;

	play(&p, &wants_three, &(struct words){ .status = 3, .err = "oh\033[2Jno\n" });
	assert_int_equal(p.result.finding_count, 2);
	assert_int_equal(finding_of(&p, "exit of=p")->verdict, VERDICT_PASS);
	assert_int_equal(p.result.findings[1].verdict, VERDICT_FAIL);
	assert_string_equal(buf_text(&p.result.findings[1].figures), "q: exit 3 after 1.0 s");
	assert_string_equal(buf_text(&p.result.findings[1].evidence), "q stderr: oh.[2Jno\n");
}

/* A cgroup with nothing but a payload has a quota to claim something of. */
TEST(throttling_is_about_cgroups_not_workers)
{
	cleanup(play_deinit) struct play p;

	play(&p, &boxed, &(struct words){ 0 });
	assert_non_null(finding_of(&p, "throttling min=1 of=box"));
}

TEST(a_hostile_guest_cannot_end_twice_or_speak_for_others)
{
	cleanup(play_deinit) struct play p;
	struct wire_payload_exit e = { .payload = 0 };
	struct wire_payload_out out = { .payload = 1, .stream = 1 };
	const struct frame exit = { .type = FRAME_PAYLOAD_EXIT, .len = sizeof(e), .payload = &e };
	const struct frame bytes = { .type = FRAME_PAYLOAD_OUT,
				     .len = sizeof(out),
				     .payload = &out };
	uint32_t index;
	bool is_end;

	play(&p, &scenario, &(struct words){ GOOD });
	assert_true(telemetry_add(&p.telemetry, &exit, &index, &is_end) < 0);
	assert_true(telemetry_add(&p.telemetry, &bytes, &index, &is_end) < 0);
	out = (struct wire_payload_out){ .payload = 0, .stream = 4 };
	assert_true(telemetry_add(&p.telemetry, &bytes, &index, &is_end) < 0);
}

TEST(output_beyond_the_limit_is_dropped_and_known_to_be)
{
	cleanup(play_deinit) struct play p;
	cleanup(buf_deinit) struct buf flood = BUF_NULL;
	const struct wire_payload_out head = { .payload = 0, .stream = 1 };

	buf_add(&flood, &head, sizeof(head));
	for (int i = 0; i < 100; i++)
		buf_printf(&flood, "%9000d\n", i);
	play(&p, &scenario, &(struct words){ GOOD });
	for (int i = 0; i < 3; i++)
		take(&p, FRAME_PAYLOAD_OUT, flood.data, flood.len, 0);
	assert_int_equal(p.telemetry.payloads[0].streams[0].bytes.len, PAYLOAD_OUT_MAX);
	assert_true(p.telemetry.payloads[0].streams[0].is_cut);
}

TESTS(T(figures_within_their_bounds_are_a_pass),
      T(a_figure_that_is_hardly_out_of_bounds_is_shown_to_be),
      T(the_record_has_ends_metrics_and_output), T(what_is_wrong_is_named_and_nothing_else),
      T(every_payload_has_to_end_as_claimed_or_with_0), T(throttling_is_about_cgroups_not_workers),
      T(a_hostile_guest_cannot_end_twice_or_speak_for_others),
      T(output_beyond_the_limit_is_dropped_and_known_to_be))
