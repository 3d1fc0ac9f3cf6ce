// When the server is started, when it is ended, and when there is nothing left to stay for.
#ifndef GANTRY_LIFE_H
#define GANTRY_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "owner.h"
#include "server.h"
#include "streams.h"

enum Phase { SERVING, INPUT_CLOSED, TERMINATED, KILLED };

typedef struct {
  char **command;
  // How long there has been no owner. Time in which this process did not run, paused with its container, does not count.
  uint64_t unowned_ms;
  bool was_owned;
  uint64_t looked_ms;
  uint64_t retry_ms;
  uint32_t retry_step_ms;
  enum Phase phase;
  uint64_t phase_ms;
  // When the server's output was over although it had not ended; 0 where it was not.
  uint64_t output_over_ms;
  // Somebody asked for the end by a signal: then the lease is not waited for.
  bool told_to_end;
} Life;

typedef struct {
  Owner owner;
  Streams streams;
  Server server;
  Life life;
} Bridge;

void life_init(Bridge *bridge, char **command, uint64_t now_ms);
// Does what is due. Returns the exit code once there is nothing left to stay for, else -1.
int life_go_on(Bridge *bridge, uint64_t now_ms);
// Milliseconds until something is due; -1 where only an event can make it so.
int life_timeout(const Bridge *bridge, uint64_t now_ms);
void life_take_signal(Bridge *bridge, int number);

#endif
