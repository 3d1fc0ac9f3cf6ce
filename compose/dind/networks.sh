# The two networks a container may be given; every other one has none. On both, containers cannot see each other.
# Bridge names are fixed, so that the firewall and people reading it can tell them apart.

make_networks() {
  wait_for_engine
  make_network gantry-install gnt-install
  make_network gantry-internet gnt-internet
}

wait_for_engine() {
  local attempt
  for attempt in $(seq 300); do
    if docker version >/dev/null 2>&1; then
      return 0
    fi
    sleep 0.2
  done
  echo "networks: the engine does not answer after $attempt attempts" >&2
  return 1
}

# $1: name of the network, $2: name of its bridge.
make_network() {
  if ! docker network inspect "$1" >/dev/null 2>&1; then
    docker network create --driver bridge --opt "com.docker.network.bridge.name=$2" \
      --opt com.docker.network.bridge.enable_icc=false \
      --opt "com.docker.network.driver.mtu=$(cat /sys/class/net/eth0/mtu)" "$1" >/dev/null
  fi
}
