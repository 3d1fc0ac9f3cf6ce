// What lies between the server's pipes and the owner's connection, and how much of it.
#ifndef GANTRY_STREAMS_H
#define GANTRY_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "server.h"

typedef struct {
  // Lines for the server. Behind `input_whole` bytes of whole lines there may be the begin of one.
  Buffer input;
  size_t input_whole;
  // Lines that were accepted whole since the start: these reach the server, whoever owns it.
  uint64_t lines_taken;
  // Bytes that were written to the server and not yet told to the owner.
  uint64_t input_written;
  bool input_ends;

  // What the server wrote and no owner has acknowledged: offsets count from its start.
  Buffer output;
  uint64_t output_first;
  // Just behind the last newline.
  uint64_t output_lines_end;
  bool output_is_over;
  // It closed its output and lives on: worth telling.
  bool output_end_is_due;
  // So much is kept before the server is not read any more; an unfinished line may have so much more.
  size_t keep;
  size_t keep_line;

  // The newest of stderr; what had to go is counted.
  Buffer error;
  uint64_t error_lost;
} Streams;

static inline uint64_t streams_output_end(const Streams *streams) {
  return streams->output_first + buffer_length(&streams->output);
}

// A piece of a line for the server. False where the line is not one line.
bool streams_take_input(Streams *streams, const uint8_t *piece, size_t count, bool is_last);
// The owner is gone: nothing will complete the line it was sending.
void streams_drop_half_line(Streams *streams);
void streams_write_input(Streams *streams, Server *server);

// Whether there is room for more of the server's output.
bool streams_may_read(const Streams *streams);
void streams_read_output(Streams *streams, Server *server);
// All output before this offset is somebody else's responsibility now. False for one that was never written.
bool streams_acknowledge(Streams *streams, uint64_t offset);

void streams_read_error(Streams *streams, Server *server);
void streams_add_error(Streams *streams, const char *text);

#endif
