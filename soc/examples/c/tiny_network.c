/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "tiny_network.h"

#define PATIENCE 100000u /* questions */

/* Address of the first slice of a weight word: a word of `lanes` bytes has slices of four. */
static uint32_t weight_address(const struct qclif *q, uint32_t row)
{
	const uint32_t lanes = QCLIF_GET(q, size_lanes);
	uint32_t address = row;

	for (uint32_t slices = 1; 4 * slices < lanes; slices *= 2)
		address *= 2;
	return address;
}

static void load_weight(struct qclif *q, uint32_t space, uint32_t row, uint32_t weight)
{
	qclif_load(q, space, weight_address(q, row), &weight, 1);
}

static bool step(struct qclif *q, const uint16_t *sources, uint32_t count, uint32_t *spikes)
{
	uint16_t neurons[1];

	*spikes = 0;
	for (uint32_t asked = 0; !qclif_ready(q); asked++)
		if (asked == PATIENCE)
			return false;
	qclif_push(q, sources, count);
	for (uint32_t asked = 0; !qclif_take(q, neurons, 1, spikes) || qclif_busy(q); asked++)
		if (asked == PATIENCE)
			return false;
	return true;
}

bool tiny_network(struct qclif *q, struct tiny_answer *answer)
{
	/* Threshold 40, no leaks; bias_apical 50, bias_soma 0. */
	static const uint32_t parameters[] = {40, 50u << 16};
	static const uint16_t input[] = {0};

	if (!qclif_init(q) || QCLIF_GET(q, size_weight_bits) != 8 || QCLIF_GET(q, size_state_bits) != 8)
		return false;
	/* The input's somatic weight is 100, the neuron has none to itself. */
	load_weight(q, QCLIF_SPACE_SOMA, 0, 100);
	load_weight(q, QCLIF_SPACE_SOMA, QCLIF_GET(q, size_inputs), 0);
	load_weight(q, QCLIF_SPACE_APICAL, QCLIF_GET(q, size_contexts), 0);
	qclif_load(q, QCLIF_SPACE_PARAMETERS, 0, parameters, 2);
	if (!qclif_configure(q, 1, 0, 6))
		return false;
	if (!step(q, input, 1, &answer->first))
		return false;
	qclif_fetch(q, QCLIF_SPACE_STATE, 0, &answer->states, 1);
	if (!step(q, input, 0, &answer->second))
		return false;
	answer->errors = qclif_errors(q);
	return true;
}
