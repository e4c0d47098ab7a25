/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "platform.h"

#ifdef PLATFORM_WITH_SDRAM

#include <generated/sdram_phy.h>

/* From the linker: what is in SDRAM. Volatile, because a compiler knows what RAM holds. */
extern volatile uint32_t _fvariables[], _evariables[];

/* Differs from word to word, and in a word from half to half, as in a chip of 16 bits. */
static uint32_t pattern(const volatile uint32_t *at, uint32_t flip)
{
	const uint32_t address = (uint32_t)at;

	return address ^ address << 16 ^ flip;
}

static bool holds(uint32_t flip)
{
	for (const volatile uint32_t *at = _fvariables; at != _evariables; at++)
		if (*at != pattern(at, flip))
			return false;
	return true;
}

/* Each bit is written as 0 and as 1, once in words and once in bytes, and read when all others are written. */
static bool test(void)
{
	for (volatile uint32_t *at = _fvariables; at != _evariables; at++)
		*at = pattern(at, 0);
	if (!holds(0))
		return false;
	for (volatile uint32_t *at = _fvariables; at != _evariables; at++) {
		volatile uint8_t *const bytes = (volatile uint8_t *)at;
		const uint32_t word = pattern(at, UINT32_MAX);
		for (uint32_t i = 0; i < 4; i++)
			bytes[i] = (uint8_t)(word >> 8 * i);
	}
	return holds(UINT32_MAX);
}

bool sdram_start(void)
{
	sdram_dfii_control_write(DFII_CONTROL_CKE | DFII_CONTROL_ODT | DFII_CONTROL_RESET_N);
	init_sequence();
	sdram_dfii_control_write(DFII_CONTROL_SEL);

	const bool passed = test();
	sdram_check_failed_write(!passed);
	for (volatile uint32_t *at = _fvariables; at != _evariables; at++)
		*at = 0;
	return passed;
}

#endif
