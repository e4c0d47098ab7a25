/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * The four functions that a C compiler may call without being asked to, for a copied structure or a cleared array.
 * No other of the C library is needed; where the compiler calls none of these, the linker leaves them out.
 */

#include <stddef.h>

/* Else the compiler would find such a function in the loop, and let each call itself. */
#define LOOP __attribute__((optimize("no-tree-loop-distribute-patterns")))

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

LOOP void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	return memmove(to, from, size);
}

LOOP void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *target = to;
	const unsigned char *source = from;

	if (target < source)
		for (size_t n = 0; n < size; n++)
			target[n] = source[n];
	else
		for (size_t n = size; n > 0; n--)
			target[n - 1] = source[n - 1];
	return to;
}

LOOP void *memset(void *to, int value, size_t size)
{
	unsigned char *target = to;

	for (size_t n = 0; n < size; n++)
		target[n] = (unsigned char)value;
	return to;
}

LOOP int memcmp(const void *left, const void *right, size_t size)
{
	const unsigned char *a = left, *b = right;

	for (size_t n = 0; n < size; n++)
		if (a[n] != b[n])
			return a[n] - b[n];
	return 0;
}
