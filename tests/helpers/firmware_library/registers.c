/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "registers.h"

#include "library.h"

#ifdef LIBRARY_WITH_ACCEL

#include "qclif.h"

static library_get *get;
static library_set *set;

void library_registers(library_get *reads, library_set *writes)
{
	get = reads;
	set = writes;
}

uint32_t register_get(const struct qclif *q, size_t offset)
{
	return get((uintptr_t)q + offset);
}

void register_set(struct qclif *q, size_t offset, uint32_t value)
{
	set((uintptr_t)q + offset, value);
}

bool library_step(struct qclif *q, const uint16_t *sources, uint32_t count, uint16_t *neurons, uint32_t most,
                  uint32_t *spikes)
{
	if (!qclif_ready(q))
		return false;
	qclif_push(q, sources, count);
	*spikes = 0;
	while (!qclif_take(q, neurons, most, spikes))
		;
	return true;
}

void library_reset_accelerator(struct qclif *q)
{
	qclif_reset(q);
}

uint32_t library_errors(const struct qclif *q)
{
	return qclif_errors(q);
}

bool library_busy(const struct qclif *q)
{
	return qclif_busy(q);
}

void library_interrupt_on(struct qclif *q, uint32_t events)
{
	qclif_interrupt_on(q, events);
}

uint32_t library_interrupts(struct qclif *q)
{
	return qclif_interrupts(q);
}

#endif
