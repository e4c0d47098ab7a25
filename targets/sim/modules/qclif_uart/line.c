/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "line.h"

#define SOCKET_BYTES 16384 /* Of the kernel: about what a client may leave unread before the SoC waits. */

/* Opening ------------------------------------------------------------------------------------------ */

static const char *open_listener(struct line *line, int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t length = sizeof(address);
	int one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	line->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (line->listener < 0)
		return "cannot make a socket";
	setsockopt(line->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(line->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(line->listener, LINE_CLIENTS) < 0 ||
	    getsockname(line->listener, (struct sockaddr *)&address, &length) < 0)
		return "cannot listen on the TCP port of 127.0.0.1";
	*port = ntohs(address.sin_port);
	return NULL;
}

static const char *open_pty(struct line *line, char *name, size_t size)
{
	struct termios raw;
	int slave;

	line->pty = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->pty < 0 || grantpt(line->pty) < 0 || unlockpt(line->pty) < 0 ||
	    ptsname_r(line->pty, name, size) || tcgetattr(line->pty, &raw) < 0)
		return "cannot open a pty";
	cfmakeraw(&raw);
	if (tcsetattr(line->pty, TCSANOW, &raw) < 0)
		return "cannot make the pty raw";
	/* Hung up from the start, as it is after the last client has closed it. */
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return "cannot open the pty's slave";
	close(slave);
	return NULL;
}

const char *line_open(struct line *line, int *port, char *pty, size_t pty_size)
{
	const char *error;
	int i;

	memset(line, 0, sizeof(*line));
	line->out_limit     = UINT64_MAX;
	line->pty_client.fd = -1;
	for (i = 0; i < LINE_CLIENTS; i++)
		line->clients[i].fd = -1;
	signal(SIGPIPE, SIG_IGN); /* A client that has gone is an error of write(). */
	if ((error = open_listener(line, port)))
		return error;
	return open_pty(line, pty, pty_size);
}

/* Clients ------------------------------------------------------------------------------------------ */

static void attach(struct line *line, struct line_client *client, int fd)
{
	client->fd    = fd;
	client->sent  = line->out_head;
	client->since = ++line->arrivals;
}

static void accept_client(struct line *line)
{
	static const char refused[] = "qclif_uart: too many clients on this line\r\n";
	int one = 1, bytes = SOCKET_BYTES, i;
	int fd = accept4(line->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (i = 0; i < LINE_CLIENTS && line->clients[i].fd >= 0; i++)
		;
	if (i == LINE_CLIENTS) {
		send(fd, refused, sizeof(refused) - 1, 0);
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	attach(line, &line->clients[i], fd);
}

/* The pty is a client while somebody has its slave open; otherwise poll() says that it is hung up. One that
 * was opened and closed since the last look has left bytes behind. */
static void watch_pty(struct line *line)
{
	struct pollfd p = { .fd = line->pty, .events = POLLIN };

	if (line->pty_client.fd >= 0 || poll(&p, 1, 0) < 0)
		return;
	if (!(p.revents & POLLHUP) || (p.revents & POLLIN)) {
		tcflush(line->pty, TCOFLUSH); /* What the last client left unread. */
		attach(line, &line->pty_client, line->pty);
	}
}

static int later(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static size_t up_to_the_end(uint64_t position, size_t bytes)
{
	size_t room = LINE_BYTES - position % LINE_BYTES;

	return bytes < room ? bytes : room;
}

static void send_to(struct line *line, struct line_client *client)
{
	if (line->out_head - client->sent > LINE_BYTES) {
		line->skipped += line->out_head - client->sent - LINE_BYTES;
		client->sent   = line->out_head - LINE_BYTES;
	}
	while (client->sent != line->out_head) {
		size_t  bytes = up_to_the_end(client->sent, line->out_head - client->sent);
		ssize_t n = write(client->fd, line->out + client->sent % LINE_BYTES, bytes);
		if (n < 0 && later())
			return;
		/* A client that has gone is found by reading, when all that it wrote has been read. */
		client->sent += n < 0 ? bytes : (size_t)n;
	}
}

/* Returns 0 when the client has gone. */
static int receive_from(struct line *line, struct line_client *client)
{
	while (line->in_head - line->in_tail < LINE_BYTES) {
		size_t  bytes = up_to_the_end(line->in_head, LINE_BYTES - (line->in_head - line->in_tail));
		ssize_t n = read(client->fd, line->in + line->in_head % LINE_BYTES, bytes);
		if (n <= 0)
			return n < 0 && later();
		line->in_head += n;
	}
	return 1;
}

static void serve(struct line *line, struct line_client *client)
{
	if (client->fd < 0)
		return;
	send_to(line, client);
	if (receive_from(line, client))
		return;
	if (client->fd != line->pty)
		close(client->fd);
	client->fd = -1;
}

/* The newest client's position decides until when the SoC may send. */
static void set_limit(struct line *line)
{
	struct line_client *newest = &line->pty_client;
	int i;

	for (i = 0; i < LINE_CLIENTS; i++) {
		struct line_client *client = &line->clients[i];
		if (client->fd >= 0 && (newest->fd < 0 || client->since > newest->since))
			newest = client;
	}
	line->out_limit = newest->fd < 0 ? UINT64_MAX : newest->sent + LINE_BYTES;
}

void line_move(struct line *line)
{
	int i;

	serve(line, &line->pty_client);
	for (i = 0; i < LINE_CLIENTS; i++)
		serve(line, &line->clients[i]);
	set_limit(line);
}

void line_service(struct line *line)
{
	accept_client(line);
	watch_pty(line);
	line_move(line);
}

void line_wait(struct line *line, int milliseconds)
{
	/* A pty without a client is always ready: it says so. */
	struct pollfd p[LINE_CLIENTS + 2] = { { .fd = line->listener }, { .fd = line->pty_client.fd } };
	int i;

	for (i = 0; i < LINE_CLIENTS; i++)
		p[i + 2].fd = line->clients[i].fd;
	for (i = 0; i < LINE_CLIENTS + 2; i++)
		p[i].events = POLLIN;
	poll(p, LINE_CLIENTS + 2, milliseconds);
}
