# shellcheck shell=bash
# What the scripts of this directory share; sourced, not run.

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

as_root() {
  if [ "$EUID" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install() { # PACKAGE...
  command -v apt-get >/dev/null || fail "install what Debian calls $*, then run this again"
  # A fresh machine has no package lists, an older one lists of packages that are gone.
  { as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
    </dev/null >/dev/null || fail "apt-get could not install $*"
}

need() { # COMMAND PACKAGE...
  local command=$1
  shift
  command -v "$command" >/dev/null || install "$@"
}

need_python() {
  # Debian splits the part that makes a virtual environment off the interpreter.
  python3 -c 'import ensurepip' 2>/dev/null || install python3 python3-venv
}
