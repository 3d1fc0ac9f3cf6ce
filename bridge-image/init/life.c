#define _GNU_SOURCE
#include "life.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  FIRST_RETRY_MS = 20,
  LAST_RETRY_MS = 250,
  // A polite server ends at the end of its input; TERM and KILL are for the others.
  TERM_AFTER_MS = 2000,
  KILL_AFTER_MS = 3000,
  // Between the end of its output and its exit.
  OUTPUT_END_MS = 500,
  // Without an owner it is looked at least so often; more cannot have passed while this process ran.
  LOOK_MS = 1000,
  // While stderr waits for the next second.
  ERROR_PAUSE_MS = 100,
  NOT_FOUND = 127,
  NOT_EXECUTABLE = 126,
  NO_OWNER = 75,
};

void life_init(Bridge *bridge, char **command, uint64_t now_ms) {
  bridge->server = (Server){.input = -1, .output = -1, .error = -1};
  bridge->life = (Life){.command = command, .looked_ms = now_ms, .retry_step_ms = FIRST_RETRY_MS};
}

static void spawn(Bridge *bridge) {
  int why = server_spawn(&bridge->server, bridge->life.command);
  if (why == 0) return;
  char text[512];
  const char *program = bridge->life.command[0];
  snprintf(text, sizeof text, "gantry-init: cannot run %.256s: %s\n", program, strerror(why));
  streams_add_error(&bridge->streams, text);
  bridge->streams.output_is_over = true;
  bridge->server.has_exited = true;
  bridge->server.status = W_EXITCODE(why == ENOENT ? NOT_FOUND : NOT_EXECUTABLE, 0);
}

static void enter(Life *life, enum Phase phase, uint64_t now_ms) {
  life->phase = phase;
  life->phase_ms = now_ms;
}

// End of input, TERM, KILL: each gets its time.
static void wind_down(Bridge *bridge, uint64_t now_ms) {
  Life *life = &bridge->life;
  uint64_t waited_ms = now_ms - life->phase_ms;
  if (life->phase == SERVING) {
    server_close_input(&bridge->server);
    enter(life, INPUT_CLOSED, now_ms);
  } else if (life->phase == INPUT_CLOSED && waited_ms >= TERM_AFTER_MS) {
    server_signal(&bridge->server, SIGTERM);
    enter(life, TERMINATED, now_ms);
  } else if (life->phase == TERMINATED && waited_ms >= KILL_AFTER_MS) {
    server_signal(&bridge->server, SIGKILL);
    enter(life, KILLED, now_ms);
  }
}

// One that hangs up at once is tried again as patiently as one that is not there.
static void find_owner(Bridge *bridge, uint64_t now_ms) {
  Life *life = &bridge->life;
  owner_connect(&bridge->owner, &bridge->streams);
  life->retry_ms = now_ms + life->retry_step_ms;
  life->retry_step_ms = life->retry_step_ms < LAST_RETRY_MS / 2 ? life->retry_step_ms * 2 : LAST_RETRY_MS;
}

static void count_lease(Bridge *bridge, uint64_t now_ms) {
  Life *life = &bridge->life;
  uint64_t passed_ms = now_ms - life->looked_ms;
  life->looked_ms = now_ms;
  // Where the loss is only just noticed, all of it was owned.
  if (bridge->owner.is_welcome || life->was_owned) life->unowned_ms = 0;
  else life->unowned_ms += passed_ms < LOOK_MS ? passed_ms : LOOK_MS;
  life->was_owned = bridge->owner.is_welcome;
}

static void watch_output(Bridge *bridge, uint64_t now_ms) {
  Life *life = &bridge->life;
  if (!bridge->streams.output_is_over || bridge->server.has_exited) return;
  if (life->output_over_ms == 0) life->output_over_ms = now_ms;
  if (now_ms - life->output_over_ms >= OUTPUT_END_MS) bridge->streams.output_end_is_due = true;
}

int life_go_on(Bridge *bridge, uint64_t now_ms) {
  Owner *owner = &bridge->owner;
  Life *life = &bridge->life;
  count_lease(bridge, now_ms);
  if (owner->is_welcome) {
    life->retry_ms = now_ms;
    life->retry_step_ms = FIRST_RETRY_MS;
    if (!server_is_spawned(&bridge->server)) spawn(bridge);
  } else if (owner->fd < 0 && now_ms >= life->retry_ms && !owner->said_bye) {
    find_owner(bridge, now_ms);
  }
  watch_output(bridge, now_ms);
  bool is_forsaken = !owner->is_welcome && life->unowned_ms >= owner->lease_ms;
  bool is_over = owner->said_bye || is_forsaken;
  if (bridge->server.has_exited) {
    bool may_go = is_over || life->phase != SERVING || (life->told_to_end && !owner->is_welcome);
    return may_go ? server_exit_code(&bridge->server) : -1;
  }
  if (!server_is_spawned(&bridge->server)) return is_over || life->told_to_end ? NO_OWNER : -1;
  if (is_over || life->phase != SERVING) wind_down(bridge, now_ms);
  return -1;
}

static void sooner(int *timeout, uint64_t at_ms, uint64_t now_ms) {
  uint64_t left = at_ms > now_ms ? at_ms - now_ms : 0;
  if (*timeout < 0 || left < (uint64_t)*timeout) *timeout = (int)(left < 60000 ? left : 60000);
}

int life_timeout(const Bridge *bridge, uint64_t now_ms) {
  const Owner *owner = &bridge->owner;
  const Life *life = &bridge->life;
  const Server *server = &bridge->server;
  bool reads_rest = server->error >= 0 || (server->output >= 0 && streams_may_read(&bridge->streams));
  if (server->has_exited && reads_rest) return 0;
  int timeout = -1;
  if (!owner->is_welcome) {
    uint64_t left_ms = owner->lease_ms > life->unowned_ms ? owner->lease_ms - life->unowned_ms : 0;
    sooner(&timeout, now_ms + (left_ms < LOOK_MS ? left_ms : LOOK_MS), now_ms);
  }
  if (owner->fd < 0 && !owner->said_bye) sooner(&timeout, life->retry_ms, now_ms);
  if (life->phase == INPUT_CLOSED) sooner(&timeout, life->phase_ms + TERM_AFTER_MS, now_ms);
  if (life->phase == TERMINATED) sooner(&timeout, life->phase_ms + KILL_AFTER_MS, now_ms);
  if (bridge->streams.output_is_over && !bridge->streams.output_end_is_due && !server->has_exited) {
    sooner(&timeout, life->output_over_ms + OUTPUT_END_MS, now_ms);
  }
  bool has_error = buffer_length(&bridge->streams.error) > 0;
  if (owner->is_welcome && has_error && !owner_waits_for_room(owner)) {
    sooner(&timeout, now_ms + ERROR_PAUSE_MS, now_ms);
  }
  return timeout;
}

void life_take_signal(Bridge *bridge, int number) {
  Server *server = &bridge->server;
  if (number != SIGCHLD) {
    if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP) bridge->life.told_to_end = true;
    server_signal(server, number);
  } else if (server_reap(server)) {
    // What it left behind ends with it, as everything in a container ends with the first process.
    kill(getpid() == 1 ? -1 : -server->pid, SIGKILL);
    server_close_input(server);
  }
}
