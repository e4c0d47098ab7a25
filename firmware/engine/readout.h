/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Logits: the spikes of each neuron over the sample, times the readout's row, in 32-bit integers. */

#ifndef READOUT_H
#define READOUT_H

#include <stdint.h>

#include <generated/qclif_config.h>

/* Weights [N][O] of the loaded network, row by row, as memory space QCLIF_SPACE_READOUT. */
#define READOUT_WORDS (QCLIF_NEURONS * QCLIF_OUTPUTS)
extern uint32_t readout_weights[READOUT_WORDS + 1];

/* Spikes are only counted as they come: one multiplication a neuron and output at the end, not one a spike. */
extern uint32_t readout_spikes[QCLIF_NEURONS];

void readout_begin(void);

/* Logit of one of `outputs`, modulo 2^32. */
uint32_t readout_logit(uint32_t output, uint32_t neurons, uint32_t outputs);

#endif
