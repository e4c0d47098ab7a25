/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "engine.h"

uint32_t readout_weights[READOUT_WORDS + READOUT_MORE];

/* Spikes are only counted as they come, where that will do: one multiplication a neuron and output at the end, not one a
   spike. */
static uint32_t spikes[QCLIF_NEURONS];

/* Else, the logits after the last step. */
uint32_t readout_running[QCLIF_OUTPUTS + READOUT_MORE];
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
	for (uint32_t o = 0; o < QCLIF_OUTPUTS + READOUT_MORE; o++)
		readout_running[o] = 0;
}

/* What a logit loses in a step. */
static inline uint32_t lost(uint32_t logit, uint32_t shift)
{
	return (uint32_t)((int32_t)(logit + (1u << (shift - 1))) >> shift);
}

/* Four outputs at a time in registers: one walk through the neurons that fired, and no store for each of them. */
static void add_rows(const uint16_t *rows, uint32_t count)
{
	for (uint32_t o = 0; o < row_words; o += 4) {
		uint32_t *const sums = readout_running + o;
		const uint32_t *const weights = readout_weights + o;
		uint32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
		if (decay != 0) {
			a -= lost(a, decay);
			b -= lost(b, decay);
			c -= lost(c, decay);
			d -= lost(d, decay);
		}
		for (uint32_t i = 0; i < count; i++) {
			const uint32_t *const row = weights + rows[i];
			a += row[0];
			b += row[1];
			c += row[2];
			d += row[3];
		}
		sums[0] = a;
		sums[1] = b;
		sums[2] = c;
		sums[3] = d;
	}
}

void readout_step(uint16_t *neurons, uint32_t count)
{
	if (!by_step) {
		for (uint32_t i = 0; i < count; i++)
			spikes[neurons[i]]++;
		return;
	}
	/* Where their rows begin, below 2^16 as 1024 neurons have 64 outputs at most. */
	for (uint32_t i = 0; i < count; i++)
		neurons[i] = (uint16_t)(neurons[i] * row_words);
	add_rows(neurons, count);
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
