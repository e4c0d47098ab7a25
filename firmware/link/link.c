/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "link.h"

#include <stdbool.h>
#include <stdint.h>

#include <generated/qclif_config.h>
#include <generated/qclif_protocol.h>

#include "device.h"
#include "frame.h"
#include "platform.h"
#include "wire.h"

struct slot {
	uint32_t length; /* sealed; 0: none */
	uint8_t data[QCLIF_FRAME_BYTES];
};

static struct slot slots[QCLIF_FRAME_WINDOW];
static uint32_t slot;       /* the next answer's */
static uint32_t session;    /* 0: none since reset */
static uint8_t expected;    /* sequence of the next request */
static bool nak_sent;       /* for `expected` */
static uint32_t busy_since;

/* Two hosts may pick the same session, but not the same nonce beside it. */
static uint32_t nonce;

/* Answer to HELLO, kept because the host repeats HELLO when the answer is lost. */
static uint8_t hello[QCLIF_HELLO_BYTES + QCLIF_OVERHEAD_BYTES];

void link_start(void)
{
	session = 0;
	expected = 0;
	nak_sent = false;
}

static void put_header(uint8_t *frame, uint32_t type, uint8_t sequence, uint32_t of_session)
{
	frame[QCLIF_HEADER_TYPE_AT] = (uint8_t)type;
	frame[QCLIF_HEADER_SEQUENCE_AT] = sequence;
	wire_put16(frame + QCLIF_HEADER_SESSION_AT, of_session);
}

static void send_notice(uint32_t type, uint8_t sequence, uint32_t of_session, const uint8_t *payload, uint32_t count)
{
	uint8_t frame[QCLIF_OVERHEAD_BYTES + 2];

	put_header(frame, type, sequence, of_session);
	for (uint32_t i = 0; i < count; i++)
		frame[QCLIF_HEADER_BYTES + i] = payload[i];
	frame_send(frame, frame_seal(frame, QCLIF_HEADER_BYTES + count));
}

static void send_nak(uint8_t reason)
{
	const uint8_t payload[] = {expected, reason};

	nak_sent = true;
	stats[QCLIF_STAT_NAKS]++;
	send_notice(QCLIF_NOTICE_NAK, expected, session, payload, sizeof(payload));
}

static void answer_hello(uint8_t sequence, uint32_t of_session, uint32_t of_nonce)
{
	if (of_session != session || of_nonce != nonce) {
		const uint32_t length = device_hello(session, hello + QCLIF_HEADER_BYTES);
		session = of_session;
		nonce = of_nonce;
		expected = 0;
		nak_sent = false;
		slot = 0;
		for (uint32_t i = 0; i < QCLIF_FRAME_WINDOW; i++)
			slots[i].length = 0;
		put_header(hello, QCLIF_REQUEST_HELLO | QCLIF_RESPONSE, sequence, session);
		frame_seal(hello, QCLIF_HEADER_BYTES + length);
	}
	frame_send(hello, sizeof(hello));
}

static void execute(uint8_t type, const uint8_t *payload, uint32_t length)
{
	struct slot *const s = &slots[slot];

	busy_since = platform_clock();
	put_header(s->data, type | QCLIF_RESPONSE, expected, session);
	const uint32_t answer = device_execute(type, payload, length, s->data + QCLIF_HEADER_BYTES);
	expected++;
	nak_sent = false;
	slot = slot + 1 == QCLIF_FRAME_WINDOW ? 0 : slot + 1;
	s->length = frame_seal(s->data, QCLIF_HEADER_BYTES + answer);
	frame_send(s->data, s->length);
}

static void handle(const uint8_t *frame, uint32_t length)
{
	const uint8_t type = frame[QCLIF_HEADER_TYPE_AT];
	const uint8_t sequence = frame[QCLIF_HEADER_SEQUENCE_AT];
	const uint32_t of_session = wire_get16(frame + QCLIF_HEADER_SESSION_AT);

	stats[QCLIF_STAT_RX_FRAMES]++;
	if (type == QCLIF_REQUEST_HELLO) {
		/* Session 0 means none; no host asks for it. */
		if (of_session != 0 && length == QCLIF_HEADER_BYTES + QCLIF_NONCE_BYTES)
			answer_hello(sequence, of_session, wire_get32(frame + QCLIF_HEADER_BYTES));
		return;
	}
	if (of_session != session) {
		const uint8_t payload = (uint8_t)(session == 0 ? QCLIF_SESSION_RESET : QCLIF_SESSION_TAKEN);
		send_notice(QCLIF_NOTICE_SESSION, sequence, of_session, &payload, 1);
		return;
	}

	const uint8_t age = (uint8_t)(expected - sequence);
	if (age == 0) {
		execute(type, frame + QCLIF_HEADER_BYTES, length - QCLIF_HEADER_BYTES);
		return;
	}
	if (age <= QCLIF_FRAME_WINDOW) {
		const struct slot *const s = &slots[slot >= age ? slot - age : slot + QCLIF_FRAME_WINDOW - age];
		if (s->length) {
			stats[QCLIF_STAT_REPLAYS]++;
			frame_send(s->data, s->length);
			return;
		}
	}
	/* Once is enough: every further frame that was under way would say the same. */
	if (!nak_sent)
		send_nak(QCLIF_NAK_GAP);
}

void link_poll(void)
{
	switch (frame_receive()) {
	case FRAME_GOOD:
		handle(frame_data(), frame_length());
		break;
	case FRAME_BAD:
		stats[QCLIF_STAT_RX_ERRORS]++;
		send_nak(QCLIF_NAK_CRC);
		break;
	case FRAME_OVERSIZE:
		stats[QCLIF_STAT_RX_ERRORS]++;
		send_nak(QCLIF_NAK_OVERSIZE);
		break;
	case FRAME_NONE:
		break;
	}
}

void link_busy(void)
{
	const uint32_t now = platform_clock();

	if (now - busy_since < QCLIF_BUSY_CLOCKS)
		return;
	busy_since = now;
	send_notice(QCLIF_NOTICE_BUSY, expected, session, 0, 0);
}
