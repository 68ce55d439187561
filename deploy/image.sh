#!/usr/bin/env bash
# Builds deploy/Dockerfile: deploy/image.sh [NAME]; `make image` calls it.
#
#   BASE_IMAGE     what to build on (debian:trixie-slim); where it cannot be had and
#                  debootstrap is installed, a Debian 13 is made instead, as root
#   CONTAINER      docker or podman; the first of them that works
#   BUILD_OPTIONS  more options for its build, such as --build-arg PIP_INDEX_URL=…
set -euo pipefail
cd "$(dirname "$0")/.."

name=${1:-graft}
base=${BASE_IMAGE:-docker.io/library/debian:trixie-slim}
made=localhost/graft-debian:trixie

answers() { command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1; }

tools=${CONTAINER:-docker podman}
tool=
for each in $tools; do
  if [ -z "$tool" ] && answers "$each"; then tool=$each; fi
done
if [ -z "$tool" ]; then
  echo "image: does not work here: $tools; on Debian: apt-get install podman runc" >&2
  exit 2
fi

have() { "$tool" image inspect "$1" >/dev/null 2>&1; }

if ! have "$base" && ! "$tool" pull --quiet "$base"; then
  if [ -n "${BASE_IMAGE:-}" ] || ! command -v debootstrap >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "image: $base cannot be had. Set BASE_IMAGE to a Debian 13 that can," >&2
    echo "  or as root: apt-get install debootstrap, and one is made from Debian's packages" >&2
    exit 2
  fi
  if ! have "$made"; then
    echo "image: no registry answers; making Debian 13 by debootstrap"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    debootstrap --variant=minbase --include=ca-certificates trixie "$folder/root" >"$folder/log" ||
      { tail -n 20 "$folder/log" >&2; exit 1; }
    rm -rf "$folder"/root/var/cache/apt/archives/*.deb
    tar -C "$folder/root" -c . | "$tool" import - "$made" >/dev/null
  fi
  base=$made
fi

options=(--network host)
# The certificates that this machine trusts, where it was told so.
if [ "$tool" = podman ] && [ -n "${SSL_CERT_FILE:-}" ]; then
  options+=(--volume "$(realpath "$SSL_CERT_FILE"):/run/graft-certificates.pem:ro"
    --build-arg SSL_CERT_FILE=/run/graft-certificates.pem
    --build-arg PIP_CERT=/run/graft-certificates.pem)
fi
# shellcheck disable=SC2086 # several options in one variable
"$tool" build "${options[@]}" ${BUILD_OPTIONS:-} \
  --build-arg "BASE_IMAGE=$base" --tag "$name" --file deploy/Dockerfile .
echo "image: $name"
