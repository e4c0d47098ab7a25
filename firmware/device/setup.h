/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* What a session does before its first sample: load a network, verify it, choose engine and encoder. */

#ifndef SETUP_H
#define SETUP_H

#include "engine.h"
#include "request.h"

struct setup {
	const struct engine *engine; /* NULL: not configured */
	struct network network;
	bool with_encoder;
	/* Of the network in each engine's memory; 0: none, or not known to be whole. */
	uint32_t network_ids[QCLIF_ENGINE_CPU + 1];
};

extern struct setup setup;

/* As after reset: no network. */
void setup_start(void);

/* The engines of the build, bit QCLIF_ENGINE_*. */
uint8_t setup_engines(void);

/* Handlers of WRITE, VERIFY, CONFIGURE and ENCODER (which needs a configured engine). */
bool setup_write(struct request *request);
bool setup_verify(struct request *request);
bool setup_configure(struct request *request);
bool setup_encoder(struct request *request);

#endif
