/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "engine.h"

/* One word more, so that a build without outputs has an array too. */
uint32_t readout_weights[READOUT_WORDS + 1];

/* Spikes are only counted as they come, where that will do: one multiplication a neuron and output at the end, not one a
   spike. */
static uint32_t spikes[QCLIF_NEURONS];

/* Else, the logits after the last step. */
uint32_t readout_running[QCLIF_OUTPUTS + 1];
static bool by_step;

static uint32_t row_words;
static uint32_t decay;

void readout_begin(uint32_t outputs, uint32_t of_window, bool running)
{
	row_words = outputs;
	decay = of_window;
	by_step = running || decay != 0;
	for (uint32_t n = 0; n < QCLIF_NEURONS; n++)
		spikes[n] = 0;
	for (uint32_t o = 0; o < QCLIF_OUTPUTS + 1; o++)
		readout_running[o] = 0;
}

void readout_fade(void)
{
	if (decay == 0)
		return;
	const uint32_t outputs = row_words;
	const uint32_t shift = decay;
	const uint32_t half = 1u << (shift - 1);
	for (uint32_t o = 0; o < outputs; o++)
		readout_running[o] -= (uint32_t)((int32_t)(readout_running[o] + half) >> shift);
}

void readout_add(const uint16_t *neurons, uint32_t count)
{
	if (!by_step) {
		for (uint32_t i = 0; i < count; i++)
			spikes[neurons[i]]++;
		return;
	}
	/* Two at a time: loads first, so that none waits for a store. */
	const uint32_t outputs = row_words;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t *row = readout_weights + neurons[i] * outputs;
		uint32_t *sum = readout_running;
		for (uint32_t pairs = outputs / 2; pairs != 0; pairs--, sum += 2, row += 2) {
			const uint32_t first = sum[0] + row[0];
			const uint32_t second = sum[1] + row[1];
			sum[0] = first;
			sum[1] = second;
		}
		if (outputs % 2 != 0)
			*sum += *row;
	}
}

uint32_t readout_logit(uint32_t output, uint32_t neurons, uint32_t outputs)
{
	uint32_t logit = 0;

	if (by_step)
		return readout_running[output];
	for (uint32_t n = 0; n < neurons; n++)
		logit += spikes[n] * readout_weights[n * outputs + output];
	return logit;
}
