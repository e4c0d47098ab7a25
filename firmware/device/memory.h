/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The memory spaces that a network is written to, one word after the other. */

#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

/* Words of a space, 0 where the build does not have it. */
uint32_t memory_words(uint32_t space);

/* Number of the word at an address: those of the accelerator's weights leave addresses out. */
uint32_t memory_index(uint32_t space, uint32_t address);

/* A place in a space, which moves on with what is written or read there. */
struct memory {
	uint32_t space;
	uint32_t *words; /* next word; NULL in the accelerator, which keeps the place itself */
};

struct memory memory_seek(uint32_t space, uint32_t address);
void memory_write(struct memory *memory, const uint8_t *bytes, uint32_t words);
void memory_read(struct memory *memory, uint8_t *bytes, uint32_t words);

#endif
