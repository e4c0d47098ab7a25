/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The two forms of a step's spikes. */

#include "request.h"
#include "wire.h"

static uint8_t *put_list(uint8_t *at, const uint16_t *neurons, uint32_t count)
{
	uint32_t previous = 0;

	/* Less than 128. */
	*at++ = (uint8_t)count;
	for (uint32_t i = 0; i < count; i++) {
		at = wire_put_varint(at, neurons[i] - previous);
		previous = neurons[i];
	}
	return at;
}

static uint8_t *put_bitmap(uint8_t *at, const uint16_t *neurons, uint32_t count)
{
	const uint16_t *const end = neurons + count;

	*at++ = QCLIF_BITMAP;
	for (uint32_t first = 0; first < QCLIF_NEURONS; first += 8) {
		uint32_t bits = 0;
		for (; neurons != end && *neurons < first + 8; neurons++)
			bits |= 1u << (*neurons - first);
		*at++ = (uint8_t)bits;
	}
	return at;
}

uint8_t *spikes_put(uint8_t *at, const uint16_t *neurons, uint32_t count)
{
	return count < QCLIF_BITMAP_FROM ? put_list(at, neurons, count) : put_bitmap(at, neurons, count);
}
