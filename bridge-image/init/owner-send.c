// Which frame goes next, and its way through a socket that takes what it likes.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "owner.h"

enum {
  OUTPUT_FRAME_BYTES = 256 * 1024,
  // Told in steps: each costs the orchestrator a wake-up, and its window is a mebibyte.
  TAKEN_STEP_BYTES = 128 * 1024,
  // What two of these and the last words make is just what the orchestrator reads of a server's stderr in a second.
  ERROR_BYTES_PER_SECOND = 48 * 1024,
};

static void begin_frame(Owner *owner, uint8_t type, size_t length) {
  put_header(owner->head, type, length);
  owner->head_length = HEADER_BYTES + length;
  owner->head_done = 0;
}

static bool begin_output(Owner *owner, const Streams *streams) {
  uint64_t left = streams_output_end(streams) - owner->sent;
  if (left == 0) return false;
  size_t length = left < OUTPUT_FRAME_BYTES ? (size_t)left : OUTPUT_FRAME_BYTES;
  begin_frame(owner, FRAME_OUTPUT, length);
  owner->head_length = HEADER_BYTES;
  owner->body_left = length;
  return true;
}

static bool begin_number(Owner *owner, uint8_t type, uint64_t *value, uint64_t least) {
  if (*value < least) return false;
  begin_frame(owner, type, 8);
  put_u64(owner->head + HEADER_BYTES, *value);
  *value = 0;
  return true;
}

static bool begin_error(Owner *owner, Streams *streams, const Server *server, uint64_t now_ms) {
  if (now_ms / 1000 != owner->error_second) {
    owner->error_second = now_ms / 1000;
    owner->error_budget = ERROR_BYTES_PER_SECOND;
  }
  size_t length = buffer_length(&streams->error);
  if (length > ERROR_FRAME_BYTES) length = ERROR_FRAME_BYTES;
  // The last words of a process are worth more than any budget.
  if (length == 0 || (length > owner->error_budget && !server->has_exited)) return false;
  if (begin_number(owner, FRAME_STDERR_LOST, &streams->error_lost, 1)) return true;
  owner->error_budget -= length < owner->error_budget ? length : owner->error_budget;
  begin_frame(owner, FRAME_STDERR, length);
  memcpy(owner->head + HEADER_BYTES, buffer_front(&streams->error), length);
  buffer_consume(&streams->error, length);
  return true;
}

static bool begin_exit(Owner *owner, const Streams *streams, const Server *server) {
  if (owner->exit_told || !server->has_exited || !streams->output_is_over || server->error >= 0) return false;
  bool is_signal = WIFSIGNALED(server->status);
  begin_frame(owner, FRAME_EXIT, EXIT_BYTES);
  put_u32(owner->head + HEADER_BYTES, is_signal ? 0 : (uint32_t)WEXITSTATUS(server->status));
  put_u32(owner->head + HEADER_BYTES + 4, is_signal ? (uint32_t)WTERMSIG(server->status) : 0);
  owner->exit_told = true;
  return true;
}

static bool begin_output_end(Owner *owner, const Streams *streams, const Server *server) {
  if (owner->output_end_told || !streams->output_end_is_due || server->has_exited) return false;
  begin_frame(owner, FRAME_OUTPUT_END, 0);
  owner->output_end_told = true;
  return true;
}

// Output first: a flood of stderr must not hold it up.
static bool begin_next(Owner *owner, Streams *streams, const Server *server, uint64_t now_ms) {
  return begin_output(owner, streams) ||
         begin_number(owner, FRAME_TAKEN, &streams->input_written, TAKEN_STEP_BYTES) ||
         begin_error(owner, streams, server, now_ms) || begin_output_end(owner, streams, server) ||
         begin_exit(owner, streams, server);
}

static void was_sent(Owner *owner, size_t count) {
  size_t head_left = owner->head_length - owner->head_done;
  size_t of_head = count < head_left ? count : head_left;
  owner->head_done += of_head;
  owner->body_left -= count - of_head;
  owner->sent += count - of_head;
}

void owner_send(Owner *owner, Streams *streams, const Server *server, uint64_t now_ms) {
  while (owner->fd >= 0) {
    if (!owner_waits_for_room(owner)) {
      if (!owner->is_welcome || !begin_next(owner, streams, server, now_ms)) return;
    }
    struct iovec parts[2] = {
        {owner->head + owner->head_done, owner->head_length - owner->head_done},
        {owner->body_left == 0 ? NULL : buffer_front(&streams->output) + (owner->sent - streams->output_first),
         owner->body_left},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t count = sendmsg(owner->fd, &message, MSG_NOSIGNAL);
    if (count >= 0) {
      was_sent(owner, (size_t)count);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      owner_hang_up(owner, streams);
    }
  }
}
