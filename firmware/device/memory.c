/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "memory.h"

#include <stddef.h>

#include <generated/qclif_config.h>
#include <generated/qclif_protocol.h>

#include "engine.h"
#include "platform.h"
#include "wire.h"

#define SLICE_MASK ((1u << QCLIF_SLICE_BITS) - 1)

uint32_t memory_words(uint32_t space)
{
	switch (space) {
#ifdef PLATFORM_WITH_ACCEL
	case QCLIF_SPACE_SOMA:
		return QCLIF_SOMA_WORDS * QCLIF_SLICES;
	case QCLIF_SPACE_APICAL:
		return QCLIF_APICAL_WORDS * QCLIF_SLICES;
	case QCLIF_SPACE_PARAMETERS:
		return QCLIF_PARAMETER_WORDS;
#endif
#ifdef PLATFORM_RAM
	case QCLIF_SPACE_CPU:
		return PLATFORM_RAM_BYTES / 4;
#endif
	case QCLIF_SPACE_READOUT:
		return READOUT_WORDS;
	default:
		return 0;
	}
}

uint32_t memory_index(uint32_t space, uint32_t address)
{
	if (space == QCLIF_SPACE_SOMA || space == QCLIF_SPACE_APICAL)
		return (address >> QCLIF_SLICE_BITS) * QCLIF_SLICES + (address & SLICE_MASK);
	return address;
}

struct memory memory_seek(uint32_t space, uint32_t address)
{
	switch (space) {
#ifdef PLATFORM_RAM
	case QCLIF_SPACE_CPU:
		return (struct memory){space, PLATFORM_RAM + address};
#endif
	case QCLIF_SPACE_READOUT:
		return (struct memory){space, readout_weights + address};
	default:
#ifdef PLATFORM_WITH_ACCEL
		qclif_address_write(space << QCLIF_SPACE_SHIFT | address);
#endif
		return (struct memory){space, NULL};
	}
}

void memory_write(struct memory *memory, const uint8_t *bytes, uint32_t words)
{
	const uint8_t *const end = bytes + 4 * words;

	if (memory->words) {
		for (; bytes != end; bytes += 4)
			*memory->words++ = wire_get32(bytes);
		return;
	}
#ifdef PLATFORM_WITH_ACCEL
	for (; bytes != end; bytes += 4)
		qclif_data_write(wire_get32(bytes));
#endif
}

void memory_read(struct memory *memory, uint8_t *bytes, uint32_t words)
{
	const uint8_t *const end = bytes + 4 * words;

	if (memory->words) {
		while (bytes != end)
			bytes = wire_put32(bytes, *memory->words++);
		return;
	}
#ifdef PLATFORM_WITH_ACCEL
	while (bytes != end)
		bytes = wire_put32(bytes, qclif_data_read());
#endif
}
