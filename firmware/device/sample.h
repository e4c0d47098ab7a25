/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The steps of a sample: from requests through an engine to answers. */

#ifndef SAMPLE_H
#define SAMPLE_H

#include "engine.h"
#include "request.h"

/* False: the engine is stuck. */
bool sample_begin(const struct engine *engine, const struct network *network);

/* Handlers of PART, STEPS, RAW and FINISH. After a failure the sample cannot go on. */
bool sample_part(struct request *request);
bool sample_steps(struct request *request);
bool sample_raw(struct request *request);
bool sample_finish(struct request *request);

/* Counters of the sample, QCLIF_COUNTER_*. */
void sample_counters(uint32_t values[QCLIF_COUNTER_COUNT]);

#endif
