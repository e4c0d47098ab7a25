/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Framing: COBS, 0x00 as the end, CRC-32 as the last four bytes. */

#ifndef FRAME_H
#define FRAME_H

#include <stdint.h>

enum frame_result {
	FRAME_NONE,     /* no frame yet */
	FRAME_GOOD,     /* frame_data() has one */
	FRAME_BAD,      /* COBS, length or CRC is wrong */
	FRAME_OVERSIZE, /* longer than QCLIF_FRAME_BYTES */
};

/* Take received bytes until there are none or a frame ends. */
enum frame_result frame_receive(void);

/* The last good frame: header and payload, without CRC, valid until the next frame_receive(). */
const uint8_t *frame_data(void);
uint32_t frame_length(void);

/* Write the CRC after `length` bytes of `data`; the frame's whole length. */
uint32_t frame_seal(uint8_t *data, uint32_t length);

/* Send a sealed frame. */
void frame_send(const uint8_t *data, uint32_t length);

/* CRC of no bytes at all. */
#define CRC32_EMPTY 0u

/* Make the CRC's table; once at boot, so that it does not take up ROM. */
void crc32_start(void);

/* CRC-32 (zlib's) of `length` bytes that follow those which gave `crc`. */
uint32_t crc32_update(uint32_t crc, const uint8_t *data, uint32_t length);

#endif
