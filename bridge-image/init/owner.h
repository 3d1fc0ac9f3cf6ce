// The orchestrator that owns this replica: the connection to it, and what goes over it.
#ifndef GANTRY_OWNER_H
#define GANTRY_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "server.h"
#include "streams.h"

enum { ERROR_FRAME_BYTES = 4096 };

typedef struct {
  const char *path;
  const uint8_t *secret;
  int fd;  // -1 while there is none
  bool is_welcome;
  FrameReader reader;

  // The frame on its way: what is in `head` first, then `body_left` bytes of the output from `sent` on.
  uint8_t head[HEADER_BYTES + ERROR_FRAME_BYTES];
  size_t head_length;
  size_t head_done;
  size_t body_left;
  // Offset of the first byte of output that has not been sent on this connection.
  uint64_t sent;
  bool output_end_told;
  bool exit_told;

  // What the last owner said.
  uint32_t lease_ms;
  bool said_bye;

  // Bytes of stderr that may still be sent in this second, of the clock that `owner_send` is given.
  uint64_t error_second;
  size_t error_budget;
} Owner;

void owner_init(Owner *owner, const char *path, const uint8_t *secret);
// Where somebody listens, the hello is on its way.
void owner_connect(Owner *owner, const Streams *streams);
void owner_hang_up(Owner *owner, Streams *streams);
// Takes what has come. The connection is closed where it is over or makes no sense.
void owner_receive(Owner *owner, Streams *streams);
// Sends what there is and fits. `now_ms`: any steady clock.
void owner_send(Owner *owner, Streams *streams, const Server *server, uint64_t now_ms);
// Whether owner_send waits for room; false also where only the second's budget for stderr is used up.
bool owner_waits_for_room(const Owner *owner);

#endif
