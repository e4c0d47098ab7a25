/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "device.h"

#include <stddef.h>

#include "link.h"
#include "platform.h"
#include "request.h"
#include "wire.h"

#define ANSWER_BYTES (QCLIF_FRAME_BYTES - QCLIF_OVERHEAD_BYTES)

uint32_t stats[QCLIF_STAT_COUNT];

static bool sample_open;

void device_start(void)
{
	for (uint32_t i = 0; i < QCLIF_STAT_COUNT; i++)
		stats[i] = 0;
	sample_open = false;
	setup_start();
}

uint32_t device_hello(uint32_t previous_session, uint8_t *answer)
{
	static const uint16_t sizes[] = QCLIF_HELLO_SIZES;

	answer[QCLIF_HELLO_STATUS_AT] = QCLIF_OK;
	answer[QCLIF_HELLO_PROTOCOL_AT] = QCLIF_PROTOCOL_VERSION;
	wire_put16(answer + QCLIF_HELLO_FIRMWARE_AT, QCLIF_FIRMWARE_VERSION);
	wire_put32(answer + QCLIF_HELLO_CLOCK_HZ_AT, PLATFORM_CLOCK_HZ);
	answer[QCLIF_HELLO_ENGINES_AT] = setup_engines();
	wire_put32(answer + QCLIF_HELLO_RAM_BYTES_AT, 4 * setup_memory_words(QCLIF_SPACE_CPU));
	wire_put32(answer + QCLIF_HELLO_NETWORK_ACCEL_AT, setup.network_ids[QCLIF_ENGINE_ACCEL]);
	wire_put32(answer + QCLIF_HELLO_NETWORK_CPU_AT, setup.network_ids[QCLIF_ENGINE_CPU]);
	wire_put16(answer + QCLIF_HELLO_PREVIOUS_AT, previous_session);
	answer[QCLIF_HELLO_SAMPLE_OPEN_AT] = sample_open;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		wire_put16(answer + QCLIF_HELLO_SIZES_AT + 2 * i, sizes[i]);
	sample_open = false;
	setup.engine = NULL;
	return QCLIF_HELLO_BYTES;
}

static bool begin(struct request *request)
{
	if (!sample_begin())
		return request_fail(request, QCLIF_ERROR_STUCK, setup.engine->status(), ENGINE_PATIENCE);
	sample_open = true;
	return true;
}

/* Of ROM boards have little. */
__attribute__((noinline)) static bool report_counters(struct request *request)
{
	uint32_t counters[QCLIF_COUNTER_COUNT];

	sample_counters(counters);
	for (uint32_t i = 0; i < QCLIF_COUNTER_COUNT; i++)
		request->answer = wire_put32(request->answer, counters[i]);
	return true;
}

static bool end(struct request *request)
{
	sample_open = false;
	return report_counters(request);
}

/* The payload is a range `first`, `count` below `limit` whose items take four bytes each in the answer. */
static bool take_range(struct request *request, uint32_t limit, uint32_t *first, uint32_t *count)
{
	if (request_bytes(request) != QCLIF_RANGE_BYTES)
		return request_malformed(request, request->end);
	*first = wire_get16(request->begin + QCLIF_RANGE_FIRST_AT);
	*count = wire_get16(request->begin + QCLIF_RANGE_COUNT_AT);
	if (*first > limit || *count > limit - *first)
		return request_fail(request, QCLIF_ERROR_ADDRESS, *first, limit);
	if (4 * *count > request_room(request))
		return request_fail(request, QCLIF_ERROR_RESPONSE, 4 * *count, request_room(request));
	return true;
}

static bool logits(struct request *request)
{
	const uint32_t outputs = setup.network.outputs;
	uint32_t first, count;

	if (!take_range(request, outputs, &first, &count))
		return false;
	for (uint32_t i = 0; i < count; i++)
		request->answer = wire_put32(request->answer, readout_logit(first + i, setup.network.neurons, outputs));
	return true;
}

static bool states(struct request *request)
{
	uint32_t first, count;

	if (!take_range(request, setup.network.neurons, &first, &count))
		return false;
	for (uint32_t i = 0; i < count; i++)
		request->answer = wire_put32(request->answer, setup.engine->state(first + i));
	return true;
}

static bool report_stats(struct request *request)
{
	stats[QCLIF_STAT_RX_BYTES] = platform_bytes_received();
	stats[QCLIF_STAT_TX_BYTES] = platform_bytes_sent();
	stats[QCLIF_STAT_RX_OVERFLOWS] = platform_bytes_lost();
	for (uint32_t i = 0; i < QCLIF_STAT_COUNT; i++)
		request->answer = wire_put32(request->answer, stats[i]);
	return true;
}

/* What a request needs to have been done before it; each includes the ones before. */
enum need { NOTHING, ENGINE, SAMPLE, SAMPLE_WITH_ENCODER };

static const struct handler {
	bool (*execute)(struct request *request);
	enum need need;
} handlers[] = {
	[QCLIF_REQUEST_WRITE]     = {setup_write, NOTHING},
	[QCLIF_REQUEST_VERIFY]    = {setup_verify, NOTHING},
	[QCLIF_REQUEST_CONFIGURE] = {setup_configure, NOTHING},
	[QCLIF_REQUEST_ENCODER]   = {setup_encoder, ENGINE},
	[QCLIF_REQUEST_BEGIN]     = {begin, ENGINE},
	[QCLIF_REQUEST_PART]      = {sample_part, SAMPLE},
	[QCLIF_REQUEST_STEPS]     = {sample_steps, SAMPLE},
	[QCLIF_REQUEST_RAW]       = {sample_raw, SAMPLE_WITH_ENCODER},
	[QCLIF_REQUEST_FINISH]    = {sample_finish, SAMPLE_WITH_ENCODER},
	[QCLIF_REQUEST_END]       = {end, SAMPLE},
	[QCLIF_REQUEST_LOGITS]    = {logits, ENGINE},
	[QCLIF_REQUEST_STATE]     = {states, ENGINE},
	[QCLIF_REQUEST_STATS]     = {report_stats, NOTHING},
	[QCLIF_REQUEST_WINDOW]    = {setup_window, ENGINE},
	[QCLIF_REQUEST_COUNTERS]  = {report_counters, SAMPLE},
	[QCLIF_REQUEST_WATCH]     = {setup_watch, ENGINE},
};

static bool execute(uint8_t type, struct request *request)
{
	if (type >= sizeof(handlers) / sizeof(handlers[0]) || handlers[type].execute == NULL)
		return request_fail(request, QCLIF_ERROR_REQUEST, type, QCLIF_PROTOCOL_VERSION);

	const struct handler *const handler = &handlers[type];
	const enum need reached = setup.engine == NULL ? NOTHING :
		!sample_open ? ENGINE :
		!setup.with_encoder ? SAMPLE : SAMPLE_WITH_ENCODER;
	if (reached < handler->need)
		return request_fail(request, QCLIF_ERROR_ORDER, type, reached);
	return handler->execute(request);
}

uint32_t device_execute(uint8_t type, const uint8_t *payload, uint32_t length, uint8_t *answer)
{
	struct request request = {
		.begin      = payload,
		.end        = payload + length,
		.answer     = answer + 1,
		.answer_end = answer + ANSWER_BYTES,
	};

	answer[QCLIF_ERROR_STATUS_AT] = QCLIF_OK;
	/* A sample goes on with the network that it began with. */
	if (type == QCLIF_REQUEST_WRITE || type == QCLIF_REQUEST_CONFIGURE || type == QCLIF_REQUEST_ENCODER ||
	    type == QCLIF_REQUEST_WINDOW)
		sample_open = false;
	if (execute(type, &request))
		return (uint32_t)(request.answer - answer);

	/* What a sample's steps left half done cannot go on. */
	sample_open = false;
	answer[QCLIF_ERROR_STATUS_AT] = (uint8_t)request.status;
	wire_put32(answer + QCLIF_ERROR_VALUE_AT, request.value);
	wire_put32(answer + QCLIF_ERROR_LIMIT_AT, request.limit);
	return QCLIF_ERROR_BYTES;
}
