/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "request.h"

#include <stddef.h>

#include "link.h"
#include "platform.h"
#include "wire.h"

static const struct engine *engine;
static struct network net;
static struct step step;      /* being put together */
static uint32_t undrained;    /* steps pushed, their spikes not yet in an answer */
static bool raw_open;         /* a raw word came since the last step ended */
static uint32_t began;
static const uint8_t *fetched_from; /* what the engine fetches begins there */

bool sample_begin(void)
{
	engine = setup.engine;
	net = setup.network;
	step.count = step.fetched = 0;
	undrained = 0;
	raw_open = false;
	encoder_begin();
	readout_begin(net.outputs, setup.decay, setup.report);
	began = platform_clock();
	return engine->begin();
}

/* Bytes that logits and states take in an answer with spikes. */
static uint32_t report_bytes(void)
{
	return setup.report ? 4 * (net.outputs + setup.watched_count) : 0;
}

/* Keep room for them: nothing else of the answer is to take it. */
__attribute__((noinline)) static bool reserve_report(struct request *request)
{
	if (report_bytes() > request_room(request))
		return request_fail(request, QCLIF_ERROR_RESPONSE, report_bytes(), request_room(request));
	request->answer_end -= report_bytes();
	return true;
}

/* Append them; all steps are drained. */
static bool report(struct request *request)
{
	if (!setup.report)
		return true;
	for (uint32_t i = 0; i < net.outputs; i++)
		request->answer = wire_put32(request->answer, readout_running[i]);
	for (uint32_t i = 0; i < setup.watched_count; i++)
		request->answer = wire_put32(request->answer, engine->state(setup.watched[i]));
	return true;
}

/* The engine failed: what it fetched is wrong, or it is stuck. */
static bool failed(struct request *request)
{
	const struct fetch fetch = engine->fetch ? engine->fetched() : (struct fetch){.state = FETCH_DONE};

	switch (fetch.state) {
	case FETCH_SOURCE:
		return request_fail(request, QCLIF_ERROR_SOURCE, fetch.value, net.inputs);
	case FETCH_EVENTS:
		return request_fail(request, QCLIF_ERROR_EVENTS, fetch.value, QCLIF_STEP_EVENTS);
	case FETCH_FORM:
		return request_malformed(request, fetched_from + fetch.value);
	case FETCH_FAULT:
		return request_fail(request, QCLIF_ERROR_FAULT, engine->errors(), 0);
	default:
		return request_fail(request, QCLIF_ERROR_STUCK, engine->status(), ENGINE_PATIENCE);
	}
}

/* Start the step, which was put together from the clock `start` on. */
static bool push(struct request *request, uint32_t start)
{
	const uint32_t waited = stats[QCLIF_STAT_WAIT_CLOCKS] + stats[QCLIF_STAT_CPU_CLOCKS];

	if (!engine->push(&step))
		return failed(request);
	stats[QCLIF_STAT_STEPS]++;
	stats[QCLIF_STAT_PUMP_EVENTS] += step.count - step.fetched;
	stats[QCLIF_STAT_PUMP_CLOCKS] += platform_clock() - start -
		(stats[QCLIF_STAT_WAIT_CLOCKS] + stats[QCLIF_STAT_CPU_CLOCKS] - waited);
	step.count = step.fetched = 0;
	undrained++;
	return true;
}

/* Append the oldest step's spikes to the answer, which has room for them. */
static bool drain(struct request *request)
{
	static uint16_t neurons[QCLIF_NEURONS];
	uint32_t count;

	const uint32_t start = platform_clock();
	const uint32_t waited = stats[QCLIF_STAT_WAIT_CLOCKS];
	if (!engine->drain(neurons, &count))
		return failed(request);

	request->answer = spikes_put(request->answer, neurons, count);
	readout_step(neurons, count);
	undrained--;
	stats[QCLIF_STAT_DRAIN_SPIKES] += count;
	stats[QCLIF_STAT_DRAIN_CLOCKS] += platform_clock() - start - (stats[QCLIF_STAT_WAIT_CLOCKS] - waited);
	return true;
}

static bool check_faults(struct request *request)
{
	const uint32_t errors = engine->errors();
	return errors == 0 || request_fail(request, QCLIF_ERROR_FAULT, errors, 0);
}

/* Add the events at *at to the step. */
static bool take_events(struct request *request, const uint8_t **at)
{
	const uint8_t *cursor = *at;
	const uint32_t count = wire_get_varint(&cursor, request->end);
	if (count == WIRE_CUT)
		return request_malformed(request, cursor);
	if (count > QCLIF_STEP_EVENTS - step.count)
		return request_fail(request, QCLIF_ERROR_EVENTS, step.count + count, QCLIF_STEP_EVENTS);

	/* Between the network's inputs and the build's there is nothing, and nothing above the contexts. */
	const uint32_t inputs = net.inputs;
	const uint32_t unused = QCLIF_INPUTS - inputs;
	const uint32_t limit = QCLIF_INPUTS + net.contexts;
	const uint8_t *const end = request->end;
	uint16_t *to = step.sources + step.count;
	uint16_t *const to_end = to + count;
	uint32_t source = 0;
	while (to != to_end) {
		const uint32_t difference = wire_get_varint(&cursor, end);
		if (difference == WIRE_CUT)
			return request_malformed(request, cursor);
		source += difference;
		if (source - inputs < unused || source >= limit)
			return request_fail(request, QCLIF_ERROR_SOURCE, source, inputs);
		*to++ = (uint16_t)source;
	}
	step.count += count;
	*at = cursor;
	return true;
}

/* The engine can fetch what comes next: nothing that it is to follow waits here. */
static bool can_fetch(void)
{
	return engine->fetch && step.count == step.fetched;
}

/* Let the engine fetch steps, all bytes from there on, and append their spikes. An open one goes on later. */
static bool fetch_steps(struct request *request, const uint8_t *from, uint32_t steps, bool open)
{
	const uint32_t start = platform_clock();
	fetched_from = from;
	engine->fetch(from, request->end, steps, open);
	stats[QCLIF_STAT_PUMP_CLOCKS] += platform_clock() - start;

	for (undrained = open ? 0 : steps; undrained;)
		if (!drain(request))
			return false;

	const uint32_t drained = platform_clock();
	struct fetch fetch;
	while ((fetch = engine->fetched()).state == FETCH_BUSY) {
		if (platform_clock() - drained > ENGINE_PATIENCE)
			return failed(request);
		link_busy();
	}
	if (fetch.state != FETCH_DONE)
		return failed(request);
	step.count = step.fetched = open ? step.count + fetch.events : 0;
	stats[QCLIF_STAT_STEPS] += open ? 0 : steps;
	stats[QCLIF_STAT_PUMP_EVENTS] += fetch.events;
	stats[QCLIF_STAT_PUMP_CLOCKS] += platform_clock() - drained;
	return true;
}

bool sample_part(struct request *request)
{
	const uint8_t *at = request->begin;

	if (can_fetch())
		return fetch_steps(request, at, 1, true);
	if (!take_events(request, &at))
		return false;
	return at == request->end || request_malformed(request, at);
}

bool sample_steps(struct request *request)
{
	const uint8_t *at = request->begin;
	const uint32_t steps = wire_get_varint(&at, request->end);

	if (steps == WIRE_CUT)
		return request_malformed(request, at);
	if (!reserve_report(request))
		return false;
	if (steps * QCLIF_STEP_ANSWER_BYTES > request_room(request))
		return request_fail(request, QCLIF_ERROR_RESPONSE, steps * QCLIF_STEP_ANSWER_BYTES, request_room(request));

	if (can_fetch())
		return fetch_steps(request, at, steps, false) && report(request) && check_faults(request);

	/* A step is received and pushed while the one before it computes. */
	for (uint32_t t = 0; t < steps; t++) {
		const uint32_t start = platform_clock();
		if (!take_events(request, &at) || !push(request, start) || (undrained == 2 && !drain(request)))
			return false;
	}
	if (undrained && !drain(request))
		return false;
	if (at != request->end)
		return request_malformed(request, at);
	return report(request) && check_faults(request);
}

/* Append the sources that fired since the step had `from` of them; it may be complete with them. */
static bool report_sources(struct request *request, uint32_t from, bool complete)
{
	/* The spikes of the step before come first; this late, they are there. */
	if (undrained && !drain(request))
		return false;
	/* Each takes two bytes at most; then comes the end of the step, and its spikes. */
	const uint32_t needed = 2 * (step.count - from) + (complete ? 1 + QCLIF_STEP_ANSWER_BYTES : 0);
	if (needed > request_room(request))
		return request_fail(request, QCLIF_ERROR_RESPONSE, needed, request_room(request));
	for (uint32_t i = from; i < step.count; i++)
		request->answer = wire_put_varint(request->answer, step.sources[i] + 1u);
	return true;
}

/* Take words from *at on into the step; an engine that encodes by itself takes all, and tells what fired. */
static bool take_words(struct request *request, const uint8_t **at, enum encoder_result *result,
                       struct encoder_fault *fault)
{
	const uint32_t start = platform_clock();
	const uint32_t waited = stats[QCLIF_STAT_WAIT_CLOCKS];
	const uint32_t from = step.count;

	if (!engine->encode)
		*result = encoder_feed(at, request->end, net.contexts, &step, fault);
	else if (!engine->encoded(&step, result, fault))
		return failed(request);
	else
		stats[QCLIF_STAT_PUMP_EVENTS] += step.count - from;
	stats[QCLIF_STAT_RAW_CLOCKS] += platform_clock() - start - (stats[QCLIF_STAT_WAIT_CLOCKS] - waited);
	return report_sources(request, from, *result == ENCODER_STEP);
}

static bool finish_raw_step(struct request *request, bool started)
{
	request->answer = wire_put_varint(request->answer, 0);
	raw_open = false;
	if (!started)
		return push(request, platform_clock());
	stats[QCLIF_STAT_STEPS]++;
	step.count = step.fetched = 0;
	undrained++;
	return true;
}

bool sample_raw(struct request *request)
{
	const uint8_t *at = request->begin;
	const uint32_t bytes = request_bytes(request);

	if (bytes == 0 || bytes % encoder_word_bytes() != 0)
		return request_malformed(request, at);
	stats[QCLIF_STAT_RAW_EVENTS] += bytes / encoder_word_bytes();
	if (!reserve_report(request))
		return false;

	fetched_from = at;
	if (engine->encode)
		engine->encode(at, request->end);

	enum encoder_result result;
	struct encoder_fault fault;
	do {
		if (!take_words(request, &at, &result, &fault))
			return false;
		if (result == ENCODER_STEP && !finish_raw_step(request, engine->encode != NULL))
			return false;
	} while (result == ENCODER_STEP);
	raw_open = true;
	if (undrained && !drain(request))
		return false;

	switch (result) {
	case ENCODER_PIXEL:
		return request_fail(request, QCLIF_ERROR_PIXEL, fault.value, fault.limit);
	case ENCODER_SOURCE:
		return request_fail(request, QCLIF_ERROR_SOURCE, fault.value, fault.limit);
	case ENCODER_FULL:
		return request_fail(request, QCLIF_ERROR_EVENTS, fault.value, fault.limit);
	default:
		return report(request) && check_faults(request);
	}
}

bool sample_finish(struct request *request)
{
	if (request_bytes(request) != 0)
		return request_malformed(request, request->begin);
	if (!reserve_report(request))
		return false;
	if (raw_open && !(report_sources(request, step.count, true) && finish_raw_step(request, false) && drain(request)))
		return false;
	return report(request) && check_faults(request);
}

void sample_counters(uint32_t values[QCLIF_COUNTER_COUNT])
{
	engine->counters(values);
	values[QCLIF_COUNTER_SOC_CLOCKS] = platform_clock() - began;
}
