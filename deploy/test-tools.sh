#!/bin/sh
# Installs what the tests drive besides Python packages, where this user may; says what
# the tests will have to leave out where not.
missing=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing="$missing chromium"
{ command -v mosquitto || [ -x /usr/sbin/mosquitto ]; } >/dev/null 2>&1 || missing="$missing mosquitto"
command -v mosquitto_pub >/dev/null 2>&1 || missing="$missing mosquitto-clients"
command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
for one in nginx:nginx-light nft:nftables chronyd:chrony systemd-analyze:systemd; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${one%%:*}" >/dev/null 2>&1 || missing="$missing ${one##*:}"
done
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v strace >/dev/null 2>&1 || missing="$missing strace"
fc-list ':lang=zh' 2>/dev/null | grep -q . || missing="$missing fonts-wqy-zenhei"

# Prometheus' package would start a server: the one program of it that the tests run is unpacked and not installed.
tools="$(cd "$(dirname "$0")/.." && pwd)/.venv/share/ringward/tools"
unpack_promtool() {
  folder=$(mktemp -d) || return 1
  ( cd "$folder" && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } &&
    dpkg-deb -x prometheus_*.deb . && mkdir -p "$tools" && cp usr/bin/promtool "$tools/" ) >/dev/null 2>&1
  ended=$?
  rm -rf "$folder"
  return $ended
}
without=""
command -v promtool >/dev/null 2>&1 || [ -x "$tools/promtool" ] || unpack_promtool || without=yes
if [ -n "$without" ]; then
  echo "Without promtool (apt-get download prometheus, and its promtool into $tools): tests of alert rules are skipped."
  [ -n "$CI" ] && exit 1
fi

[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing:$missing"
  # shellcheck disable=SC2086
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "Not installed:$missing - tests that need them are skipped by name. To run them too:"
echo "  sudo apt-get install$missing"
[ -z "$CI" ]
