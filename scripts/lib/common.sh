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

# is_installed NAME[/SUITE]: one that is taken from a suite counts only in that suite's version.
is_installed() {
  case "$(dpkg-query -W -f='${db:Status-Status} ${Version}' "${1%%/*}" 2>/dev/null) $1" in
    'installed '*~bpo*/bookworm-backports) return 0 ;;
    'installed '*/bookworm-backports) return 1 ;;
    'installed '*) return 0 ;;
    *) return 1 ;;
  esac
}

# Debian's backports, from where this machine gets Debian itself, unless a source of it is there already.
add_backports() {
  local file=/etc/apt/sources.list.d/swarmdns-backports.sources mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
  ! apt-cache policy | grep -q 'n=bookworm-backports' || return 0
  # shellcheck disable=SC2016  # they are variables of apt
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' | awk '$2 == "bookworm" { print $1; exit }')
  [ -n "$mirror" ] || die "no source of Debian 12 (bookworm) in /etc/apt: packages of bookworm-backports cannot be found"
  printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\n' "${mirror%/}" >$file
  [ ! -e $keys ] || printf 'Signed-By: %s\n' $keys >>$file
  update_lists
}

update_lists() {
  apt-get -q update >/dev/null || die "apt-get update failed: check /etc/apt/sources.list and the network"
}

# install_packages SECTION...: what of those sections is not installed yet; asks apt only when something is missing.
install_packages() {
  local missing=() name
  while IFS= read -r name; do
    is_installed "$name" || missing+=("$name")
  done < <(packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  need_root
  say "installing ${#missing[@]} packages ($*)"
  export DEBIAN_FRONTEND=noninteractive
  update_lists
  case " ${missing[*]} " in *'/bookworm-backports '*) add_backports ;; esac
  # Servers that come with the packages must not start and take port 53 of this machine, say, not at its next start
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
      etcd-server) systemctl -q disable etcd.service ;;
      memcached) systemctl -q disable memcached.service ;;
      swift-*) dpkg -L "$name" | sed -n 's|^/lib/systemd/system/\([^@]*\.service\)$|\1|p' | xargs -r systemctl -q disable ;;
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
