/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * LiteX simulation module: the far end of the simulated UART, on the line that line.h describes. It meets the SoC
 * either at the byte streams of LiteX's model of a PHY, which have no baud rate, or at the pins of a real one.
 *
 * Arguments (sim_config.js): "port" (0: the system chooses), "report" (file that tells where the line is),
 * "status" (file that is mapped: struct status), "parent" (process whose end also ends the simulation),
 * "baudrate" (of this end, where the SoC has pins; 0 where it has streams).
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "error.h"
#include "modules.h"

#include "line.h"
#include "rs232.h"

/* The event loop looks at the line every 500 clocks, which would be added to the answer of each request, there and back:
 * so often we look, too, and whenever the SoC has sent a frame's last byte. */
#define LOOK_CLOCKS 64

/* Nobody talks to a SoC that has been silent for so long: whoever waits for an answer is told that it is busy four times
 * as often. Then the simulation naps between its bursts of clocks, and leaves the processor to others. */
#define SILENT_CLOCKS (1 << 20)
#define NAP_MS 10

/* Sooner, where the SoC has answered as many requests as it was given: it waits for the next one. */
#define IDLE_CLOCKS 512

#define RESET_CLOCKS 16
#define RESET_SETTLE 4 /* Clocks from the pad's release until the SoC's FIFOs take bytes. */

/* Shared with the process that started the simulation; targets/sim/simulator.py names the same fields. */
struct status {
	uint64_t clocks;    /* Rising edges of sys_clk. */
	uint64_t received;  /* Bytes that the SoC took. */
	uint64_t sent;      /* Bytes that the SoC gave. */
	uint64_t waited;    /* Clocks the SoC had a byte to give and had to wait. */
	uint64_t unplugged; /* Bytes dropped because there was no client. */
	uint64_t skipped;   /* Bytes that older clients lost because they did not read. */
	uint64_t framing;   /* Bytes from the SoC's pins with a wrong start or stop bit. */
	uint64_t overruns;  /* Bytes from the SoC's pins, which do not wait, that a slow client lost. */
	/* Written by the other process: */
	uint64_t reset;     /* Each change resets the SoC once. */
	uint64_t finish;    /* Not 0: end the simulation and close its trace. */
};

struct session_s {
	char *rx, *rx_valid, *rx_ready; /* Clients -> SoC. */
	char *tx, *tx_valid, *tx_ready; /* SoC -> clients. */
	char *rx_pin, *tx_pin;          /* The same as pins. */
	char *sys_clk, *sys_rst, *sim_finish;

	struct line line;
	struct rs232_sender sender;     /* To the pin rx. */
	struct rs232_receiver receiver; /* From the pin tx. */
	struct status *status;
	struct event *event;
	uint64_t resets;
	int reset_clocks;
	int look;
	uint64_t moved, moved_at;       /* Bytes of both directions, and the clock of the last one. */
	int spoken;                     /* One came since the last reset: the SoC has booted. */
	uint64_t requests, answers;     /* Frames in both directions, but those that nobody asked for: */
	int notices;                    /* types from here on. */
	uint8_t given;                  /* Last byte to the SoC. */
	int frame_bytes;                /* Of the frame that comes from it, and its type, the byte behind COBS' first. */
	uint8_t frame_type;
	clk_edge_state_t edge;
};

static struct event_base *base;

/* Clocks ------------------------------------------------------------------------------------------- */

/* Returns whether there was room for it. */
static int take_from_soc(struct session_s *s, uint8_t byte)
{
	struct line *line = &s->line;

	if (line->out_head >= line->out_limit)
		return 0;
	line->out[line->out_head++ % LINE_BYTES] = byte;
	line->unplugged += line->out_limit == UINT64_MAX;
	s->status->sent++;
	s->look |= byte == 0;
	if (byte == 0) {
		s->answers += s->frame_bytes > 1 && s->frame_type < s->notices;
		s->frame_bytes = 0;
	} else if (++s->frame_bytes == 2) {
		s->frame_type = byte;
	}
	return 1;
}

static int has_for_soc(const struct session_s *s)
{
	return s->line.in_tail != s->line.in_head && !s->reset_clocks;
}

static uint8_t give_to_soc(struct session_s *s)
{
	const uint8_t byte = s->line.in[s->line.in_tail++ % LINE_BYTES];

	s->status->received++;
	s->requests += byte == 0 && s->given != 0;
	s->given = byte;
	return byte;
}

/* What is decided here takes effect at the next rising edge. Valid and ready come from registers of the SoC's FIFOs
 * and still hold then: a byte moves when both sides agree now. */
static void clock_stream(struct session_s *s)
{
	*s->tx_ready = *s->tx_valid && take_from_soc(s, *s->tx);
	s->status->waited += *s->tx_valid && !*s->tx_ready;

	*s->rx_valid = *s->rx_ready && has_for_soc(s);
	if (*s->rx_valid)
		*s->rx = give_to_soc(s);
}

/* A byte with a framing error goes on as it was sampled, as it does from a raw tty. */
static void clock_pins(struct session_s *s, uint64_t time_ps)
{
	const uint64_t now = 1000*time_ps;
	const int begins = rs232_free(&s->sender, now) && has_for_soc(s);
	const int byte = rs232_receive(&s->receiver, now, *s->tx_pin);

	*s->rx_pin = rs232_send(&s->sender, now, begins ? give_to_soc(s) : RS232_NONE);
	if (byte != RS232_NONE) {
		s->status->framing  += byte >= RS232_FRAMING;
		s->status->overruns += !take_from_soc(s, (uint8_t)byte);
	}
}

static int qclif_uart_tick(void *session, uint64_t time_ps)
{
	struct session_s *s = session;

	if (!clk_pos_edge(&s->edge, *s->sys_clk))
		return RC_OK;
	s->status->clocks++;

	*s->sys_rst = s->reset_clocks > RESET_SETTLE;
	if (s->reset_clocks)
		s->reset_clocks--;

	if (s->tx_pin)
		clock_pins(s, time_ps);
	else
		clock_stream(s);

	if (s->look || s->status->clocks % LOOK_CLOCKS == 0) {
		s->look = 0;
		line_move(&s->line);
	}
	return RC_OK;
}

static void nap(struct session_s *s)
{
	const uint64_t moved  = s->status->received + s->status->sent;
	const uint64_t silent = s->status->clocks - s->moved_at;

	if (moved != s->moved) {
		s->moved    = moved;
		s->moved_at = s->status->clocks;
		s->spoken   = 1;
	} else if (s->spoken && silent > SILENT_CLOCKS) {
		/* Whatever was lost is not answered any more. */
		s->requests = s->answers;
		line_wait(&s->line, NAP_MS);
	} else if (s->answers && s->answers >= s->requests && silent > IDLE_CLOCKS) {
		line_wait(&s->line, NAP_MS);
	}
}

/* Called by the simulator's event loop, between bursts of clocks. */
static void service(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = { 0, 0 };
	struct session_s *s = arg;

	line_service(&s->line);
	s->status->unplugged = s->line.unplugged;
	s->status->skipped   = s->line.skipped;
	if (s->sim_finish)
		*s->sim_finish = s->status->finish != 0;
	if (s->resets != s->status->reset) {
		s->resets       = s->status->reset;
		s->reset_clocks = RESET_CLOCKS;
		s->spoken       = 0;
		s->requests     = s->answers = 0;
	}
	nap(s);
	event_add(s->event, &at_once);
}

/* Start -------------------------------------------------------------------------------------------- */

static int qclif_uart_add_pads(void *session, struct pad_list_s *list)
{
	struct session_s *s = session;
	struct { const char *pads, *name; char **signal; } wanted[] = {
		{ "serial", "sink_data",    &s->rx },
		{ "serial", "sink_valid",   &s->rx_valid },
		{ "serial", "sink_ready",   &s->rx_ready },
		{ "serial", "source_data",  &s->tx },
		{ "serial", "source_valid", &s->tx_valid },
		{ "serial", "source_ready", &s->tx_ready },
		{ "serial", "rx",           &s->rx_pin },
		{ "serial", "tx",           &s->tx_pin },
		{ "sys_clk", "sys_clk",     &s->sys_clk },
		{ "sys_rst", "sys_rst",     &s->sys_rst },
		{ "sim_finish", "sim_finish", &s->sim_finish },
	};
	struct pad_s *pad;
	size_t i;

	for (pad = list->pads; pad->name; pad++)
		for (i = 0; i < sizeof(wanted)/sizeof(wanted[0]); i++)
			if (!strcmp(list->name, wanted[i].pads) && !strcmp(pad->name, wanted[i].name))
				*wanted[i].signal = pad->signal;
	return RC_OK;
}

static const char *map_status(struct session_s *s, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(struct status)) < 0)
		return "cannot write the status file";
	s->status = mmap(NULL, sizeof(struct status), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return s->status == MAP_FAILED ? "cannot map the status file" : NULL;
}

/* Complete when it appears: written under another name first. */
static const char *write_report(const char *path, int port, const char *pty)
{
	char fresh[4096];
	FILE *file;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "w");
	if (!file || fprintf(file, "{\"port\": %d, \"pty\": \"%s\"}\n", port, pty) < 0 || fclose(file) ||
	    rename(fresh, path))
		return "cannot write the report file";
	return NULL;
}

static const char *end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have ended before the call. */
	return getppid() == parent ? NULL : "the process that started the simulation has ended";
}

static const char *start(struct session_s *s, json_object *args)
{
	json_object *port_arg, *status, *report, *parent, *baudrate, *notices;
	char pty[64];
	const char *error;
	int port;

	if (!json_object_object_get_ex(args, "port", &port_arg) ||
	    !json_object_object_get_ex(args, "status", &status) ||
	    !json_object_object_get_ex(args, "report", &report) ||
	    !json_object_object_get_ex(args, "parent", &parent) ||
	    !json_object_object_get_ex(args, "baudrate", &baudrate) ||
	    !json_object_object_get_ex(args, "notices", &notices))
		return "arguments port, status, report, parent, baudrate and notices are needed";
	port = json_object_get_int(port_arg);
	s->notices = json_object_get_int(notices);
	if (json_object_get_int(baudrate))
		rs232_start(&s->sender, &s->receiver, json_object_get_int(baudrate));
	if ((error = end_with(json_object_get_int(parent))) ||
	    (error = line_open(&s->line, &port, pty, sizeof(pty))) ||
	    (error = map_status(s, json_object_get_string(status))))
		return error;
	return write_report(json_object_get_string(report), port, pty);
}

static int qclif_uart_new(void **session, char *text)
{
	struct session_s *s = calloc(1, sizeof(*s));
	json_object *args = json_tokener_parse(text ? text : "{}");
	const char *error;

	*session = s;
	if (!s || !args)
		return RC_NOENMEM;
	errno = 0;
	error = start(s, args);
	json_object_put(args);
	if (error) {
		fprintf(stderr, "qclif_uart: %s%s%s\n", error, errno ? ": " : "", errno ? strerror(errno) : "");
		return RC_ERROR;
	}
	s->reset_clocks = RESET_CLOCKS; /* Power-on. */
	s->event = event_new(base, -1, 0, service, s);
	service(-1, 0, s);
	return RC_OK;
}

static int qclif_uart_start(void *event_base)
{
	base = event_base;
	return RC_OK;
}

static struct ext_module_s module = {
	"qclif_uart", qclif_uart_start, qclif_uart_new, qclif_uart_add_pads, NULL, qclif_uart_tick
};

int litex_sim_ext_module_init(int (*register_module)(struct ext_module_s *))
{
	return register_module(&module);
}
