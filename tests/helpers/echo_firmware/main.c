/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Sends every frame back that it receives: what the simulated line is tested with. */

#include <generated/csr.h>
#include <generated/mem.h>

#define FIELD(word, name) ((word) >> CSR_FRAMES_FRAME_##name##_OFFSET & ((1u << CSR_FRAMES_FRAME_##name##_SIZE) - 1))

void isr(void);
void litex_startup_init(void);

void isr(void)
{
}

void litex_startup_init(void)
{
}

int main(void)
{
	volatile uint32_t *const to = (volatile uint32_t *)FRAMES_TO_SEND_BASE;
	uint16_t sent = 0;

	for (;;) {
		const uint32_t frame = frames_frame_read();

		if (FIELD(frame, RESULT) == 0)
			continue;

		const volatile uint32_t *const from =
			(const volatile uint32_t *)(FRAMES_RECEIVED_BASE + FIELD(frame, START));
		const uint32_t length = FIELD(frame, LENGTH);

		while ((uint16_t)frames_sent_read() != sent)
			;
		for (uint32_t word = 0; word < (length + 3) / 4; word++)
			to[word] = from[word];
		frames_send_write(length << CSR_FRAMES_SEND_LENGTH_OFFSET);
		sent++;
		frames_frame_write(0);
	}
}
