#!/bin/sh
# journald -> aep-agent, through a pipe; the agent's side is program.yaml.
#
# For programs under systemd that print a JSON record a line: `--output=cat` gives just what they
# printed. `--output=json` makes a record of the whole journal entry instead.
#
# journalctl is called again and again rather than with --follow, for only at its end does it note
# how far it has come: a restart goes on there. What was in the pipe when the agent was killed
# (kill -9) is lost; `systemctl stop` loses nothing.

while sleep 1; do
    journalctl --cursor-file=/var/lib/aep-agent/journal.cursor --lines=all --quiet \
        --unit=shop.service --output=cat || exit
done | /usr/bin/aep-agent run /etc/aep-agent/program.yaml
