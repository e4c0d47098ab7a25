/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The accelerator as an engine: events in and spikes out through its registers. */

#include "engine.h"
#include "platform.h"

#ifdef PLATFORM_WITH_ACCEL

#include <stddef.h>

#include "link.h"
#include "qclif.h"

static void configure(const struct network *network)
{
	/* Within the build's limits, which the request was checked for. */
	qclif_configure(PLATFORM_ACCEL, network->neurons, network->apical_shift, network->product_shift);
#ifdef PLATFORM_WITH_DMA
	qclif_reader_sources(PLATFORM_ACCEL, network->inputs, network->contexts);
#endif
}

static bool begin(void)
{
	/* A recording begins for the encoder, too. */
	qclif_reset(PLATFORM_ACCEL);
	/* Whoever looks at all registers finds a word there that steps do not change. */
	qclif_seek(PLATFORM_ACCEL, QCLIF_SPACE_SOMA, 0);
	return true;
}

static bool push(const struct step *step)
{
	const uint32_t start = platform_clock();

	while (!qclif_ready(PLATFORM_ACCEL)) {
		if (platform_clock() - start > ENGINE_PATIENCE)
			return false;
		link_busy();
	}
	stats[QCLIF_STAT_WAIT_CLOCKS] += platform_clock() - start;
	qclif_push(PLATFORM_ACCEL, step->sources + step->fetched, step->count - step->fetched);
	return true;
}

#ifdef PLATFORM_WITH_DMA

/* Events of the sample before those that are fetched. */
static uint32_t events_before;

/* The steps that are drained may never end. */
static bool may_fail;

static uint32_t events(void)
{
	return QCLIF_GET(PLATFORM_ACCEL, counters[QCLIF_COUNTER_EVENTS]);
}

static void fetch(const uint8_t *begin, const uint8_t *end, uint32_t steps, bool open)
{
	events_before = events();
	may_fail = true;
	qclif_read_steps(PLATFORM_ACCEL, (uint32_t)begin, (uint32_t)(end - begin), steps, open);
}

static struct fetch fetched(void)
{
	static const enum fetch_state states[] = {
		[QCLIF_READER_ERROR_NONE]     = FETCH_DONE,
		[QCLIF_READER_ERROR_SOURCE]   = FETCH_SOURCE,
		[QCLIF_READER_ERROR_EVENTS]   = FETCH_EVENTS,
		[QCLIF_READER_ERROR_FORM]     = FETCH_FORM,
		[QCLIF_READER_ERROR_BUS]      = FETCH_FAULT,
		[QCLIF_READER_ERROR_COLUMN]   = FETCH_FAULT,
		[QCLIF_READER_ERROR_ROW]      = FETCH_FAULT,
		[QCLIF_READER_ERROR_SETTINGS] = FETCH_FAULT,
	};
	const uint32_t reader = QCLIF_GET(PLATFORM_ACCEL, reader_status);
	const uint32_t error = qclif_reader_error(PLATFORM_ACCEL);

	if (!(reader & QCLIF_READER_STATUS_DONE))
		return (struct fetch){.state = FETCH_BUSY};
	return (struct fetch){
		.state  = states[error],
		.value  = error == QCLIF_READER_ERROR_FORM ? QCLIF_GET(PLATFORM_ACCEL, reader_position)
		                                           : QCLIF_GET(PLATFORM_ACCEL, reader_value),
		.events = events() - events_before,
	};
}

static bool fetch_failed(void)
{
	return may_fail && qclif_reader_error(PLATFORM_ACCEL) != QCLIF_READER_ERROR_NONE;
}

#else

#define fetch   NULL
#define fetched NULL

static bool fetch_failed(void)
{
	return false;
}

#endif

#ifdef PLATFORM_WITH_CAMERA

/* Of the sensor. */
static uint32_t width, height;

static void encoder(const struct encoder_settings *settings, uint32_t contexts)
{
	const struct qclif_camera wanted = {
		.width           = settings->width,
		.height          = settings->height,
		.grid_width      = settings->grid_width,
		.grid_height     = settings->grid_height,
		.polarities      = settings->polarities,
		.bin_us          = settings->bin_us,
		.count_threshold = settings->count_threshold,
		.contexts        = contexts,
	};

	/* What a sample that failed has left would keep the settings. */
	if (QCLIF_GET(PLATFORM_ACCEL, reader_status) & QCLIF_READER_STATUS_BUSY)
		qclif_reset(PLATFORM_ACCEL);
	width = settings->width;
	height = settings->height;
	qclif_camera(PLATFORM_ACCEL, &wanted);
}

static void encode(const uint8_t *begin, const uint8_t *end)
{
	may_fail = false;
	qclif_read_raw(PLATFORM_ACCEL, (uint32_t)begin, (uint32_t)(end - begin));
}

static bool encoded(struct step *step, enum encoder_result *result, struct encoder_fault *fault)
{
	uint32_t count = step->count;
	uint32_t from = platform_clock();
	uint32_t waited = 0;

	*result = ENCODER_STEP;
	for (;;) {
		/* What fired before it was done is there by then. */
		const bool done = QCLIF_GET(PLATFORM_ACCEL, reader_status) & QCLIF_READER_STATUS_DONE;
		const uint32_t before = count;
		const bool ended = qclif_take_fired(PLATFORM_ACCEL, step->sources, QCLIF_STEP_EVENTS, &count);
		if (count > QCLIF_STEP_EVENTS)
			return false;
		step->count = step->fetched = count;
		if (ended)
			return true;
		if (done)
			break;

		const uint32_t now = platform_clock();
		if (count == before) {
			waited += now - from;
			stats[QCLIF_STAT_WAIT_CLOCKS] += now - from;
			if (waited > ENGINE_PATIENCE)
				return false;
			link_busy();
		} else {
			waited = 0;
		}
		from = now;
	}

	const uint32_t value = QCLIF_GET(PLATFORM_ACCEL, reader_value);
	switch (qclif_reader_error(PLATFORM_ACCEL)) {
	case QCLIF_READER_ERROR_NONE:
		*result = ENCODER_DRY;
		return true;
	case QCLIF_READER_ERROR_SOURCE:
		*result = ENCODER_SOURCE;
		*fault = (struct encoder_fault){value, QCLIF_INPUTS};
		return true;
	case QCLIF_READER_ERROR_EVENTS:
		*result = ENCODER_FULL;
		*fault = (struct encoder_fault){value, QCLIF_STEP_EVENTS};
		return true;
	case QCLIF_READER_ERROR_COLUMN:
		*result = ENCODER_PIXEL;
		*fault = (struct encoder_fault){value, width};
		return true;
	case QCLIF_READER_ERROR_ROW:
		*result = ENCODER_PIXEL;
		*fault = (struct encoder_fault){value, height};
		return true;
	default:
		return false;
	}
}

#else

#define encoder NULL
#define encode  NULL
#define encoded NULL

#endif

static bool drain(uint16_t neurons[QCLIF_NEURONS], uint32_t *count)
{
	*count = 0;
	if (!qclif_take(PLATFORM_ACCEL, neurons, QCLIF_NEURONS, count)) {
		const uint32_t start = platform_clock();
		while (!qclif_take(PLATFORM_ACCEL, neurons, QCLIF_NEURONS, count)) {
			if (fetch_failed() || platform_clock() - start > ENGINE_PATIENCE)
				return false;
			link_busy();
		}
		stats[QCLIF_STAT_WAIT_CLOCKS] += platform_clock() - start;
	}
	return *count <= QCLIF_NEURONS;
}

static uint32_t state(uint32_t neuron)
{
	qclif_seek(PLATFORM_ACCEL, QCLIF_SPACE_STATE, neuron);
	return QCLIF_GET(PLATFORM_ACCEL, data);
}

static void counters(uint32_t values[QCLIF_COUNTER_COUNT])
{
	qclif_counters(PLATFORM_ACCEL, values);
}

static uint32_t errors(void)
{
	return qclif_errors(PLATFORM_ACCEL);
}

static uint32_t status(void)
{
	return QCLIF_GET(PLATFORM_ACCEL, status);
}

const struct engine engine_accel = {configure, begin, push, fetch, fetched, encoder, encode, encoded, drain, state,
                                    counters, errors, status};

#endif
