#!/bin/sh
# Puts aep-agent in place as a service of systemd, or takes it away again. Doing so twice changes nothing.
set -eu
umask 022

usage() {
  cat <<'END'
usage: install.sh [--from WHAT] [--python PYTHON]
       install.sh --uninstall [--purge]

Installs aep-agent into /opt/aep-agent, with all that it needs in a virtual environment of its own,
its units into /etc/systemd/system, its manual page and completions to where man, bash, zsh and fish
look for them, and, where there is none yet, /etc/aep-agent/aep-agent.yaml.
Run again, it brings another version: only when that is complete it takes the place of the one before,
and services that run are restarted, which loses no record.

  --from WHAT      a wheel, a checkout, or anything pip can install, such as aep-agent==0.1.0 or
                   'aep-agent[zstd]'. The default is the checkout that this script is in, or else
                   aep-agent from the package index
  --python PYTHON  Python 3.11 or newer, where the agent may read it: not in somebody's home
  --uninstall      stop the services and remove what was installed; configuration, credentials and the
                   records that wait stay
  --purge          remove those, too

Variables of pip count, as PIP_INDEX_URL, or PIP_NO_INDEX=1 with PIP_FIND_LINKS=DIRECTORY where there
is no network.
END
}

HERE=$(cd "$(dirname "$0")" && pwd)
TARGET=/opt/aep-agent
SETTINGS=/etc/aep-agent
UNITS=/etc/systemd/system
COMMAND=/usr/local/bin/aep-agent
PAGES='/usr/local/share/man/man1/aep-agent.1
/usr/local/share/bash-completion/completions/aep-agent
/usr/local/share/zsh/site-functions/_aep-agent
/etc/fish/completions/aep-agent.fish'
NAMES='aep-agent.service aep-agent.socket aep-agent@.service aep-agent@.socket'

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

main() {
  from='' python='' uninstall='' purge=''
  while [ $# -gt 0 ]; do
    case $1 in
      --from | --python)
        [ $# -ge 2 ] || fail "$1: what follows it is missing; see --help"
        if [ "$1" = --from ]; then from=$2; else python=$2; fi
        shift
        ;;
      --uninstall) uninstall=yes ;;
      --purge) purge=yes ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) fail "what is $1? See --help" ;;
    esac
    shift
  done
  [ -z "$purge" ] || [ -n "$uninstall" ] || fail "--purge goes with --uninstall"
  [ "$(id -u)" = 0 ] || fail "only root can do this: sudo $0"
  command -v systemctl >/dev/null || fail "there is no systemd here"
  if [ -n "$uninstall" ]; then
    uninstall
  else
    install_all
  fi
}

install_all() {
  python=$(chosen_python "$python")
  [ -n "$from" ] || from=$(default_source)
  put_program
  put_settings
  for name in $NAMES; do
    install -m 644 "$HERE/$name" "$UNITS/$name"
  done
  systemctl daemon-reload
  restart_running
  remove_former
  say "installed: $("$COMMAND" --version), in $TARGET"
  say "  1. write inlet and sources into $SETTINGS/aep-agent.yaml, and see what becomes of it:"
  say "     aep-agent check $SETTINGS/aep-agent.yaml"
  say "  2. systemctl enable --now aep-agent.socket aep-agent.service"
  say "  3. systemctl status aep-agent; journalctl -u aep-agent -p warning"
}

chosen_python() {
  for candidate in ${1:-/usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11}; do
    found=$(command -v "$candidate") || continue
    "$found" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    case $(readlink -f "$("$found" -c 'import sys; print(sys.executable)')") in
      /home/* | /root/*) ;; # the service could not read it
      *)
        say "$found"
        return
        ;;
    esac
  done
  fail "no Python 3.11 or newer, with venv, outside of /home and /root${1:+: $1}. Debian and Ubuntu have it" \
    "in python3-venv; another one is named by --python"
}

default_source() {
  if grep -qs '^name = "aep-agent"' "$HERE/../../pyproject.toml"; then
    cd "$HERE/../.." && pwd
  else
    say aep-agent
  fi
}

# A release is made in a directory of its own, where it stays; what leads to it changes in one step.
put_program() {
  mkdir -p "$TARGET/releases"
  release=$TARGET/releases/$(date -u +%Y%m%dT%H%M%S).$$
  trap 'rm -rf "$release"' EXIT
  trap 'exit 130' INT TERM HUP
  "$python" -m venv "$release"
  "$release/bin/python" -m pip install --quiet --disable-pip-version-check "$from"
  write_pages
  for part in bin share; do
    lead "releases/${release##*/}/$part" "$TARGET/$part"
  done
  trap - EXIT INT TERM HUP
  mkdir -p "$(dirname "$COMMAND")"
  lead "$TARGET/bin/aep-agent" "$COMMAND"
  for page in $PAGES; do
    mkdir -p "$(dirname "$page")"
    lead "$TARGET/share/${page##*/}" "$page"
  done
}

write_pages() { # what the program prints of itself, and so of its own version
  mkdir -p "$release/share"
  for page in $PAGES; do
    case $page in
      */man/*) set -- man ;;
      */bash-completion/*) set -- completion bash ;;
      */zsh/*) set -- completion zsh ;;
      */fish/*) set -- completion fish ;;
    esac
    "$release/bin/aep-agent" "$@" >"$release/share/${page##*/}"
  done
}

lead() { # a symbolic link at $2 to $1, whatever is there
  ln -sfn "$1" "$2.new"
  mv -Tf "$2.new" "$2"
}

put_settings() {
  mkdir -p "$SETTINGS"
  [ -e "$SETTINGS/aep-agent.yaml" ] || install -m 644 "$HERE/aep-agent.yaml" "$SETTINGS/aep-agent.yaml"
  install -d -m 700 "$SETTINGS/credentials"
  # the unit loads it, whether or not the configuration makes use of it
  [ -e "$SETTINGS/credentials/client_secret" ] ||
    install -m 600 /dev/null "$SETTINGS/credentials/client_secret"
}

remove_former() { # nothing runs from them any more
  for former in "$TARGET"/releases/*; do
    [ "$former" = "$release" ] || rm -rf "$former"
  done
}

services() { systemctl list-units --plain --no-legend --all 'aep-agent*' | sed -n 's/ .*//; /^aep-agent[.@]/p'; }

restart_running() {
  for name in $(services | grep '\.service$' || true); do
    systemctl try-restart "$name" || fail "$name does not start again: journalctl -u $name -n 20"
  done
}

uninstall() {
  for name in $(services) aep-agent.service aep-agent.socket; do
    systemctl disable --quiet --now "$name" 2>/dev/null || true
  done
  for name in $NAMES; do
    rm -f "$UNITS/$name" "$UNITS"/*.wants/"${name%.*}"*".${name##*.}"
  done
  systemctl daemon-reload
  for link in "$COMMAND" $PAGES; do
    case $(readlink "$link" || true) in "$TARGET"/*) rm -f "$link" ;; esac
  done
  rm -rf "$TARGET"
  if [ -n "$purge" ]; then
    rm -rf "$SETTINGS" /var/lib/private/aep-agent /var/lib/aep-agent
    rm -rf /var/lib/private/aep-agent-* /var/lib/aep-agent-* "$UNITS"/aep-agent*.d
    say "removed, with its configuration and every record that waited"
  else
    say "removed; what is in $SETTINGS and /var/lib/private/aep-agent* stays, --purge removes that, too"
  fi
}

main "$@"
