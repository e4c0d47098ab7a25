/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The accelerator as an engine: events in and spikes out through its registers. */

#include "engine.h"
#include "platform.h"

#ifdef PLATFORM_WITH_ACCEL

#include "link.h"
#include "qclif.h"

static void configure(const struct network *network)
{
	/* Within the build's limits, which the request was checked for. */
	qclif_configure(PLATFORM_ACCEL, network->neurons, network->apical_shift, network->product_shift);
}

static bool begin(void)
{
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
	qclif_push(PLATFORM_ACCEL, step->sources, step->count);
	return true;
}

static bool drain(uint16_t neurons[QCLIF_NEURONS], uint32_t *count)
{
	const uint32_t start = platform_clock();

	*count = 0;
	while (!qclif_take(PLATFORM_ACCEL, neurons, QCLIF_NEURONS, count)) {
		if (platform_clock() - start > ENGINE_PATIENCE)
			return false;
		link_busy();
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

const struct engine engine_accel = {configure, begin, push, drain, state, counters, errors, status};

#endif
