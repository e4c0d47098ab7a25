/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* One request and its answer, as the handlers see them, and the handlers. */

#ifndef REQUEST_H
#define REQUEST_H

#include "engine.h"

struct request {
	const uint8_t *begin, *end; /* payload */
	uint8_t *answer;            /* where the answer goes on, behind the status */
	uint8_t *answer_end;
	uint32_t status, value, limit;
};

/* For `return request_fail(...)`: the answer will be this error. */
static inline bool request_fail(struct request *request, uint32_t status, uint32_t value, uint32_t limit)
{
	request->status = status;
	request->value = value;
	request->limit = limit;
	return false;
}

static inline uint32_t request_bytes(const struct request *request)
{
	return (uint32_t)(request->end - request->begin);
}

/* The payload does not have the form of its type. */
static inline bool request_malformed(struct request *request, const uint8_t *at)
{
	return request_fail(request, QCLIF_ERROR_LENGTH, request_bytes(request),
	                    (uint32_t)(at - request->begin));
}

static inline uint32_t request_room(const struct request *request)
{
	return (uint32_t)(request->answer_end - request->answer);
}

/* Setup -------------------------------------------------------------------------------------------- */

/* What a session does before its first sample: load a network, verify it, choose engine and encoder. */
struct setup {
	const struct engine *engine; /* NULL: not configured */
	struct network network;
	bool with_encoder;
	uint32_t decay; /* of the readout */
	bool report;    /* logits and states of `watched` with each answer that has spikes */
	uint32_t watched_count;
	uint16_t watched[QCLIF_WATCH_MAX];
	/* Of the network in each engine's memory; 0: none, or not known to be whole. */
	uint32_t network_ids[QCLIF_ENGINE_CPU + 1];
};

extern struct setup setup;

/* As after reset: no network. */
void setup_start(void);

/* The engines of the build, bit QCLIF_ENGINE_*. */
uint8_t setup_engines(void);

/* Words of a memory space that a network is written to, 0 where the build does not have it. */
uint32_t setup_memory_words(uint32_t space);

/* Number of the word at an address: those of the accelerator's weights leave addresses out. */
uint32_t setup_memory_index(uint32_t space, uint32_t address);

/* Handlers of WRITE, VERIFY, CONFIGURE, and of ENCODER, WINDOW and WATCH (which need a configured engine). */
bool setup_write(struct request *request);
bool setup_verify(struct request *request);
bool setup_configure(struct request *request);
bool setup_encoder(struct request *request);
bool setup_window(struct request *request);
bool setup_watch(struct request *request);

/* Sample ------------------------------------------------------------------------------------------- */

/* The steps of a sample: from requests through an engine to answers. */

/* Of the network, engine and window that are set. False: the engine is stuck. */
bool sample_begin(void);

/* Handlers of PART, STEPS, RAW and FINISH. After a failure the sample cannot go on. */
bool sample_part(struct request *request);
bool sample_steps(struct request *request);
bool sample_raw(struct request *request);
bool sample_finish(struct request *request);

/* Append a step's spikes, ascending neurons, in QCLIF_STEP_ANSWER_BYTES at most; where they end. */
uint8_t *spikes_put(uint8_t *at, const uint16_t *neurons, uint32_t count);

/* Counters of the sample, QCLIF_COUNTER_*. */
void sample_counters(uint32_t values[QCLIF_COUNTER_COUNT]);

#endif
