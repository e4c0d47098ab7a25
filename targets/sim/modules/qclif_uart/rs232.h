/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#ifndef QCLIF_UART_RS232_H
#define QCLIF_UART_RS232_H

#include <stdint.h>

/*
 * The far end of a serial line, bit by bit, at a baud rate of its own: a start bit, eight data bits, the lowest one
 * first, a stop bit. It knows no clock but the simulated time, and no time but in femtoseconds, in which the periods
 * of all baud rates are whole to a billionth.
 */

#define RS232_NONE    (-1)
#define RS232_FRAMING 0x100 /* Beside the byte: its stop bit was 0, or its start bit was over too early. */

struct rs232_sender {
	uint64_t bit;   /* Femtoseconds. */
	uint64_t due;   /* When the next bit begins. */
	uint32_t shift; /* Bits that have not begun, below a 1; 1: the stop bit is on the wire, 0: nothing is. */
	int level;
};

struct rs232_receiver {
	uint64_t bit;
	uint64_t due;   /* When the next bit is sampled, in its middle. */
	int count;      /* Samples taken of a byte, 0 before its start bit. */
	int byte, level;
};

/* Idle ends of a line of so many bits a second. */
void rs232_start(struct rs232_sender *sender, struct rs232_receiver *receiver, uint32_t baudrate);

/* Whether the sender would begin with a byte at `now`. */
int rs232_free(const struct rs232_sender *sender, uint64_t now);

/* The level of the wire from `now` on; `byte` begins where the sender is free, RS232_NONE: no byte does. */
int rs232_send(struct rs232_sender *sender, uint64_t now, int byte);

/* Look at the wire's level, more often than four times a bit. Returns RS232_NONE, or a byte that has come. */
int rs232_receive(struct rs232_receiver *receiver, uint64_t now, int level);

#endif
