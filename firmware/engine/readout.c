/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "engine.h"

/* One word more, so that a build without outputs has an array too. */
uint32_t readout_weights[READOUT_WORDS + 1];

/* Without a window spikes are only counted as they come: one multiplication a neuron and output at the end, not one a
   spike. */
static uint32_t spikes[QCLIF_NEURONS];

/* With a window, the logits after the last step. */
static uint32_t logits[QCLIF_OUTPUTS + 1];
static uint32_t row_words;
static uint32_t decay;

void readout_begin(uint32_t outputs, uint32_t of_window)
{
	row_words = outputs;
	decay = of_window;
	for (uint32_t n = 0; n < QCLIF_NEURONS; n++)
		spikes[n] = 0;
	for (uint32_t o = 0; o < QCLIF_OUTPUTS; o++)
		logits[o] = 0;
}

void readout_step(const uint16_t *neurons, uint32_t count)
{
	if (decay == 0) {
		for (uint32_t i = 0; i < count; i++)
			spikes[neurons[i]]++;
		return;
	}
	const uint32_t half = 1u << (decay - 1);
	for (uint32_t o = 0; o < row_words; o++)
		logits[o] -= (uint32_t)((int32_t)(logits[o] + half) >> decay);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t *const row = readout_weights + neurons[i] * row_words;
		for (uint32_t o = 0; o < row_words; o++)
			logits[o] += row[o];
	}
}

uint32_t readout_logit(uint32_t output, uint32_t neurons, uint32_t outputs)
{
	uint32_t logit = 0;

	if (decay != 0)
		return logits[output];
	for (uint32_t n = 0; n < neurons; n++)
		logit += spikes[n] * readout_weights[n * outputs + output];
	return logit;
}
