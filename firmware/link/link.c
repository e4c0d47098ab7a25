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

/* The last answers, the one to HELLO, which the host repeats when that is lost, and notices. */
static struct frame_place slots[QCLIF_FRAME_WINDOW];
static struct frame_place hello;
static struct frame_place notice;
static uint32_t slot;       /* the next answer's */
static uint32_t session;    /* 0: none since reset */
static uint8_t expected;    /* sequence of the next request */
static bool nak_sent;       /* for `expected` */
static uint32_t busy_since;

/* Two hosts may pick the same session, but not the same nonce beside it. */
static uint32_t nonce;

void link_start(void)
{
	session = 0;
	expected = 0;
	nak_sent = false;
	for (uint32_t i = 0; i < QCLIF_FRAME_WINDOW; i++)
		slots[i] = (struct frame_place){.data = PLATFORM_FRAMES_TO_SEND + i * QCLIF_SLOT_BYTES};
	hello = (struct frame_place){.data = PLATFORM_FRAMES_TO_SEND + QCLIF_HELLO_AT};
	notice = (struct frame_place){.data = PLATFORM_FRAMES_TO_SEND + QCLIF_NOTICE_AT};
}

static void put_header(uint8_t *frame, uint32_t type, uint8_t sequence, uint32_t of_session)
{
	frame[QCLIF_HEADER_TYPE_AT] = (uint8_t)type;
	frame[QCLIF_HEADER_SEQUENCE_AT] = sequence;
	wire_put16(frame + QCLIF_HEADER_SESSION_AT, of_session);
}

static void send_notice(uint32_t type, uint8_t sequence, uint32_t of_session, const uint8_t *payload, uint32_t count)
{
	frame_await(&notice);
	put_header(notice.data, type, sequence, of_session);
	for (uint32_t i = 0; i < count; i++)
		notice.data[QCLIF_HEADER_BYTES + i] = payload[i];
	notice.length = QCLIF_HEADER_BYTES + count;
	frame_send(&notice);
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
		frame_await(&hello);
		hello.length = QCLIF_HEADER_BYTES + device_hello(session, hello.data + QCLIF_HEADER_BYTES);
		session = of_session;
		nonce = of_nonce;
		expected = 0;
		nak_sent = false;
		slot = 0;
		for (uint32_t i = 0; i < QCLIF_FRAME_WINDOW; i++)
			slots[i].length = 0;
		put_header(hello.data, QCLIF_REQUEST_HELLO | QCLIF_RESPONSE, sequence, session);
	}
	frame_send(&hello);
}

static void execute(uint8_t type, const uint8_t *payload, uint32_t length)
{
	struct frame_place *const s = &slots[slot];

	/* Its last answer may be on its way once more. */
	frame_await(s);
	busy_since = platform_clock();
	put_header(s->data, type | QCLIF_RESPONSE, expected, session);
	const uint32_t answer = device_execute(type, payload, length, s->data + QCLIF_HEADER_BYTES);
	expected++;
	nak_sent = false;
	slot = slot + 1 == QCLIF_FRAME_WINDOW ? 0 : slot + 1;
	s->length = QCLIF_HEADER_BYTES + answer;
	frame_send(s);
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
		struct frame_place *const s = &slots[slot >= age ? slot - age : slot + QCLIF_FRAME_WINDOW - age];
		if (s->length) {
			stats[QCLIF_STAT_REPLAYS]++;
			frame_send(s);
			return;
		}
	}
	/* Once is enough: every further frame that was under way would say the same. */
	if (!nak_sent)
		send_nak(QCLIF_NAK_GAP);
}

void link_poll(void)
{
	const struct frame frame = frame_receive();

	switch (frame.result) {
	case QCLIF_FRAME_GOOD:
		handle(frame.data, frame.length);
		break;
	case QCLIF_FRAME_BAD:
		stats[QCLIF_STAT_RX_ERRORS]++;
		send_nak(QCLIF_NAK_CRC);
		break;
	case QCLIF_FRAME_OVERSIZE:
		stats[QCLIF_STAT_RX_ERRORS]++;
		send_nak(QCLIF_NAK_OVERSIZE);
		break;
	default:
		return;
	}
	frame_release();
}

void link_busy(void)
{
	const uint32_t now = platform_clock();

	if (now - busy_since < QCLIF_BUSY_CLOCKS)
		return;
	busy_since = now;
	send_notice(QCLIF_NOTICE_BUSY, expected, session, 0, 0);
}
