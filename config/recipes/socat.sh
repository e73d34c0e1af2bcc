#!/bin/sh
# Whatever a program prints, sent to the agent's Unix socket; the agent's side is unix.yaml.

socat -u - UNIX-CONNECT:/run/aep-agent/records.sock
