/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#ifndef QCLIF_UART_LINE_H
#define QCLIF_UART_LINE_H

#include <stdint.h>
#include <stddef.h>

/*
 * The line between the simulated UART and its clients: TCP clients on the loopback interface and a pty.
 *
 * As on a cable that several listen to, every client gets every byte that the SoC sends, and the SoC gets the
 * bytes of all clients. No byte is lost on the way:
 * - client -> SoC: a client's bytes are read only when there is room for them;
 * - SoC -> client: the SoC waits while the newest client does not read. An older client that stopped reading
 *   loses bytes rather than hold up the newest one; they are counted as `skipped`.
 * Without any client the SoC's bytes are dropped, as on an unplugged cable, and counted as `unplugged`.
 */

#define LINE_BYTES   16384 /* Buffer of each direction; a power of two. */
#define LINE_CLIENTS 8

struct line_client {
	int fd;         /* -1: free. */
	uint64_t sent;  /* Position in the stream of the SoC's bytes. */
	uint64_t since; /* Order of arrival. */
};

struct line {
	/* Positions count from the start; a byte's slot is its position modulo LINE_BYTES. */
	uint8_t  in[LINE_BYTES], out[LINE_BYTES];
	uint64_t in_head, in_tail; /* Clients -> SoC. */
	uint64_t out_head;         /* SoC -> clients. */
	uint64_t out_limit;        /* The SoC waits when out_head reaches it; UINT64_MAX: unplugged. */
	uint64_t unplugged, skipped;

	int listener, pty;
	uint64_t arrivals;
	struct line_client pty_client, clients[LINE_CLIENTS];
};

/*
 * Listens on 127.0.0.1:port (0: the system chooses) and opens the pty.
 * Returns NULL, or what failed (errno tells why). Sets the port and the name of the pty's slave.
 */
const char *line_open(struct line *line, int *port, char *pty, size_t pty_size);

/* Lets clients come and go, and moves bytes. Never blocks. */
void line_service(struct line *line);

/* Moves bytes between clients and buffers. Never blocks. */
void line_move(struct line *line);

/* Waits until a client has something to say or comes by TCP, at most so many milliseconds. */
void line_wait(struct line *line, int milliseconds);

#endif
