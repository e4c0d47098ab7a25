/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Raw events to time steps: downsampling, binning and thresholding with the integers of host/events/encoder.py. */

#ifndef ENCODER_H
#define ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

struct encoder_settings {
	uint32_t width, height;
	uint32_t grid_width, grid_height;
	uint32_t polarities;
	uint32_t bin_us;
	uint32_t count_threshold;
};

enum encoder_result {
	ENCODER_DRY,    /* all words are taken */
	ENCODER_STEP,   /* the step is complete: take it and go on */
	ENCODER_PIXEL,  /* an event outside of the sensor */
	ENCODER_SOURCE, /* a context that the network does not have */
	ENCODER_FULL,   /* more than QCLIF_STEP_EVENTS in the step */
};

/* What an error is about: a coordinate and the sensor's size, a source and the inputs, a step's events. */
struct encoder_fault {
	uint32_t value, limit;
};

/* Make the tables. The settings are within their limits. */
void encoder_configure(const struct encoder_settings *settings);

/* Bytes of a raw word. */
uint32_t encoder_word_bytes(void);

/* Before a sample. */
void encoder_begin(void);

/* Take words from *at on, adding the sources that fire to the step, in the order in which they do.
   The network has so many contexts; `fault` is set with an error. */
enum encoder_result encoder_feed(const uint8_t **at, const uint8_t *end, uint32_t contexts, struct step *step,
                                 struct encoder_fault *fault);

#endif
