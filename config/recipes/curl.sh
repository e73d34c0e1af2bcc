#!/bin/sh
# A file of records, posted to the agent; the agent's side is http.yaml.
#
# Answered with 200 once every record is on the agent's disk; curl tries again what was not answered,
# and what the agent asks to be sent later (429, 503).

curl --silent --show-error --fail-with-body --retry 10 --retry-connrefused \
    --header 'Content-Type: application/x-ndjson' --data-binary "@${1:--}" \
    http://127.0.0.1:8080/
