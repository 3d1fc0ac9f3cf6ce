#!/bin/sh
# Healthy: a command with the password is answered.
REDISCLI_AUTH=$(cat /secret/redis-password) exec redis-cli --no-auth-warning ping | grep -qx PONG
