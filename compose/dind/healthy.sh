#!/bin/sh
# Healthy: the engine answers and both networks exist, so a server can be installed and started.
exec docker network inspect gantry-install gantry-internet >/dev/null
