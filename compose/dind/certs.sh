# The engine's own certificate authority, and one certificate for each side. Elliptic keys: made in milliseconds.

# A subshell, so that the mask ends with it.
# $1: directory with the parts `ca`, `server` and `client`; only `client` is mounted into the orchestrator.
make_certificates() (
  local root=$1
  umask 077
  mkdir -p "$root/ca" "$root/server" "$root/client"
  if [ ! -s "$root/ca/cert.pem" ]; then
    new_key "$root/ca/key.pem"
    openssl req -new -x509 -sha256 -days 3650 -key "$root/ca/key.pem" -subj "/CN=gantry engine CA" \
      -addext "keyUsage=critical,keyCertSign,cRLSign" -out "$root/ca/cert.pem"
  fi
  # Made anew at every start, because it names the container's current addresses.
  sign "$root" server "subjectAltName=$(server_names)" serverAuth
  # 30 days before its end, a client certificate is replaced at the next start.
  if ! openssl x509 -checkend 2592000 -noout -in "$root/client/cert.pem" >/dev/null 2>&1; then
    sign "$root" client "subjectAltName=DNS:orchestrator" clientAuth
  fi
  # The orchestrator is not root and shares nothing else with this container: the files are its own, for reading only.
  chown -R 10001:10001 "$root/client"
  chmod 0500 "$root/client"
  chmod 0400 "$root/client"/*.pem
)

# $1: root, $2: part, $3: extension with the names, $4: extended key usage. Writes ca.pem, cert.pem and key.pem.
sign() {
  local dir="$1/$2"
  rm -f "$dir"/*.pem
  new_key "$dir/key.pem"
  openssl req -new -sha256 -key "$dir/key.pem" -subj "/CN=gantry $2" -out "$dir/request.pem"
  openssl x509 -req -sha256 -days 825 -in "$dir/request.pem" -CA "$1/ca/cert.pem" -CAkey "$1/ca/key.pem" \
    -set_serial "0x$(openssl rand -hex 16)" -out "$dir/cert.pem" \
    -extfile <(printf '%s\nextendedKeyUsage=%s\n' "$3" "$4") 2>/dev/null
  rm "$dir/request.pem"
  cp "$1/ca/cert.pem" "$dir/ca.pem"
}

new_key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

server_names() {
  local names="DNS:dind,DNS:localhost,DNS:$(hostname),IP:127.0.0.1" address
  for address in $(hostname -I); do
    names="$names,IP:$address"
  done
  echo "$names"
}
