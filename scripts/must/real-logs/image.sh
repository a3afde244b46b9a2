#!/usr/bin/env bash
# image.sh FILE: writes the root file system of the services as a tar file, for `docker import`.
#
# Debian's own packages, from the mirror that this machine's apt is set to; no image registry. The
# four services and their clients share one file system: it is imported once, and a container is
# told its part by its command (see services/). Needs root, apt and debootstrap, and about 1 GB in
# $TMPDIR.
set -euo pipefail

# The release is pinned: other versions word their messages differently.
RELEASE=bookworm
PACKAGES=(postgresql-15 redis-server nginx-light rabbitmq-server
  python3-minimal python3-pika python3-psycopg2 python3-redis
  procps openssl curl)

fail() {
  printf 'image.sh: %s\n' "$*" >&2
  exit 1
}

# The mirror that this machine installs Debian packages from.
mirror() {
  find /etc/apt \( -name '*.sources' -o -name '*.list' \) -exec cat {} + |
    sed -nE 's,^(URIs:|deb)( \[[^]]*\])? *(https?://[^ ]*/debian)/?( .*)?$,\3,p' | sed -n 1p
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
  umount "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}

main() {
  local target uri
  (($# == 1)) || fail 'where to? e.g. image.sh services.tar'
  target=$(realpath -m "$1")
  ((EUID == 0)) || fail 'needs root: debootstrap makes device files and changes its root'
  command -v debootstrap >/dev/null || fail 'debootstrap is not installed: apt-get install debootstrap'
  uri=$(mirror)
  [[ -n $uri ]] || fail 'no Debian mirror is named in /etc/apt'
  work=$(mktemp -d "${TMPDIR:-/tmp}/sentinel-image.XXXXXX")
  root=$work/root
  trap clean_up EXIT

  debootstrap --variant=minbase "$RELEASE" "$root" "$uri" >"$work/log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 1 "$work/log")"
  # No package may start a service while it is installed.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  # The first cluster is made by our own command, with our own settings.
  mkdir -p "$root/etc/postgresql-common"
  printf 'create_main_cluster = false\n' >"$root/etc/postgresql-common/createcluster.conf"
  mount -t proc proc "$root/proc"
  DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$root" sh -c '
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' sh "${PACKAGES[@]}" \
    >>"$work/log" 2>&1 || fail "the packages could not be installed: $(tail -n 3 "$work/log")"
  umount "$root/proc"

  # What would name this machine or its mirror, and what nobody reads.
  rm -rf "$root"/var/{cache/apt,lib/apt/lists,log}/* "$root"/etc/{resolv.conf,hosts,hostname} \
    "$root"/etc/apt/sources.list* "$root"/usr/share/{doc,man,locale,info}/* \
    "$root"/var/lib/rabbitmq/* "$root"/var/lib/rabbitmq/.erlang.cookie
  mkdir -p "$root/srv"
  tar --create --file "$target" --numeric-owner -C "$root" .
}

work='' root=''
main "$@"
