// The MCP server: one process in a group of its own, with pipes for its stdin, stdout and stderr.
#ifndef GANTRY_SERVER_H
#define GANTRY_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
  pid_t pid;  // 0 before it is spawned
  // Our ends of its pipes, none of which blocks; -1 once closed.
  int input;
  int output;
  int error;
  bool has_exited;
  int status;  // as wait(2) says it
} Server;

// Returns 0, or the errno of what did not work: then nothing runs. Exec included.
int server_spawn(Server *server, char **command);
// Reaps whatever has ended; orphans come to the first process of a container. True where the server is among them.
bool server_reap(Server *server);
void server_signal(const Server *server, int number);
void server_close_input(Server *server);
static inline bool server_is_spawned(const Server *server) { return server->pid > 0 || server->has_exited; }
// By convention of shells: the exit code, or 128 and the signal.
int server_exit_code(const Server *server);

#endif
