/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "crc32.h"

#define POLYNOMIAL 0xedb88320u

/* One byte a step: tables for more would crowd out the frames in a data cache of 4 KiB. */
static uint32_t table[256];

void crc32_start(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
		table[byte] = crc;
	}
}

uint32_t crc32_update(uint32_t crc, const uint8_t *data, uint32_t length)
{
	const uint8_t *const end = data + length;

	crc = ~crc;
	while (data != end)
		crc = table[(crc ^ *data++) & 0xff] ^ (crc >> 8);
	return ~crc;
}
