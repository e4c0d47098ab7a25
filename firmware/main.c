/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Boot, say so once in plain text, then serve the link for ever. */

#include <generated/qclif_protocol.h>

#include "device.h"
#include "frame.h"
#include "link.h"
#include "platform.h"

/* crt0 enters it on an interrupt; none is ever enabled. */
void isr(void);
void isr(void)
{
}

/* The crt0 of newer versions of LiteX calls it, for interrupt controllers and C++: there is nothing to do. */
void litex_startup_init(void);
void litex_startup_init(void)
{
}

int main(void);
int main(void)
{
	platform_start();
	if (!sdram_start()) {
		/* Rather no answer than a wrong one; a terminal may come late. */
		for (;;) {
			const uint32_t start = platform_clock();
			frame_say("\r\nqCLIF SoC: the SDRAM does not hold what is written to it\r\n");
			while (platform_clock() - start < PLATFORM_CLOCK_HZ)
				;
		}
	}
	device_start();
	link_start();
	/* For whoever has a terminal on the port. Its zero ends it as a frame, a bad one that no host counts. */
	frame_say("\r\nqCLIF SoC: binary protocol, use host/stream.py on this port\r\n");
	for (;;)
		link_poll();
}
