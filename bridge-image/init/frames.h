// The framed protocol between this program and the orchestrator: PROTOCOL.md says what the frames mean.
#ifndef GANTRY_FRAMES_H
#define GANTRY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  PROTOCOL_VERSION = 1,
  HEADER_BYTES = 8,
  SECRET_BYTES = 32,
  HELLO_BYTES = 4 + SECRET_BYTES + 3 * 8,
  WELCOME_BYTES = 3 * 4 + 8,
  EXIT_BYTES = 8,
  // Of one line towards the server. Whoever sends it is trusted; this only keeps a length from being nonsense.
  MAX_INPUT_BYTES = 1 << 30,
  // Frames that are gathered whole.
  MAX_SMALL_BYTES = 32,
};

enum FrameType {
  FRAME_HELLO = 1,
  FRAME_OUTPUT = 2,
  FRAME_STDERR = 3,
  FRAME_STDERR_LOST = 4,
  FRAME_TAKEN = 5,
  FRAME_OUTPUT_END = 6,
  FRAME_EXIT = 7,
  FRAME_WELCOME = 16,
  FRAME_INPUT = 17,
  FRAME_ACK = 18,
  FRAME_END = 19,
  FRAME_BYE = 20,
};

// Receives what a FrameReader finds. False from any of them ends the connection.
typedef struct {
  // A piece of an INPUT frame; `is_last` with the one that completes it.
  bool (*input)(void *context, const uint8_t *piece, size_t count, bool is_last);
  // Any other frame, whole.
  bool (*frame)(void *context, uint8_t type, const uint8_t *payload, size_t count);
  void *context;
} FrameSink;

typedef struct {
  uint8_t header[HEADER_BYTES];
  size_t header_fill;
  bool in_payload;
  uint8_t type;
  size_t left;
  uint8_t small[MAX_SMALL_BYTES];
  size_t small_fill;
} FrameReader;

void frames_reset(FrameReader *reader);
// Takes bytes in pieces of any size. False where they are no frames of ours, or where the sink said so.
bool frames_take(FrameReader *reader, const uint8_t *bytes, size_t count, const FrameSink *sink);

void put_header(uint8_t *at, uint8_t type, size_t length);
void put_u32(uint8_t *at, uint32_t value);
void put_u64(uint8_t *at, uint64_t value);
uint32_t get_u32(const uint8_t *at);
uint64_t get_u64(const uint8_t *at);

#endif
