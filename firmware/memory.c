/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "memory.h"

#include <generated/qclif_config.h>
#include <generated/qclif_protocol.h>

#include "platform.h"
#include "readout.h"

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
#ifdef PLATFORM_WITH_ACCEL
	if (space < QCLIF_SPACE_STATE)
		qclif_address_write(space << QCLIF_SPACE_SHIFT | address);
#endif
	return (struct memory){space, address};
}

void memory_write(struct memory *memory, uint32_t word)
{
	switch (memory->space) {
#ifdef PLATFORM_RAM
	case QCLIF_SPACE_CPU:
		PLATFORM_RAM[memory->at++] = word;
		break;
#endif
	case QCLIF_SPACE_READOUT:
		readout_weights[memory->at++] = word;
		break;
#ifdef PLATFORM_WITH_ACCEL
	default:
		qclif_data_write(word);
#endif
	}
}

uint32_t memory_read(struct memory *memory)
{
	switch (memory->space) {
#ifdef PLATFORM_RAM
	case QCLIF_SPACE_CPU:
		return PLATFORM_RAM[memory->at++];
#endif
	case QCLIF_SPACE_READOUT:
		return readout_weights[memory->at++];
	default:
#ifdef PLATFORM_WITH_ACCEL
		return qclif_data_read();
#else
		return 0;
#endif
	}
}
