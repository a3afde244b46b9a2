#!/usr/bin/env bash
# run.sh: whether our MCP servers, our gateway and our client understand independent ones: the Python
# SDKs of both eras, as clients and as servers. Needs a Docker engine (DOCKER_HOST) and the built
# program; `scripts/testbed.sh scripts/interop/run.sh` gives both when target/debug is built.
#
# What it installs stands under target/interop and is used again. The last line is that of a test
# binary of cargo's, so that scripts/test.sh adds it up. What cannot be installed
# is skipped with its reason; with CI=true that is a failure.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/interop/lib.bash
source "$HERE/lib.bash"
# shellcheck source=scripts/lib/engine.bash
source "$HERE/../lib/engine.bash"

export INTEROP_TOKEN='a token for these tests only'
CONTAINER=interop-$$
SOCKET=${DOCKER_HOST#unix://}

# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
  end_servers
  local name
  for name in $(api "$SOCKET" GET '/containers/json?all=true' 2>/dev/null |
    grep -oE "\"/?${CONTAINER}[^\"]*\"" | tr -d '"/' | sort -u); do
    api "$SOCKET" DELETE "/containers/$name?force=true&v=true" >/dev/null || true
  done
  rm -rf "$work"
}

start_container() {
  local body
  body=$(printf '{"Image":"%s","Cmd":["sh","-c","exec sleep 3600"],"StopSignal":"SIGKILL","Labels":{"sre-sentinel.monitor":"true"}}' \
    "${SENTINEL_TEST_IMAGE:?run this by scripts/testbed.sh}")
  api "$SOCKET" POST "/containers/create?name=$CONTAINER" \
    --header 'Content-Type: application/json' --data "$body" >/dev/null
  api "$SOCKET" POST "/containers/$CONTAINER/start" >/dev/null
  export INTEROP_CONTAINER=$CONTAINER
}

# Their clients before our servers: over standard input and output, over HTTP, through our gateway.
their_clients() {
  local sdk name
  serve docker-control "$SENTINEL" mcp-server docker-control --listen-http 127.0.0.1:0
  local control=$served
  serve config-patcher "$SENTINEL" mcp-server config-patcher --listen-http 127.0.0.1:0
  local patcher=$served
  serve gateway "$SENTINEL" gateway --listen 127.0.0.1:0 --calls-per-minute 1000
  local gateway=$served
  for sdk in v1 v2; do
    for name in docker-control config-patcher; do
      checks "$sdk client, $name over stdio" "$(python_of "$sdk")" "$HERE/client_$sdk.py" \
        "$sdk client, $name over stdio" "$name" stdio "$SENTINEL" mcp-server "$name"
    done
    checks "$sdk client, docker-control over HTTP" "$(python_of "$sdk")" "$HERE/client_$sdk.py" \
      "$sdk client, docker-control over HTTP" docker-control http "http://$control/mcp"
    checks "$sdk client, config-patcher over HTTP" "$(python_of "$sdk")" "$HERE/client_$sdk.py" \
      "$sdk client, config-patcher over HTTP" config-patcher http "http://$patcher/mcp"
    checks "$sdk client, our gateway" "$(python_of "$sdk")" "$HERE/client_$sdk.py" \
      "$sdk client, our gateway" gateway http "$gateway"
  done
  end_servers
}

# Our client before their servers: started by the catalogue, and at an address.
their_servers() {
  local sdk
  {
    echo 'registry:'
    for sdk in v1 v2; do
      printf '  %s-stdio:\n    x-sentinel: {exec: ["%s", "%s"]}\n' \
        "$sdk" "$(python_of "$sdk")" "$HERE/server_$sdk.py"
    done
  } >"$work/stdio.yaml"
  our_client 'stdio' "$work/stdio.yaml"
  local v1 v2
  v1=$(free_port) v2=$(free_port)
  start v1-server "$(python_of v1)" "$HERE/server_v1.py" "$v1"
  start v2-server "$(python_of v2)" "$HERE/server_v2.py" "$v2"
  wait_until 60 listens "$v1"
  wait_until 60 listens "$v2"
  printf 'registry:\n  v1-http: {remote: {url: "http://127.0.0.1:%s/mcp", transport_type: http}}\n  v2-http: {remote: {url: "http://127.0.0.1:%s/mcp", transport_type: http}}\n' \
    "$v1" "$v2" >"$work/http.yaml"
  our_client 'HTTP' "$work/http.yaml"
  # Through our gateway, which knows them from the same catalogue.
  serve python-gateway env SENTINEL_CATALOG="$work/http.yaml" "$SENTINEL" gateway --listen 127.0.0.1:0
  printf 'registry:\n' >"$work/documented.yaml"
  for sdk in v1 v2; do
    printf '  %s: {title: x, tools: [%s_add, %s_fail, %s_steps]}\n' "$sdk" "$sdk" "$sdk" "$sdk"
  done >>"$work/documented.yaml"
  MCP_GATEWAY_URL=$served our_client 'our gateway' "$work/documented.yaml"
  end_servers
}

# our_client WAY CATALOGUE: `tools list` and `tools call` with a catalogue.
our_client() {
  local way=$1 sdk out
  export SENTINEL_CATALOG=$2
  out=$("$SENTINEL" tools list 2>"$work/err") || true
  for sdk in v1 v2; do
    expect "our client, $sdk server over $way: lists" "${sdk}_add" <<<"$out"
    out_of "our client, $sdk server over $way: calls" '"result": 5' 0 \
      "$SENTINEL" tools call "${sdk}_add" '{"a": 2, "b": 3}'
    out_of "our client, $sdk server over $way: a failure is one" '"success": false|rror' 1 \
      "$SENTINEL" tools call "${sdk}_fail" '{}'
    out_of "our client, $sdk server over $way: progress does no harm" 'three steps' 0 \
      "$SENTINEL" tools call "${sdk}_steps" '{}'
    out_of "our client, $sdk server over $way: wrong arguments are not sent" '' 1 \
      "$SENTINEL" tools call "${sdk}_add" '{"a": "x"}'
  done
  unset SENTINEL_CATALOG
}

# Our client before a gateway behind TLS: with the authority that signed it, and without.
over_tls() {
  command -v openssl >/dev/null || cannot_run 'openssl is not installed'
  local new=(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2)
  {
    "${new[@]}" -subj '/CN=authority of tests' -keyout "$work/ca.key" -out "$work/ca.pem" &&
      "${new[@]}" -subj '/CN=localhost' -addext 'subjectAltName=DNS:localhost' \
        -addext 'basicConstraints=critical,CA:FALSE' -CA "$work/ca.pem" -CAkey "$work/ca.key" \
        -keyout "$work/key.pem" -out "$work/cert.pem"
  } >"$work/openssl.log" 2>&1 || give_up "openssl made no certificate: $(tail -n 1 "$work/openssl.log")"
  serve tls-gateway "$SENTINEL" gateway --listen 127.0.0.1:0
  local port plain=${served#http://127.0.0.1:}
  port=$(free_port)
  start tls "$(python_of v2)" "$HERE/tls_front.py" "$port" "$work/cert.pem" "$work/key.pem" \
    127.0.0.1 "${plain%/mcp}"
  wait_until 30 listens "$port"
  export MCP_GATEWAY_URL=https://localhost:$port
  out_of 'our client, a gateway over TLS: calls' '"success": true' 0 env SSL_CERT_FILE="$work/ca.pem" \
    "$SENTINEL" tools call health_check "{\"container_name\": \"$CONTAINER\"}"
  out_of 'our client, a gateway over TLS: an unknown authority is refused' 'is not trusted, or not for that name' 0 \
    "$SENTINEL" tools list
  unset MCP_GATEWAY_URL
  end_servers
}

trap clean_up EXIT
[[ -z ${SENTINEL_TEST_NO_ENGINE:-} ]] || cannot_run "no Docker engine can run here: $SENTINEL_TEST_NO_ENGINE"
export MCP_GATEWAY_AUTH_TOKEN=$INTEROP_TOKEN MCP_SERVER_AUTH_TOKEN=$INTEROP_TOKEN
export SENTINEL_STATE_DIR=$work/state
install_python v1
install_python v2
start_container
their_clients
their_servers
over_tls
sum_up 'interop with the Python SDKs'
