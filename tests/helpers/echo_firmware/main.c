/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Sends every byte back that it receives: what the simulated UART is tested with. */

#include <generated/csr.h>

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
	for (;;) {
		uint32_t word = uart_rxword_read();

		if (word >> CSR_UART_RXWORD_VALID_OFFSET) {
			uart_rxword_write(0);
			while (!uart_txspace_read())
				;
			uart_rxtx_write(word & 0xff);
		}
	}
}
