#define _GNU_SOURCE
#include "streams.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
  READ_BYTES = 64 * 1024,
  // Enough to explain an end, little enough to hold in every container.
  ERROR_BYTES = 32 * 1024,
};

bool streams_take_input(Streams *streams, const uint8_t *piece, size_t count, bool is_last) {
  if (streams->input_ends) return false;
  buffer_append(&streams->input, piece, count);
  if (!is_last) return true;
  if (piece[count - 1] != '\n') return false;
  streams->input_whole = buffer_length(&streams->input);
  streams->lines_taken++;
  return true;
}

void streams_drop_half_line(Streams *streams) { buffer_truncate(&streams->input, streams->input_whole); }

static void input_was_written(Streams *streams, size_t count) {
  buffer_consume(&streams->input, count);
  streams->input_whole -= count;
  streams->input_written += count;
}

void streams_write_input(Streams *streams, Server *server) {
  if (!server_is_spawned(server)) return;
  while (server->input >= 0 && streams->input_whole > 0) {
    ssize_t count = write(server->input, buffer_front(&streams->input), streams->input_whole);
    if (count > 0) {
      input_was_written(streams, (size_t)count);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      server_close_input(server);  // it does not read any more
    }
  }
  // Nobody will read it: it counts as written, or its sender would wait for ever.
  if (server->input < 0) input_was_written(streams, streams->input_whole);
  if (streams->input_ends) server_close_input(server);
}

bool streams_may_read(const Streams *streams) {
  size_t kept = buffer_length(&streams->output);
  if (kept < streams->keep) return true;
  // Only whole lines are acknowledged, so one that is longer than all that is kept has to go on.
  bool is_one_line = streams->output_lines_end <= streams->output_first;
  return is_one_line && kept < streams->keep_line;
}

void streams_read_output(Streams *streams, Server *server) {
  uint8_t *room = buffer_room(&streams->output, READ_BYTES);
  ssize_t count = read(server->output, room, READ_BYTES);
  if (count > 0) {
    uint64_t offset = streams_output_end(streams);
    const uint8_t *newline = memrchr(room, '\n', (size_t)count);
    if (newline != NULL) streams->output_lines_end = offset + (uint64_t)(newline - room) + 1;
    streams->output.end += (size_t)count;
    return;
  }
  if (count < 0 && errno == EINTR) return;
  // A process that has ended writes no more; what it left behind and still writes is nobody's.
  if (count < 0 && errno == EAGAIN && !server->has_exited) return;
  close(server->output);
  server->output = -1;
  streams->output_is_over = true;
}

bool streams_acknowledge(Streams *streams, uint64_t offset) {
  if (offset > streams_output_end(streams)) return false;
  if (offset <= streams->output_first) return true;
  buffer_consume(&streams->output, (size_t)(offset - streams->output_first));
  streams->output_first = offset;
  return true;
}

static void trim_error(Streams *streams) {
  size_t length = buffer_length(&streams->error);
  if (length <= ERROR_BYTES) return;
  streams->error_lost += length - ERROR_BYTES;
  buffer_consume(&streams->error, length - ERROR_BYTES);
}

void streams_read_error(Streams *streams, Server *server) {
  uint8_t piece[16 * 1024];
  ssize_t count = read(server->error, piece, sizeof piece);
  if (count > 0) {
    buffer_append(&streams->error, piece, (size_t)count);
    trim_error(streams);
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR) || (errno == EAGAIN && server->has_exited)) {
    close(server->error);
    server->error = -1;
  }
}

void streams_add_error(Streams *streams, const char *text) {
  buffer_append(&streams->error, (const uint8_t *)text, strlen(text));
  trim_error(streams);
}
