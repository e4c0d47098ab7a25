/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "engine.h"

/* One word more, so that a build without outputs has an array too. */
uint32_t readout_weights[READOUT_WORDS + 1];
uint32_t readout_spikes[QCLIF_NEURONS];

void readout_begin(void)
{
	for (uint32_t n = 0; n < QCLIF_NEURONS; n++)
		readout_spikes[n] = 0;
}

uint32_t readout_logit(uint32_t output, uint32_t neurons, uint32_t outputs)
{
	uint32_t logit = 0;

	for (uint32_t n = 0; n < neurons; n++)
		logit += readout_spikes[n] * readout_weights[n * outputs + output];
	return logit;
}
