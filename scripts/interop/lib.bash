# shellcheck shell=bash
# What run.sh and conformance.sh share: what they install, servers that they start, counting. Sourced.

ROOT=$(cd "$HERE/../.." && pwd)
SENTINEL=${CARGO_TARGET_DIR:-$ROOT/target}/debug/sentinel-tui
# Kept from run to run; CI caches target/.
CACHE=${CARGO_TARGET_DIR:-$ROOT/target}/interop

# Nothing is left in the source tree.
export PYTHONDONTWRITEBYTECODE=1

work=$(mktemp -d)
passed=0 failed=0 ignored=0
servers=() served=''

note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# give_up REASON: a failure that nothing can follow.
give_up() {
  note "$*"
  failed=$((failed + 1))
  sum_up "${0##*/}"
}

# cannot_run REASON: what cannot be installed here is skipped, and the reason is said; with CI=true
# that is a failure.
cannot_run() {
  [[ ${CI:-} != true ]] || give_up "$*"
  note "SKIPPED: $*"
  ignored=$((ignored + 1))
  sum_up "${0##*/}"
}

# sum_up WHAT: says the result as a test binary of cargo does, and ends.
sum_up() {
  local word=ok
  ((failed == 0)) || word=FAILED
  printf '\n%s\ntest result: %s. %s passed; %s failed; %s ignored; 0 measured; 0 filtered out\n' \
    "$1" "$word" "$passed" "$failed" "$ignored"
  ((failed == 0))
  exit
}

good() {
  passed=$((passed + 1))
  printf 'test %s ... ok\n' "$1"
}

bad() {
  failed=$((failed + 1))
  printf 'test %s ... FAILED\n' "$1"
}

# checks NAME COMMAND…: runs a program that says `ok WHAT` for each check and fails at the first that
# does not hold.
checks() {
  local name=$1 line
  shift
  if PYTHONPATH=$HERE timeout 120 "$@" >"$work/out" 2>"$work/err"; then :; else
    bad "$name"
    tail -n 15 "$work/err"
  fi
  while read -r line; do good "${line#ok }"; done < <(grep '^ok ' "$work/out")
}

# expect NAME PATTERN: whether standard input has a line like that.
expect() {
  if grep -qE -- "$2"; then good "$1"; else
    bad "$1"
    tail -n 5 "$work/err"
  fi
}

# out_of NAME PATTERN STATUS COMMAND…: runs it; both must be as expected.
out_of() {
  local name=$1 pattern=$2 expected=$3 status=0
  shift 3
  timeout 120 "$@" >"$work/out" 2>"$work/err" || status=$?
  if ((status == expected)) && cat "$work/out" "$work/err" | grep -qE -- "$pattern"; then
    good "$name"
  else
    bad "$name"
    printf 'status %s, expected %s and %s\n' "$status" "$expected" "$pattern"
    tail -n 5 "$work/out" "$work/err"
  fi
}

# start NAME COMMAND…: starts a server; its words stand in $work/NAME.log.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 </dev/null &
  servers+=($!)
}

# serve NAME COMMAND…: the same for one of ours, which says where it serves: `served`.
# shellcheck disable=SC2034 # for those who source this
serve() {
  start "$@"
  wait_until 60 grep -qs '^serving ' "$work/$1.log" || {
    cat "$work/$1.log" >&2
    give_up "$1 did not start"
  }
  served=$(sed -n 's/^serving .* at //p' "$work/$1.log" | head -n 1)
}

end_servers() {
  local pid
  for pid in ${servers[@]+"${servers[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in ${servers[@]+"${servers[@]}"}; do wait "$pid" 2>/dev/null || true; done
  servers=()
}

# shellcheck disable=SC2317,SC2329 # called by wait_until
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port that nobody listens on now.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); do
    listens "$port" || break
  done
  echo "$port"
}

python_of() { echo "$CACHE/python-$1/bin/python"; }

# install_python SDK: a virtual environment with what requirements-SDK.txt names, made once.
install_python() {
  local want=$HERE/requirements-$1.txt folder=$CACHE/python-$1
  if cmp -s "$want" "$folder/installed"; then return; fi
  rm -rf "$folder"
  mkdir -p "$CACHE"
  if ! python3 -m venv "$folder" >"$work/venv.log" 2>&1; then
    # Debian and Ubuntu have it as a package of its own.
    if ((EUID == 0)) && command -v apt-get >/dev/null; then
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends python3-venv </dev/null >>"$work/venv.log" 2>&1 || true
    fi
    rm -rf "$folder"
    python3 -m venv "$folder" >>"$work/venv.log" 2>&1 || {
      tail -n 5 "$work/venv.log" >&2
      cannot_run 'no Python environment can be made: install python3 with its venv module'
    }
  fi
  note "installing the Python SDK $1"
  "$folder/bin/pip" install --quiet --retries 2 --timeout 20 --disable-pip-version-check -r "$want" >&2 ||
    cannot_run "pip could not install what $want names"
  cp "$want" "$folder/installed"
}

[[ -x $SENTINEL ]] || give_up "$SENTINEL is not built: run cargo build"
