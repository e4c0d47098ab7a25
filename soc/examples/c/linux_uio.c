/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * The accelerator from Linux, without a driver in the kernel:
 *
 *	qclif /dev/uio0                  where the device tree gives it to generic-uio
 *	qclif /dev/mem 0xf0001000        as root, with csr_base,qclif of the SoC's csr.csv
 *
 *	gcc -O2 -I. -I../../../firmware -o qclif linux_uio.c tiny_network.c ../../../firmware/qclif.c
 *
 * and, for the header of its registers in ./generated: python -m firmware.header generated
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tiny_network.h"

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return fprintf(stderr, "usage: %s /dev/uioN | /dev/mem ADDRESS\n", argv[0]), 1;

	const off_t address = argc > 2 ? (off_t)strtoull(argv[2], NULL, 0) : 0;
	const off_t within = address % sysconf(_SC_PAGESIZE);
	const int file = open(argv[1], O_RDWR | O_SYNC);
	if (file < 0)
		return fail(argv[1]);
	void *const page = mmap(NULL, (size_t)within + sizeof(struct qclif), PROT_READ | PROT_WRITE, MAP_SHARED, file,
	                        address - within);
	if (page == MAP_FAILED)
		return fail("mmap");

	struct qclif *const q = (struct qclif *)((char *)page + within);
	if (q->version != QCLIF_VERSION)
		return fprintf(stderr, "%#x is there, an accelerator is %#x\n", q->version, QCLIF_VERSION), 1;
	printf("%u neurons, %u inputs, %u lanes\n", q->size_neurons, q->size_inputs, q->size_lanes);

	struct tiny_answer answer;
	if (!tiny_network(q, &answer))
		return fprintf(stderr, "it does not answer, or has not 8-bit weights and states\n"), 1;
	const bool right = answer.first == TINY_FIRST && answer.second == TINY_SECOND && answer.states == TINY_STATES;
	printf("spikes %u, %u, states %#x, errors %#x: %s\n", answer.first, answer.second, answer.states, answer.errors,
	       right && !answer.errors ? "right" : "WRONG");
	return !right || answer.errors;
}
