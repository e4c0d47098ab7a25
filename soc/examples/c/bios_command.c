/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* A command of LiteX's BIOS. */

#include <stdio.h>

#include <bios/command.h>
#include <generated/csr.h>

#include "tiny_network.h"

static void qclif_handler(int count, char **parameters)
{
	struct qclif *const q = (struct qclif *)CSR_QCLIF_BASE;
	struct tiny_answer answer;

	(void)count;
	(void)parameters;
	if (!tiny_network(q, &answer)) {
		printf("The accelerator does not answer, or has not 8-bit weights and states\n");
		return;
	}
	const bool right = answer.first == TINY_FIRST && answer.second == TINY_SECOND && answer.states == TINY_STATES;
	printf("%d neurons, %d inputs; spikes %d, %d, states 0x%x, errors 0x%x: %s\n", (int)q->size_neurons,
	       (int)q->size_inputs, (int)answer.first, (int)answer.second, (unsigned)answer.states,
	       (unsigned)answer.errors, right && !answer.errors ? "right" : "WRONG");
}

define_command(qclif, qclif_handler, "Run a network of one neuron on the accelerator", SYSTEM_CMDS);
