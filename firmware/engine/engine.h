/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* What computes a network: the accelerator or the CPU. Sources are numbered as the build's. */

#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <generated/qclif_config.h>
#include <generated/qclif_protocol.h>

/* The network that is loaded: its sizes are at most the build's. */
struct network {
	uint32_t neurons;
	uint32_t inputs;
	uint32_t contexts;
	uint32_t outputs;
	uint32_t apical_shift;
	uint32_t product_shift;
};

/* The events of one time step. The engine has fetched the first of them by itself, the others are in sources[]. */
struct step {
	uint32_t count;
	uint32_t fetched;
	uint16_t sources[QCLIF_STEP_EVENTS];
};

/* Raw events to time steps: downsampling, binning and thresholding with the integers of host/events/encoder.py. */

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

/* How steps that an engine fetches stand. */
struct fetch {
	enum fetch_state {
		FETCH_BUSY,
		FETCH_DONE,
		FETCH_SOURCE, /* `value` is a source that the network does not have */
		FETCH_EVENTS, /* a step has `value` events, too many */
		FETCH_FORM,   /* the bytes end too early or too late, behind `value` of them */
		FETCH_FAULT,  /* the bus refused an access: errors() tells */
	} state;
	uint32_t value;
	uint32_t events; /* that were fetched */
};

struct engine {
	/* Take a network whose words are in the engine's memory; valid until the next one. */
	void (*configure)(const struct network *network);
	/* Before the first step of a sample: states and counters 0. False: the engine is stuck. */
	bool (*begin)(void);
	/* Start a step; its `count` events are all. At most two steps may be started and not drained. False: the engine is stuck. */
	bool (*push)(const struct step *step);
	/* Start to fetch and compute steps, each as the link has it: how many events, sources. With `open` the last one is
	   not started: the next push() or fetch() goes on with it. All steps before are drained. NULL: cannot be done. */
	void (*fetch)(const uint8_t *begin, const uint8_t *end, uint32_t steps, bool open);
	/* How the last fetch() stands. */
	struct fetch (*fetched)(void);
	/* Encode with these settings, from begin() on. NULL: cannot be done, nor can the next two. */
	void (*encoder)(const struct encoder_settings *settings, uint32_t contexts);
	/* Start to encode raw words, and to fetch and compute their steps. All steps before are drained. */
	void (*encode)(const uint8_t *begin, const uint8_t *end);
	/* As encoder_feed(), of the words of encode(): the sources count as fetched, and a step is started with it. False:
	   the engine is stuck, or fetched() has an error. */
	bool (*encoded)(struct step *step, enum encoder_result *result, struct encoder_fault *fault);
	/* Wait for the oldest step's spikes: neurons, ascending. False: the engine is stuck, or fetched() has an error. */
	bool (*drain)(uint16_t neurons[QCLIF_NEURONS], uint32_t *count);
	/* V_a in the low half, V_s in the high one; all steps are drained. */
	uint32_t (*state)(uint32_t neuron);
	/* Counters of the sample, but for soc_clocks. */
	void (*counters)(uint32_t values[QCLIF_COUNTER_COUNT]);
	/* Sticky error flags since begin(), 0: none. */
	uint32_t (*errors)(void);
	/* For the report on an engine that is stuck. */
	uint32_t (*status)(void);
};

/* Clocks after which an engine counts as stuck: far more than the largest step takes. */
#define ENGINE_PATIENCE (1u << 26)

extern const struct engine engine_accel;
extern const struct engine engine_cpu;

/* Encoder ------------------------------------------------------------------------------------------ */

/* In C, for an engine that does not encode by itself. */

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

/* Readout ------------------------------------------------------------------------------------------ */

/* Logits, by the rule of accel/README.md, modulo 2^32. */

/* Weights [N][O] of the loaded network, row by row, as memory space QCLIF_SPACE_READOUT. */
#define READOUT_WORDS (QCLIF_NEURONS * QCLIF_OUTPUTS)
/* Outputs are computed four at a time, also where there are fewer. */
#define READOUT_MORE 4u
extern uint32_t readout_weights[READOUT_WORDS + READOUT_MORE];

/* Logits after the last step, where they are running. */
extern uint32_t readout_running[QCLIF_OUTPUTS + READOUT_MORE];

/* Before a sample of a network with so many outputs; decay is 0 for sums over the whole of it. Where logits are asked for
   after each step, they are `running`: computed then, not from counts of spikes when they are asked for. */
void readout_begin(uint32_t outputs, uint32_t decay, bool running);

/* The neurons that fired in a step; the list is used up. */
void readout_step(uint16_t *neurons, uint32_t count);

/* Logit of one of `outputs`, of a network with so many neurons. */
uint32_t readout_logit(uint32_t output, uint32_t neurons, uint32_t outputs);

#endif
