/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* A network of one neuron, for a build of any size with 8-bit weights and states, and what it answers. */

#ifndef TINY_NETWORK_H
#define TINY_NETWORK_H

#include "qclif.h"

/* In the first of two steps the input fires: the neuron does, too, and is left with these states; the second is empty. */
#define TINY_FIRST  1u
#define TINY_SECOND 0u
#define TINY_STATES (50u | 38u << 16)

struct tiny_answer {
	uint32_t first, second; /* spikes of the steps */
	uint32_t states;        /* V_a, and V_s above bit 16, after the first */
	uint32_t errors;
};

/* Load the network and run both steps. False: the build has other widths, or does not answer. */
bool tiny_network(struct qclif *q, struct tiny_answer *answer);

#endif
