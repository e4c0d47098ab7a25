/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Little-endian integers and varints of the link, at any alignment. */

#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

/* No varint is that large: the bytes ended inside of one. */
#define WIRE_CUT UINT32_MAX

static inline uint32_t wire_get16(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t wire_get32(const uint8_t *at)
{
	return wire_get16(at) | wire_get16(at + 2) << 16;
}

/* Of an aligned address, in one access. */
static inline uint32_t wire_word(const uint8_t *at)
{
	uint32_t word;

	__builtin_memcpy(&word, __builtin_assume_aligned(at, 4), 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap32(word);
#endif
	return word;
}

static inline uint8_t *wire_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
	return at + 2;
}

static inline uint8_t *wire_put32(uint8_t *at, uint32_t value)
{
	return wire_put16(wire_put16(at, value & 0xffff), value >> 16);
}

static inline uint32_t wire_get_varint(const uint8_t **at, const uint8_t *end)
{
	if (*at == end)
		return WIRE_CUT;
	const uint32_t low = *(*at)++;
	if (low < 128)
		return low;
	if (*at == end)
		return WIRE_CUT;
	return (low & 0x7f) | (uint32_t)*(*at)++ << 7;
}

static inline uint8_t *wire_put_varint(uint8_t *at, uint32_t value)
{
	if (value >= 128) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

#endif
