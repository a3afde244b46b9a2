#!/bin/sh
# Builds an image for every folder here that has a Cargo.toml or a Dockerfile, named
# mcp-servers/FOLDER:latest, for Docker's MCP gateway; works from any folder.
#
#   mcp-servers/build-servers.sh             build all
#   mcp-servers/build-servers.sh NAME...     build these
#
# A folder with a Cargo.toml is built here with cargo, as one static binary (glibc, +crt-static), and
# copied into an empty image: no registry is asked. A library has nothing to run and is skipped. A
# folder with a Dockerfile alone is its own context, and gets what that asks for.
# DOCKER and CARGO name other programs to use, PROFILE another profile than release.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$here")
docker=${DOCKER:-docker}
cargo=${CARGO:-cargo}
profile=${PROFILE:-release}

say() { echo "build-servers.sh: $*" >&2; }

case "$(uname -m)" in
    x86_64 | amd64) target=x86_64-unknown-linux-gnu ;;
    aarch64 | arm64) target=aarch64-unknown-linux-gnu ;;
    *) say "no static target known for $(uname -m)"; exit 1 ;;
esac
[ "$(uname -s)" = Linux ] || {
    say "build on Linux; the images hold Linux binaries"
    exit 1
}

# What there is to build, one name a line.
servers() {
    for folder in "$here"/*/; do
        folder=${folder%/}
        if [ -f "$folder/Cargo.toml" ] || [ -f "$folder/Dockerfile" ]; then
            basename -- "$folder"
        fi
    done
}

# The name of the package in a folder.
package() { sed -n 's/^name = "\(.*\)"$/\1/p' "$here/$1/Cargo.toml" | head -n 1; }

# A static binary and an empty folder for its state, in a context of their own.
context() {
    crate=$(package "$1")
    # A folder of its own: other flags would otherwise rebuild everything each time.
    RUSTFLAGS="-C target-feature=+crt-static" "$cargo" build --profile "$profile" --locked \
        --manifest-path "$root/Cargo.toml" --target "$target" \
        --target-dir "$root/target/servers" -p "$crate" --bin "$crate" >&2
    mkdir -p "$work/$1"
    mkdir -m 700 "$work/$1/state"
    case $profile in dev) built=debug ;; *) built=$profile ;; esac
    cp "$root/target/servers/$target/$built/$crate" "$work/$1/server"
    if [ -f "$here/$1/Dockerfile" ]; then
        cp "$here/$1/Dockerfile" "$work/$1/Dockerfile"
    else
        printf 'FROM scratch\nCOPY server /server\nUSER 65534:65534\nENTRYPOINT ["/server"]\n' \
            >"$work/$1/Dockerfile"
    fi
}

all=$(servers)
# shellcheck disable=SC2086 # names of folders, one a word
[ $# -gt 0 ] || set -- $all
for server in "$@"; do
    echo "$all" | grep -qx -- "$server" || {
        say "no server $server ($(echo "$all" | tr '\n' ' '| sed 's/ $//'))"
        exit 2
    }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
for server in "$@"; do
    image=mcp-servers/$server:latest
    if [ ! -f "$here/$server/Cargo.toml" ]; then
        "$docker" build -q -t "$image" "$here/$server" >/dev/null
    elif [ ! -f "$here/$server/src/main.rs" ] && ! grep -q '^\[\[bin\]\]' "$here/$server/Cargo.toml"; then
        say "$server is a library: skipped"
        continue
    else
        context "$server"
        "$docker" build -q -t "$image" "$work/$server" >/dev/null
    fi
    echo "built $image"
done
