// The first process of a container: reaps, forwards signals, and carries the server's streams to the orchestrator.
//   gantry-init [--socket PATH] -- PROGRAM [ARGUMENT ...]
#define _GNU_SOURCE
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "life.h"
#include "secret.h"

static const char DEFAULT_SOCKET[] = "/run/gantry/socket";
enum { BAD_USAGE = 64, NOT_SET_UP = 71 };

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Signals come as reads. Those that report a fault of this program stay as they are.
static int open_signals(void) {
  sigset_t all;
  sigfillset(&all);
  int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU, SIGTSTP};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
  signal(SIGPIPE, SIG_IGN);
  sigdelset(&all, SIGPIPE);
  sigprocmask(SIG_BLOCK, &all, NULL);
  return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_signals(Bridge *bridge, int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == sizeof info) life_take_signal(bridge, (int)info.ssi_signo);
}

static struct pollfd watched(int fd, bool reads, bool writes) {
  short events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  return (struct pollfd){.fd = events == 0 ? -1 : fd, .events = events};
}

// Sends what there is, waits for what can be done and does it, in the order of a call: to the server, then its answer.
static void carry(Bridge *bridge, int signals) {
  Owner *owner = &bridge->owner;
  Streams *streams = &bridge->streams;
  Server *server = &bridge->server;
  owner_send(owner, streams, server, now_ms());
  struct pollfd fds[] = {
      watched(signals, true, false),
      watched(owner->fd, true, owner_waits_for_room(owner)),
      watched(server->input, false, streams->input_whole > 0),
      watched(server->output, streams_may_read(streams), false),
      watched(server->error, true, false),
  };
  if (poll(fds, sizeof fds / sizeof *fds, life_timeout(bridge, now_ms())) < 0) return;
  if (fds[0].revents != 0) take_signals(bridge, signals);
  if (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) owner_receive(owner, streams);
  streams_write_input(streams, server);
  bool reads_rest = server->has_exited && streams_may_read(streams);
  if (server->output >= 0 && (fds[3].revents != 0 || reads_rest)) streams_read_output(streams, server);
  if (server->error >= 0 && (fds[4].revents != 0 || server->has_exited)) streams_read_error(streams, server);
}

int main(int count, char **arguments) {
  uint8_t secret[SECRET_BYTES];
  // Before anything else runs in the container: nobody may look into this process.
  if (!close_to_others() || !take_secret(secret)) return NOT_SET_UP;
  const char *path = DEFAULT_SOCKET;
  int at = 1;
  if (at + 1 < count && strcmp(arguments[at], "--socket") == 0) {
    path = arguments[at + 1];
    at += 2;
  }
  if (at + 1 >= count || strcmp(arguments[at], "--") != 0) return BAD_USAGE;
  // Whoever started this may have left files open: the server gets none of them. Old kernels cannot; there are none then.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  int signals = open_signals();
  if (signals < 0) return NOT_SET_UP;

  static Bridge bridge;
  owner_init(&bridge.owner, path, secret);
  life_init(&bridge, arguments + at + 1, now_ms());
  for (;;) {
    int code = life_go_on(&bridge, now_ms());
    if (code >= 0) return code;
    carry(&bridge, signals);
  }
}
