// What proves to the orchestrator that this is the replica it started, and nobody inside of it.
#ifndef GANTRY_SECRET_H
#define GANTRY_SECRET_H

#include <stdbool.h>
#include <stdint.h>

// Closes this process to others of the same user: /proc/1/environ, mem and fd, ptrace and the like.
bool close_to_others(void);
// Takes the secret out of the environment: it is overwritten where the kernel put it, and the server does not inherit it.
bool take_secret(uint8_t *secret);

#endif
