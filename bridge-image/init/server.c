#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  int input[2];
  int output[2];
  int error[2];
  int failure[2];  // carries the errno of a failed exec; closed by one that works
} Pipes;

static void close_pipe(int *ends) {
  for (int i = 0; i < 2; i++) {
    if (ends[i] >= 0) close(ends[i]);
  }
}

static void close_all(Pipes *pipes) {
  close_pipe(pipes->input);
  close_pipe(pipes->output);
  close_pipe(pipes->error);
  close_pipe(pipes->failure);
}

static bool open_all(Pipes *pipes) {
  *pipes = (Pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
  return pipe2(pipes->input, O_CLOEXEC) == 0 && pipe2(pipes->output, O_CLOEXEC) == 0 &&
         pipe2(pipes->error, O_CLOEXEC) == 0 && pipe2(pipes->failure, O_CLOEXEC) == 0;
}

// In the child: everything but the three standard streams is closed by exec.
static _Noreturn void become_server(const Pipes *pipes, char **command) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  if (dup2(pipes->input[0], 0) == 0 && dup2(pipes->output[1], 1) == 1 && dup2(pipes->error[1], 2) == 2) {
    execvp(command[0], command);
  }
  int why = errno;
  ssize_t written = write(pipes->failure[1], &why, sizeof why);
  _exit(written == sizeof why ? 127 : 126);
}

int server_spawn(Server *server, char **command) {
  Pipes pipes;
  pid_t pid = open_all(&pipes) ? fork() : -1;
  if (pid < 0) {
    int why = errno;
    close_all(&pipes);
    return why;
  }
  if (pid == 0) become_server(&pipes, command);
  setpgid(pid, pid);  // here too: whoever comes first
  close(pipes.failure[1]);
  pipes.failure[1] = -1;
  int why = 0;
  ssize_t got = read(pipes.failure[0], &why, sizeof why);
  if (got == sizeof why) {
    waitpid(pid, NULL, 0);
    close_all(&pipes);
    return why;
  }
  close(pipes.failure[0]);
  close(pipes.input[0]);
  close(pipes.output[1]);
  close(pipes.error[1]);
  *server = (Server){.pid = pid, .input = pipes.input[1], .output = pipes.output[0], .error = pipes.error[0]};
  int ours[] = {server->input, server->output, server->error};
  for (int i = 0; i < 3; i++) fcntl(ours[i], F_SETFL, fcntl(ours[i], F_GETFL) | O_NONBLOCK);
  return 0;
}

bool server_reap(Server *server) {
  bool found = false;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != server->pid) continue;
    server->has_exited = found = true;
    server->status = status;
  }
  return found;
}

void server_signal(const Server *server, int number) {
  if (server->pid > 0 && !server->has_exited) kill(-server->pid, number);
}

void server_close_input(Server *server) {
  if (server->input >= 0) close(server->input);
  server->input = -1;
}

int server_exit_code(const Server *server) {
  return WIFSIGNALED(server->status) ? 128 + WTERMSIG(server->status) : WEXITSTATUS(server->status);
}
