# What a container inside the engine may reach when it has a network: the internet, and nothing of the stack.
# It stands before dockerd starts, so there is no moment without it.

make_firewall() {
  use_iptables_that_work
  protect_engine iptables
  # Containers have no IPv6 address, but a bridge has a link-local one of its own.
  protect_engine ip6tables || echo "firewall: no ip6tables, and no IPv6 to protect either" >&2
  restrict_containers
}

# Old kernels know only the older kind of tables. dockerd follows the same choice.
use_iptables_that_work() {
  if ! iptables -w -nL INPUT >/dev/null 2>&1; then
    update-alternatives --set iptables /usr/sbin/iptables-legacy
    update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy
  fi
}

# The engine's own ports answer to the stack (eth*) alone, never to a bridge of its containers. $1: iptables or ip6tables.
protect_engine() {
  "$1" -w -F INPUT &&
    "$1" -w -A INPUT -i lo -j ACCEPT &&
    "$1" -w -A INPUT -i eth+ -j ACCEPT &&
    "$1" -w -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT &&
    "$1" -w -A INPUT -j DROP
}

# dockerd asks DOCKER-USER first and keeps what it finds there. Every subnet of the stack is closed, with the host's
# address in it, and so are the addresses where clouds hand out credentials (link-local, and those that Alibaba, Azure and
# Oracle chose outside of it).
restrict_containers() {
  iptables -w -N DOCKER-USER 2>/dev/null || iptables -w -F DOCKER-USER
  local subnet
  for subnet in $(stack_subnets) 169.254.0.0/16 100.100.100.200 168.63.129.16 192.0.0.192; do
    iptables -w -A DOCKER-USER ! -i eth+ -d "$subnet" -j DROP
  done
}

stack_subnets() {
  ip -4 -o route show scope link | awk '$3 ~ /^eth/ { print $1 }'
}
