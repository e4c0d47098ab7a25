/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Two accelerators with the driver alone. Spikes are taken in their interrupts: on the left whenever some are there,
 * on the right when a whole step is computed.
 */

#include <generated/csr.h>
#include <generated/soc.h>
#include <irq.h>

#include "qclif.h"

#include NETWORK

#define STEPS       12u
#define MOST_EVENTS 4u

struct side {
	const char *name;
	struct qclif *q;
	uint32_t interrupt, event;
	/* Of the step in work; the interrupt writes them. */
	volatile uint32_t count;
	volatile bool ended;
	volatile uint32_t interrupts;
	uint16_t spikes[CONFIG_LEFT_NEURONS];
};

static struct side sides[] = {
	{.name = "left", .q = (struct qclif *)CSR_LEFT_BASE, .interrupt = LEFT_INTERRUPT, .event = QCLIF_EV_OUTPUT},
	{.name = "right", .q = (struct qclif *)CSR_RIGHT_BASE, .interrupt = RIGHT_INTERRUPT, .event = QCLIF_EV_STEP},
};

#define SIDES_END (sides + sizeof(sides) / sizeof(*sides))

/* Interrupts ---------------------------------------------------------------------------------------------------- */

void isr(void);
void isr(void)
{
	const uint32_t pending = irq_pending() & irq_getmask();

	for (struct side *s = sides; s != SIDES_END; s++) {
		if (!(pending & 1u << s->interrupt))
			continue;
		/* First, so that what comes after it interrupts again. */
		qclif_interrupts(s->q);
		uint32_t count = s->count;
		const bool ended = qclif_take(s->q, s->spikes, CONFIG_LEFT_NEURONS, &count);
		s->count = count;
		s->ended = ended;
		s->interrupts++;
	}
}

/* Newer versions of LiteX's crt0 call it. */
void litex_startup_init(void);
void litex_startup_init(void)
{
}

/* Text ---------------------------------------------------------------------------------------------------------- */

static void say(const char *text)
{
	for (; *text; text++) {
		while (uart_txfull_read())
			;
		uart_rxtx_write(*text);
	}
}

static void say_number(uint32_t number)
{
	char digits[11];
	char *first = digits + sizeof(digits) - 1;

	*first = 0;
	do
		*--first = (char)('0' + number % 10);
	while (number /= 10);
	say(" ");
	say(first);
}

/* Steps --------------------------------------------------------------------------------------------------------- */

/* Some of the sources, others in each step and on each side. */
static uint32_t choose(const struct side *s, uint32_t step, uint16_t *sources)
{
	const uint32_t all = QCLIF_GET(s->q, size_inputs) + QCLIF_GET(s->q, size_contexts);
	const uint32_t side = (uint32_t)(s - sides);
	const uint32_t count = (step + side) % (MOST_EVENTS + 1);

	for (uint32_t i = 0; i < count; i++)
		sources[i] = (uint16_t)((5 * step + 3 * side + 7 * i) % all);
	return count;
}

static void run(void)
{
	uint16_t sources[MOST_EVENTS];

	for (struct side *s = sides; s != SIDES_END; s++) {
		qclif_reset(s->q);
		s->interrupts = 0;
	}
	for (uint32_t step = 0; step < STEPS; step++) {
		for (struct side *s = sides; s != SIDES_END; s++) {
			s->count = 0;
			s->ended = false;
			const uint32_t count = choose(s, step, sources);
			qclif_push(s->q, sources, count);
		}
		for (struct side *s = sides; s != SIDES_END; s++) {
			/* A program that has something else to do, does it here. */
			while (!s->ended)
				;
			say(s->name);
			for (uint32_t i = 0; i < s->count; i++)
				say_number(s->spikes[i]);
			say("\r\n");
		}
	}
	for (struct side *s = sides; s != SIDES_END; s++) {
		say(s->name);
		say(": steps, events, spikes");
		say_number(QCLIF_GET(s->q, counters[QCLIF_COUNTER_STEPS]));
		say_number(QCLIF_GET(s->q, counters[QCLIF_COUNTER_EVENTS]));
		say_number(QCLIF_GET(s->q, counters[QCLIF_COUNTER_SPIKES]));
		say(", interrupts");
		say_number(s->interrupts);
		say(", errors");
		say_number(qclif_errors(s->q));
		say("\r\n");
	}
}

int main(void);
int main(void)
{
	uint32_t mask = 0;

	for (struct side *s = sides; s != SIDES_END; s++) {
		if (!qclif_init(s->q) || !qclif_load_network(s->q, &network)) {
			say("the network is not for this build\r\n");
			for (;;)
				;
		}
		qclif_interrupt_on(s->q, s->event);
		mask |= 1u << s->interrupt;
	}
	irq_setmask(mask);
	irq_setie(1);
	for (;;) {
		say("Press a key\r\n");
		while (uart_rxempty_read())
			;
		uart_rxtx_read();
		/* Taken. */
		uart_ev_pending_write(CSR_UART_EV_PENDING_RX_SIZE << CSR_UART_EV_PENDING_RX_OFFSET);
		run();
	}
}
