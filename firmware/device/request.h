/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* One request and its answer, as the handlers see them. */

#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <generated/qclif_protocol.h>

struct request {
	const uint8_t *begin, *end; /* payload */
	uint8_t *answer;            /* where the answer goes on, behind the status */
	uint8_t *answer_end;
	uint32_t status, value, limit;
};

/* For `return request_fail(...)`: the answer will be this error. */
static inline bool request_fail(struct request *request, uint32_t status, uint32_t value, uint32_t limit)
{
	request->status = status;
	request->value = value;
	request->limit = limit;
	return false;
}

static inline uint32_t request_bytes(const struct request *request)
{
	return (uint32_t)(request->end - request->begin);
}

/* The payload does not have the form of its type. */
static inline bool request_malformed(struct request *request, const uint8_t *at)
{
	return request_fail(request, QCLIF_ERROR_LENGTH, request_bytes(request),
	                    (uint32_t)(at - request->begin));
}

static inline uint32_t request_room(const struct request *request)
{
	return (uint32_t)(request->answer_end - request->answer);
}

#endif
