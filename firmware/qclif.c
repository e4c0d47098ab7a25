/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "qclif.h"

bool qclif_init(struct qclif *q)
{
	if (QCLIF_GET(q, version) != QCLIF_VERSION)
		return false;
	qclif_interrupt_on(q, 0);
	qclif_reset(q);
	qclif_interrupts(q);
	return true;
}

bool qclif_configure(struct qclif *q, uint32_t neurons, uint32_t apical_shift, uint32_t product_shift)
{
	if (neurons < 1 || neurons > QCLIF_GET(q, size_neurons) ||
	    apical_shift > QCLIF_SHIFTS_APICAL >> QCLIF_SHIFTS_APICAL_AT ||
	    product_shift > QCLIF_SHIFTS_PRODUCT >> QCLIF_SHIFTS_PRODUCT_AT)
		return false;
	/* What is in work would not let them be changed. */
	qclif_reset(q);
	QCLIF_SET(q, shifts, apical_shift << QCLIF_SHIFTS_APICAL_AT | product_shift << QCLIF_SHIFTS_PRODUCT_AT);
	QCLIF_SET(q, neurons, neurons);
	return true;
}

bool qclif_load_network(struct qclif *q, const struct qclif_network *network)
{
	if (network->build_neurons != QCLIF_GET(q, size_neurons) ||
	    network->inputs != QCLIF_GET(q, size_inputs) || network->contexts != QCLIF_GET(q, size_contexts) ||
	    network->lanes != QCLIF_GET(q, size_lanes) || network->weight_bits != QCLIF_GET(q, size_weight_bits) ||
	    network->state_bits != QCLIF_GET(q, size_state_bits) ||
	    network->current_bits != QCLIF_GET(q, size_current_bits) ||
	    !qclif_configure(q, network->neurons, network->apical_shift, network->product_shift))
		return false;
	for (uint32_t i = 0; i < network->count; i++) {
		const struct qclif_words *const chunk = network->chunks + i;
		qclif_load(q, chunk->space, chunk->address, chunk->words, chunk->count);
	}
	return qclif_errors(q) == 0;
}

void qclif_load(struct qclif *q, uint32_t space, uint32_t address, const uint32_t *words, uint32_t count)
{
	qclif_seek(q, space, address);
	for (const uint32_t *const end = words + count; words != end; words++)
		qclif_put(q, *words);
}

void qclif_fetch(struct qclif *q, uint32_t space, uint32_t address, uint32_t *words, uint32_t count)
{
	qclif_seek(q, space, address);
	for (uint32_t *const end = words + count; words != end; words++)
		*words = qclif_get(q);
}

bool qclif_take(struct qclif *q, uint16_t *neurons, uint32_t most, uint32_t *count)
{
	uint32_t beat;

	do {
		beat = QCLIF_GET(q, pop);
		if (!(beat & QCLIF_POP_VALID))
			return false;
		QCLIF_SET(q, pop, beat);
		if (beat & QCLIF_POP_SPIKE) {
			if (*count < most)
				neurons[*count] = (uint16_t)beat;
			++*count;
		}
	} while (!(beat & QCLIF_POP_LAST));
	return true;
}

void qclif_camera(struct qclif *q, const struct qclif_camera *camera)
{
	QCLIF_SET(q, camera_sensor, camera->width << QCLIF_CAMERA_SENSOR_WIDTH_AT |
	                            camera->height << QCLIF_CAMERA_SENSOR_HEIGHT_AT);
	QCLIF_SET(q, camera_grid, camera->grid_width << QCLIF_CAMERA_GRID_WIDTH_AT |
	                          camera->grid_height << QCLIF_CAMERA_GRID_HEIGHT_AT);
	QCLIF_SET(q, camera_bin_us, camera->bin_us);
	QCLIF_SET(q, camera_counts, camera->count_threshold << QCLIF_CAMERA_COUNTS_COUNT_THRESHOLD_AT |
	                            camera->polarities << QCLIF_CAMERA_COUNTS_POLARITIES_AT |
	                            camera->contexts << QCLIF_CAMERA_COUNTS_CONTEXTS_AT);
}

bool qclif_take_fired(struct qclif *q, uint16_t *sources, uint32_t most, uint32_t *count)
{
	uint32_t beat;

	do {
		beat = QCLIF_GET(q, fired);
		if (!(beat & QCLIF_FIRED_VALID))
			return false;
		QCLIF_SET(q, fired, beat);
		if (beat & QCLIF_FIRED_EVENT) {
			if (*count < most)
				sources[*count] = (uint16_t)beat;
			++*count;
		}
	} while (!(beat & QCLIF_FIRED_LAST));
	return true;
}

void qclif_counters(const struct qclif *q, uint32_t values[QCLIF_COUNTERS])
{
	for (uint32_t i = 0; i < QCLIF_COUNTERS; i++)
		values[i] = QCLIF_GET(q, counters[i]);
}
