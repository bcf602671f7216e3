# shellcheck shell=bash
# What the scripts share: the package list, the builds, messages. Sourced, never run.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${SWARMDNS_BUILD:-$ROOT/build}
export ROOT BUILD

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die "this needs root (it installs packages and makes network namespaces): run it with sudo"
}

# packages SECTION...: the names in those sections of scripts/packages.txt.
packages() {
  local wanted=" $* "
  local section='' line
  while IFS= read -r line; do
    line=${line%%#*}
    line=${line//[[:space:]]/}
    case $line in
      '') ;;
      \[*\]) section=${line#\[} section=${section%\]} ;;
      *) case $wanted in *" $section "*) printf '%s\n' "$line" ;; esac ;;
    esac
  done <"$ROOT/scripts/packages.txt"
}

# install_packages SECTION...: what of those sections is not installed yet; asks apt only when something is missing.
install_packages() {
  local missing=() name
  while IFS= read -r name; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "${name%%/*}" 2>/dev/null)" = installed ] || missing+=("$name")
  done < <(packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  need_root
  say "installing ${#missing[@]} packages ($*)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >/dev/null || die "apt-get update failed: check /etc/apt/sources.list and the network"
  # Name servers that come with the packages must not start and take port 53 of this machine, not at its next start
  # either. Those that were there before are the operator's.
  local policy=/usr/sbin/policy-rc.d made=0
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && made=1
  fi
  local rc=0
  apt-get -q install -y --no-install-recommends "${missing[@]}" >/tmp/swarmdns-apt.log 2>&1 || rc=$?
  [ $made -eq 0 ] || rm -f $policy
  [ $rc -eq 0 ] || {
    tail -20 /tmp/swarmdns-apt.log >&2
    die "apt-get install failed; its whole output is in /tmp/swarmdns-apt.log"
  }
  command -v systemctl >/dev/null || return 0  # a root without systemd starts nothing
  for name in "${missing[@]}"; do
    case $name in
      bind9) systemctl -q disable named.service ;;
      nsd | knot | unbound | dnsdist) systemctl -q disable "$name.service" ;;
    esac 2>>/tmp/swarmdns-apt.log || die "could not disable the service of $name; see the end of /tmp/swarmdns-apt.log"
  done
}

# ccache is used when it is there; a clean clone then builds in a fraction of the time.
use_ccache() {
  if command -v ccache >/dev/null; then
    export CC="ccache ${CC:-gcc}" CXX="ccache ${CXX:-g++}"
    export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1 CCACHE_COMPILERCHECK=content
  fi
}

# build DIR MESON_OPTIONS... -- TARGETS...: configures once, builds; no targets means all.
build() {
  local dir=$1 options=() targets=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
  [ $# -eq 0 ] || shift
  targets=("$@")
  if [ -f "$dir/build.ninja" ]; then
    meson setup --reconfigure "$dir" "$ROOT" "${options[@]}" >"$dir/reconfigure.log" 2>&1 ||
      { tail -30 "$dir/reconfigure.log" >&2; die "meson could not configure $dir"; }
  else
    mkdir -p "$dir"
    meson setup "$dir" "$ROOT" "${options[@]}" >"$dir/configure.log" 2>&1 ||
      { tail -30 "$dir/configure.log" >&2; die "meson could not configure $dir (packages: scripts/packages.txt)"; }
  fi
  ninja -C "$dir" "${targets[@]}" >"$dir/build.log" 2>&1 ||
    { tail -60 "$dir/build.log" >&2; die "the build in $dir failed; its whole output is in $dir/build.log"; }
}
