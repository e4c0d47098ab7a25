/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * The accelerator in any LiteX SoC, without our link: load a network, push steps, take their spikes.
 *
 * An accelerator is the address of its registers: `struct qclif *const q = (struct qclif *)CSR_QCLIF_BASE;`, and where
 * there are two, each has its own. The generated header has the registers, for every build: what differs is read.
 *
 *	qclif_init(q) && qclif_load_network(q, &network)    of python -m host.c_network
 *	qclif_reset(q)                                      before each sample
 *	qclif_push(q, sources, count)                       where qclif_ready(q)
 *	while (!qclif_take(q, neurons, most, &count)) ...   the oldest step's spikes; or wait for an interrupt
 *	qclif_errors(q)                                     0: nothing was refused
 */

#ifndef QCLIF_H
#define QCLIF_H

#include <stdbool.h>
#include <stdint.h>

#include <generated/qclif_registers.h>

/* Whoever reaches the registers in another way than by an address has other ones. */
#ifndef QCLIF_GET
#define QCLIF_GET(q, name)        ((q)->name)
#define QCLIF_SET(q, name, value) ((q)->name = (value))
#endif

/* False: no accelerator of this layout is there. Else it is idle, without a flag set, and interrupts are off. */
bool qclif_init(struct qclif *q);

/* Consecutive words of a memory. */
struct qclif_words {
	uint32_t space; /* QCLIF_SPACE_* */
	uint32_t address, count;
	const uint32_t *words;
};

/* A network in the words of a build, as firmware/network_header.py writes them. */
struct qclif_network {
	/* Of the build: it has these sizes, or the words mean something else in it. */
	uint32_t build_neurons, inputs, contexts, lanes, weight_bits, state_bits, current_bits;
	/* Of the network. */
	uint32_t neurons, apical_shift, product_shift;
	const struct qclif_words *chunks;
	uint32_t count;
};

/* Write a network to the memories, and its settings, and reset. False: the words are those of another build, which the
   registers size_* tell, or one was refused, which qclif_errors() tells. */
bool qclif_load_network(struct qclif *q, const struct qclif_network *network);

/* Sizes and shifts of the network that will be loaded, and a reset. False: the build does not take them. */
bool qclif_configure(struct qclif *q, uint32_t neurons, uint32_t apical_shift, uint32_t product_shift);

/* Write and read consecutive words of a memory, QCLIF_SPACE_*, while no step is in work. */
void qclif_load(struct qclif *q, uint32_t space, uint32_t address, const uint32_t *words, uint32_t count);
void qclif_fetch(struct qclif *q, uint32_t space, uint32_t address, uint32_t *words, uint32_t count);

/* Take the spikes that are there, in the order of the neurons, behind the *count ones before. True: the step has ended.
   Those beyond `most`, of which a step of as many neurons has none, are counted and not stored. */
bool qclif_take(struct qclif *q, uint16_t *neurons, uint32_t most, uint32_t *count);

/* Since they were cleared: see QCLIF_COUNTER_*. */
void qclif_counters(const struct qclif *q, uint32_t values[QCLIF_COUNTERS]);

/* A place in the memories, and words from there on. */
static inline void qclif_seek(struct qclif *q, uint32_t space, uint32_t address)
{
	QCLIF_SET(q, address, space << QCLIF_ADDRESS_SPACE_AT | address);
}

static inline void qclif_put(struct qclif *q, uint32_t word)
{
	QCLIF_SET(q, data, word);
}

static inline uint32_t qclif_get(struct qclif *q)
{
	const uint32_t word = QCLIF_GET(q, data);

	QCLIF_SET(q, control, QCLIF_CONTROL_NEXT_WORD);
	return word;
}

/* At any time: whatever is in work is dropped, states, flags and counters become 0. */
static inline void qclif_reset(struct qclif *q)
{
	QCLIF_SET(q, control, QCLIF_CONTROL_RESET | QCLIF_CONTROL_CLEAR_ERRORS | QCLIF_CONTROL_CLEAR_COUNTERS);
}

/* A whole step may be pushed. */
static inline bool qclif_ready(const struct qclif *q)
{
	return QCLIF_GET(q, status) & QCLIF_STATUS_READY;
}

/* A step is in work: memories and settings cannot be changed, nor states be read. */
static inline bool qclif_busy(const struct qclif *q)
{
	return QCLIF_GET(q, status) & QCLIF_STATUS_BUSY;
}

/* Push a step, when there is room for it. `sources` are the build's: context k is inputs + k. */
static inline void qclif_push(struct qclif *q, const uint16_t *sources, uint32_t count)
{
	const uint16_t *const end = sources + count;

	if (sources == end) {
		QCLIF_SET(q, push, QCLIF_PUSH_LAST);
		return;
	}
	/* Ready means that a whole step has room: nothing is asked between its events. */
	while (sources != end - 1)
		QCLIF_SET(q, push, QCLIF_PUSH_EVENT | *sources++);
	QCLIF_SET(q, push, QCLIF_PUSH_EVENT | QCLIF_PUSH_LAST | *sources);
}

/* QCLIF_ERRORS_*, 0: nothing was refused or lost. */
static inline uint32_t qclif_errors(const struct qclif *q)
{
	return QCLIF_GET(q, errors);
}

/* Memory, where QCLIF_FEATURES_DMA is set in `features`: addresses are the bus's, and what is in a cache is not seen. */

/* Sources that events of the network may have, below its inputs and from the build's inputs on. */
static inline void qclif_reader_sources(struct qclif *q, uint32_t inputs, uint32_t contexts)
{
	QCLIF_SET(q, reader_network, inputs << QCLIF_READER_NETWORK_INPUTS_AT |
	                             contexts << QCLIF_READER_NETWORK_CONTEXTS_AT);
}

/* Compute whole steps that lie at `address` as the link has them: for each step how many events, then their sources,
   ascending, each as the difference to the one before; all are varints. With `open` the last step is not ended. */
static inline void qclif_read_steps(struct qclif *q, uint32_t address, uint32_t bytes, uint32_t steps, bool open)
{
	QCLIF_SET(q, reader_base, address);
	QCLIF_SET(q, reader_length, bytes);
	QCLIF_SET(q, reader_start, steps << QCLIF_READER_START_STEPS_AT | QCLIF_READER_START_VARINTS |
	                           (uint32_t)open << QCLIF_READER_START_OPEN_AT);
}

/* Compute all steps of words that lie at `address`, each as qclif_push() writes them: QCLIF_PUSH_*. */
static inline void qclif_read_words(struct qclif *q, uint32_t address, uint32_t words)
{
	QCLIF_SET(q, reader_base, address);
	QCLIF_SET(q, reader_length, 4 * words);
	QCLIF_SET(q, reader_start, 0);
}

/* Raw events, where QCLIF_FEATURES_CAMERA is set: as the link has them, in the words that the sensor's size tells. */

/* What to encode with; a recording begins. */
struct qclif_camera {
	uint32_t width, height;
	uint32_t grid_width, grid_height;
	uint32_t polarities;
	uint32_t bin_us;
	uint32_t count_threshold;
	uint32_t contexts;
};

void qclif_camera(struct qclif *q, const struct qclif_camera *camera);

/* Compute the steps of the raw words that lie at `address`, which go on with the recording that qclif_reset() begins. */
static inline void qclif_read_raw(struct qclif *q, uint32_t address, uint32_t bytes)
{
	QCLIF_SET(q, reader_base, address);
	QCLIF_SET(q, reader_length, bytes);
	QCLIF_SET(q, reader_start, QCLIF_READER_START_RAW);
}

/* Take the events that were made of them, which is to be done meanwhile: as qclif_take() does spikes. */
bool qclif_take_fired(struct qclif *q, uint16_t *sources, uint32_t most, uint32_t *count);

/* QCLIF_READER_ERROR_* of what was read last, NONE as long as that goes on: reader_status has QCLIF_READER_STATUS_DONE
   when it is over. */
static inline uint32_t qclif_reader_error(const struct qclif *q)
{
	return (QCLIF_GET(q, reader_status) & QCLIF_READER_STATUS_ERROR) >> QCLIF_READER_STATUS_ERROR_AT;
}

/* Let the spikes of so many steps be written to `address`, a multiple of 4: words as `pop` shows them, QCLIF_POP_*. */
static inline void qclif_write_spikes(struct qclif *q, uint32_t address, uint32_t bytes, uint32_t steps)
{
	QCLIF_SET(q, writer_base, address);
	QCLIF_SET(q, writer_length, bytes);
	QCLIF_SET(q, writer_start, steps);
}

/* QCLIF_WRITER_ERROR_* of what was written last, NONE as long as that goes on: writer_status has
   QCLIF_WRITER_STATUS_DONE when it is over, and writer_count the words. */
static inline uint32_t qclif_writer_error(const struct qclif *q)
{
	return (QCLIF_GET(q, writer_status) & QCLIF_WRITER_STATUS_ERROR) >> QCLIF_WRITER_STATUS_ERROR_AT;
}

/* Let QCLIF_EV_* interrupt, and no others. */
static inline void qclif_interrupt_on(struct qclif *q, uint32_t events)
{
	QCLIF_SET(q, ev_enable, events);
}

/* In the interrupt: what happened. A step is told of once; output and errors as long as there are some. */
static inline uint32_t qclif_interrupts(struct qclif *q)
{
	const uint32_t events = QCLIF_GET(q, ev_pending);

	QCLIF_SET(q, ev_pending, events);
	return events;
}

#endif
