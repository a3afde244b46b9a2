#!/usr/bin/env bash
# examples.sh: puts what the example MCP servers need under target/examples (kept from run to run), and
# tries all their tools with the built sentinel-tui: list, call, refusal under --read-only. Needs cargo,
# python3 with venv, node 18 or newer with npm; no Docker engine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
EXAMPLES=mcp-servers/examples HOME_OF_ALL=target/examples

say() { printf 'examples.sh: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# is_new STAMP FILE…: whether a file is newer than what was made from it.
is_new() {
  local stamp=$1 file
  shift
  for file in "$@"; do [[ -e $stamp && ! $file -nt $stamp ]] || return 0; done
  return 1
}

prepare() {
  cargo build -q --locked -p notes-server -p sentinel-tui --bins
  mkdir -p "$HOME_OF_ALL/node"
  if is_new "$HOME_OF_ALL/venv/.made" "$EXAMPLES/python/requirements.txt"; then
    python3 -m venv "$HOME_OF_ALL/venv"
    "$HOME_OF_ALL/venv/bin/pip" install -q --disable-pip-version-check \
      -r "$EXAMPLES/python/requirements.txt"
    touch "$HOME_OF_ALL/venv/.made"
  fi
  if is_new "$HOME_OF_ALL/node/.made" "$EXAMPLES/node/package-lock.json"; then
    cp "$EXAMPLES/node/package.json" "$EXAMPLES/node/package-lock.json" "$HOME_OF_ALL/node/"
    npm ci --silent --ignore-scripts --no-audit --no-fund --prefix "$HOME_OF_ALL/node"
    touch "$HOME_OF_ALL/node/.made"
  fi
  cp "$EXAMPLES/node/server.mjs" "$HOME_OF_ALL/node/"
}

# sentinel ARGUMENT…: the built program with the example servers and a state folder of its own.
sentinel() {
  SENTINEL_CATALOG=$EXAMPLES/catalog.yaml DOCKER_HOST=unix:///nonexistent/engine.sock \
    NOTES_DIR=$place/notes MAINTENANCE_FILE=$place/maintenance OUTBOX_FILE=$place/outbox \
    ALLOWED_HOSTS=127.0.0.1:$port target/debug/sentinel-tui --state-dir "$place/state" "$@"
}

# good TOOL ARGUMENTS WORD: the call works, and its answer holds the word.
good() {
  local said
  said=$(sentinel tools call "$1" "$2") || fail "$1 $2: $said"
  grep -qF -- "$3" <<<"$said" || fail "$1 $2: no $3 in $said"
}

# bad ARGUMENT… WORD: it does not work, and says the word.
bad() {
  local word=${*: -1} said
  if said=$(sentinel tools call "${@:1:$#-1}" 2>&1); then fail "$* worked: $said"; fi
  grep -qF -- "$word" <<<"$said" || fail "$*: no $word in $said"
}

place=$(mktemp -d)
port=0 page=''
trap '[[ -z $page ]] || kill "$page"; rm -rf "$place"' EXIT

prepare
# A page to check, on a port that the system chooses.
python3 -u -c '
import http.server
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_address[1], flush=True)
server.serve_forever()' >"$place/port" 2>/dev/null &
page=$!
until [[ -s $place/port ]]; do kill -0 "$page"; sleep 0.05; done
port=$(<"$place/port")

listed=$(sentinel tools list)
for tool in list_notes add_note host_load set_maintenance check_url send_message; do
  grep -q "^$tool " <<<"$listed" || fail "$tool is not listed: $listed"
done
good add_note '{"service":"api","text":"restart the queue first"}' 'was added'
good list_notes '{"service":"api"}' 'restart the queue first'
good host_load '{}' '"available"'
good set_maintenance '{"on":true,"reason":"disk"}' 'maintenance is on'
[[ -e $place/maintenance ]] || fail 'set_maintenance did nothing'
good check_url "{\"url\":\"http://127.0.0.1:$port/\"}" '"status": 200'
good send_message '{"text":"api is back"}' 'outbox'
grep -q 'api is back' "$place/outbox" || fail 'send_message did nothing'
# What a schema does not allow is not sent; what a server refuses is a failure.
bad list_notes '{"service":"../x"}' 'schema'
bad add_note '{"service":"api"}' 'schema'
bad check_url '{"url":"http://169.254.169.254/"}' 'not an allowed host'
# A tool that sentinel-tui does not know is R3, whatever it says of itself.
for call in 'add_note {"service":"api","text":"x"}' 'set_maintenance {"on":false}' 'send_message {"text":"x"}' 'host_load {}'; do
  bad "${call%% *}" "${call#* }" --read-only read_only
done
[[ -e $place/maintenance ]] || fail '--read-only changed something'
cargo test -q --locked -p sentinel-core --lib policy::risk >/dev/null || fail 'unknown tools are not R3'
sentinel audit verify
echo 'examples.sh: three servers, six tools: all as they should be'
