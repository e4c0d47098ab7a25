/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The accelerator as an engine: events in and spikes out through its registers. */

#include "engine.h"
#include "platform.h"

#ifdef PLATFORM_WITH_ACCEL

#include "link.h"

#define PUSH_EVENT      (1u << CSR_QCLIF_PUSH_EVENT_OFFSET)
#define PUSH_LAST       (1u << CSR_QCLIF_PUSH_LAST_OFFSET)
#define POP_SPIKE       (1u << CSR_QCLIF_POP_SPIKE_OFFSET)
#define POP_LAST        (1u << CSR_QCLIF_POP_LAST_OFFSET)
#define POP_VALID       (1u << CSR_QCLIF_POP_VALID_OFFSET)
#define STATUS_READY    (1u << CSR_QCLIF_STATUS_READY_OFFSET)
#define STATUS_BUSY     (1u << CSR_QCLIF_STATUS_BUSY_OFFSET)
#define CONTROL_ALL     (1u << CSR_QCLIF_CONTROL_RESET_STATE_OFFSET | \
                         1u << CSR_QCLIF_CONTROL_CLEAR_ERRORS_OFFSET | \
                         1u << CSR_QCLIF_CONTROL_CLEAR_COUNTERS_OFFSET)

static void configure(const struct network *network)
{
	qclif_neurons_write((uint16_t)network->neurons);
	qclif_shifts_write((uint16_t)(network->apical_shift << CSR_QCLIF_SHIFTS_APICAL_OFFSET |
	                              network->product_shift << CSR_QCLIF_SHIFTS_PRODUCT_OFFSET));
}

/* Wait until the status has all of `set` and none of `clear`. */
static bool await_status(uint32_t set, uint32_t clear)
{
	const uint32_t start = platform_clock();

	while ((qclif_status_read() & (set | clear)) != set) {
		if (platform_clock() - start > ENGINE_PATIENCE)
			return false;
		link_busy();
	}
	stats[QCLIF_STAT_WAIT_CLOCKS] += platform_clock() - start;
	return true;
}

static bool begin(void)
{
	if (!await_status(0, STATUS_BUSY))
		return false;
	while (qclif_pop_read() & POP_VALID)
		;
	qclif_control_write(CONTROL_ALL);
	return true;
}

static bool push(const struct step *step)
{
	if (!await_status(STATUS_READY, 0))
		return false;

	/* Ready means that a whole step has room: nothing is asked between its events. */
	const uint16_t *source = step->sources;
	const uint16_t *const end = source + step->count;
	if (source == end) {
		qclif_push_write(PUSH_LAST);
		return true;
	}
	while (source != end - 1)
		qclif_push_write(PUSH_EVENT | *source++);
	qclif_push_write(PUSH_EVENT | PUSH_LAST | *source);
	return true;
}

static bool drain(uint16_t neurons[QCLIF_NEURONS], uint32_t *count)
{
	const uint32_t start = platform_clock();
	uint32_t spikes = 0;
	uint32_t beat;

	do {
		beat = qclif_pop_read();
		if (!(beat & POP_VALID)) {
			if (platform_clock() - start > ENGINE_PATIENCE)
				return false;
			link_busy();
		} else if (beat & POP_SPIKE) {
			if (spikes == QCLIF_NEURONS)
				return false;
			neurons[spikes++] = (uint16_t)beat;
		}
	} while ((beat & (POP_VALID | POP_LAST)) != (POP_VALID | POP_LAST));
	*count = spikes;
	return true;
}

static uint32_t state(uint32_t neuron)
{
	qclif_address_write(QCLIF_SPACE_STATE << QCLIF_SPACE_SHIFT | neuron);
	return qclif_data_read();
}

static void counters(uint32_t values[QCLIF_COUNTER_COUNT])
{
	values[QCLIF_COUNTER_STEPS] = qclif_counter_steps_read();
	values[QCLIF_COUNTER_EVENTS] = qclif_counter_events_read();
	values[QCLIF_COUNTER_ROWS] = qclif_counter_rows_read();
	values[QCLIF_COUNTER_SOPS] = qclif_counter_sops_read();
	values[QCLIF_COUNTER_SPIKES] = qclif_counter_spikes_read();
	values[QCLIF_COUNTER_BUSY] = qclif_counter_busy_read();
	values[QCLIF_COUNTER_STALLS] = qclif_counter_stalls_read();
	values[QCLIF_COUNTER_OVERFLOWS] = qclif_counter_overflows_read();
}

static uint32_t errors(void)
{
	return qclif_errors_read();
}

static uint32_t status(void)
{
	return qclif_status_read();
}

const struct engine engine_accel = {configure, begin, push, drain, state, counters, errors, status};

#endif
