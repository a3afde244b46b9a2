#!/usr/bin/env bash
# api.sh [--short]: what others make of the API: schemathesis sends what its description allows and what it
# forbids, a headless Chromium opens the status page and must log no error. Needs a Docker engine
# (DOCKER_HOST) and the built program; `scripts/testbed.sh scripts/interop/api.sh` gives the engine.
#
# --short sends fewer requests. Where no Chromium is installed the page is skipped, and the reason is said;
# with CI=true that is a failure. The last line is that of a test binary of cargo's.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/interop/lib.bash
source "$HERE/lib.bash"
# shellcheck source=scripts/lib/engine.bash
source "$HERE/../lib/engine.bash"

CONTAINER=api-$$
SOCKET=${DOCKER_HOST#unix://}
EXAMPLES=50
[[ ${1:-} != --short ]] || EXAMPLES=5

# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
  end_servers
  api "$SOCKET" DELETE "/containers/$CONTAINER?force=true&v=true" >/dev/null 2>&1 || true
  rm -rf "$work"
}

# A container that dies with a last word, so that there is an incident to look at.
start_container() {
  local body
  body=$(printf '{"Image":"%s","Cmd":["sh","-c","echo ready; sleep 5; echo FATAL: lost the index; exit 7"],"Labels":{"sre-sentinel.monitor":"true","api-test":"%s"}}' \
    "${SENTINEL_TEST_IMAGE:?run this by scripts/testbed.sh}" "$CONTAINER")
  api "$SOCKET" POST "/containers/create?name=$CONTAINER" \
    --header 'Content-Type: application/json' --data "$body" >/dev/null
  api "$SOCKET" POST "/containers/$CONTAINER/start" >/dev/null
}

# shellcheck disable=SC2317,SC2329 # called by wait_until
incident() { curl -sf "http://127.0.0.1:$port/incidents" | grep -q '"state":"awaiting_approval"'; }

# run_page THEME: opens the page; what it shows stands in $work/THEME.html, what it logs in $work/THEME.log.
run_page() {
  local theme=$1 scheme=1
  [[ $theme != dark ]] || scheme=0
  timeout 90 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --enable-logging=stderr --user-data-dir="$work/browser" \
    --blink-settings=preferredColorScheme=$scheme --virtual-time-budget=20000 \
    --dump-dom "http://127.0.0.1:$port/" >"$work/$theme.html" 2>"$work/$theme.log" || true
  if grep -q CONSOLE "$work/$theme.log"; then
    bad "status page, $theme: no error is logged"
    grep CONSOLE "$work/$theme.log"
  else
    good "status page, $theme: no error is logged"
  fi
  expect "status page, $theme: shows the container" "$CONTAINER" <"$work/$theme.html"
  expect "status page, $theme: shows the incident and its plan" 'docker start' <"$work/$theme.html"
  expect "status page, $theme: marks the anomalous line" 'class="seen"[^>]*>[^<]*lost the index' <"$work/$theme.html"
}

trap clean_up EXIT
: >"$work/err"
install_python api
start_container
port=$(free_port)
start api env SENTINEL_LOCK_DIR="$work" "$SENTINEL" --state-dir "$work/state" --headless \
  --filter "label=api-test=$CONTAINER" --api "127.0.0.1:$port"
wait_until 60 incident || give_up 'there is no incident to look at'
token=$(cat "$work/state/api-token")

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -n $browser ]]; then
  run_page light
  run_page dark
elif [[ ${CI:-} == true ]]; then
  bad 'status page: no Chromium is installed'
else
  note 'SKIPPED: the status page, because no Chromium is installed'
  ignored=$((ignored + 1))
fi

# Without the token nothing but 401 comes of a change; with it whatever the description says.
who_asks=(owner anybody)
# Whoever shows wrong tokens is answered slowly, and it shows many.
[[ ${1:-} != --short ]] || who_asks=(owner)
for who in "${who_asks[@]}"; do
  # What the bounds on requests leave to each.
  headers=() pace=15/s
  if [[ $who == owner ]]; then headers=(--header "Authorization: Bearer $token") pace=40/s; fi
  # It keeps what failed in the folder that it is started in.
  if cd "$work" && timeout 600 "$(python_of api | sed 's/python$/st/')" run "http://127.0.0.1:$port/openapi.json" \
    ${headers[@]+"${headers[@]}"} --checks all --exclude-path /ws --max-examples "$EXAMPLES" \
    --rate-limit "$pace" --phases coverage,fuzzing --no-color >"$work/out" 2>&1; then
    good "schemathesis as $who"
  else
    bad "schemathesis as $who"
    tail -n 60 "$work/out"
  fi
done
end_servers
sum_up api.sh
