/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* CRC-32 (zlib's) of frames, in the place of gateware. */

#ifndef CRC32_H
#define CRC32_H

#include <stdint.h>

/* CRC of no bytes at all. */
#define CRC32_EMPTY 0u

/* Make the table. */
void crc32_start(void);

/* CRC-32 of `length` bytes that follow those which gave `crc`. */
uint32_t crc32_update(uint32_t crc, const uint8_t *data, uint32_t length);

#endif
