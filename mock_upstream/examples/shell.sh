#!/bin/sh
# The mock from a shell: nothing but POSIX sh and curl.
#
#   gateproof mock &          # or in another terminal
#   sh shell.sh               # or: sh shell.sh http://127.0.0.1:8089
#
# It ends with exit code 1 at the first thing that is not as expected. Its last step forgets every script of that mock.
set -eu

origin=${1:-http://127.0.0.1:8089}
control=$origin/_gateproof
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Not echo: what it does with a backslash is every shell's own business.
say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
fail() { printf 'not as expected: %s\n' "$*" >&2; exit 1; }
ask() { curl -sSN --max-time 20 "$@"; }      # a TOKEN of the mock's would go here: -H "X-Gateproof-Token: ..."

# expect WHAT TEXT: that the text holds it
expect() { case $2 in *"$1"*) ;; *) fail "no $1 in: $2" ;; esac; }
expect_no() { case $2 in *"$1"*) fail "$1 in: $2" ;; esac; }

step "Is it there?"
health=$(ask "$control/health")
say "$health"
expect '"status":"ok"' "$health"

step "A script for the calls that have gp-sample-failturn in their prompt"
ask -X PUT "$control/scripts/gp-sample-failturn" -d '{
  "calls": [{"say": [
    {"text": ["Hel", "lo"]},
    {"failed": {"code": "server_error", "message": "The model fell over."}}
  ]}]
}'
say

step "Ask as a client does: the turn fails in mid-stream"
ask "$origin/v1/responses" -H 'Content-Type: application/json' \
  -d '{"model": "m", "stream": true, "input": "Please answer. [gp-sample-failturn]"}' > "$scratch/failed"
grep '^event:' "$scratch/failed"
answer=$(cat "$scratch/failed")
expect '"delta":"lo"' "$answer"
expect 'event: response.failed' "$answer"
expect_no 'response.completed' "$answer"

step "The same script in another dialect, not streamed: there it is an HTTP 500"
status=$(ask -o "$scratch/body" -w '%{http_code}' "$origin/v1/chat/completions" -H 'Content-Type: application/json' \
  -d '{"model": "m", "messages": [{"role": "user", "content": "Please answer. [gp-sample-failturn]"}]}')
say "$status $(cat "$scratch/body")"
expect 500 "$status"
expect 'The model fell over.' "$(cat "$scratch/body")"

step "A stream that is held between two words, for every call of the model example-held"
ask -X PUT "$control/scripts/held" -d '{
  "when": {"model": "example-held"},
  "calls": [{"say": [{"text": "one"}, {"hold": "seen"}, {"text": "two"}]}]
}'
say
ask "$origin/v1/chat/completions" -H 'Content-Type: application/json' \
  -d '{"model": "example-held", "stream": true, "messages": []}' > "$scratch/held" &
client=$!

reached=$(ask "$control/barriers/held/seen?within=10")
say "$reached"
expect '"reached":true' "$reached"

# Reached says that "one" has left the mock; the client may need a moment to write it down.
tries=0
until grep -q '"content":"one"' "$scratch/held"; do
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail "the first word did not come"
  sleep 1
done
expect_no '"content":"two"' "$(cat "$scratch/held")"

step "Release it"
ask -X POST "$control/barriers/held/seen"
say
wait "$client"
grep '^data:' "$scratch/held"
expect '"content":"two"' "$(cat "$scratch/held")"
expect 'data: [DONE]' "$(cat "$scratch/held")"

step "What the mock saw: of that call, and of those of the marker"
journal=$(ask "$control/journal?script=held&calls=1&ended=1&within=10")
say "$journal"
expect '"ended":"played"' "$journal"
expect '"stream":true' "$journal"
journal=$(ask "$control/journal?marker=gp-sample-failturn")
expect '"dialect":"responses"' "$journal"
expect '"status":500' "$journal"

step "A typing error is told, with its place"
wrong=$(ask -X PUT "$control/scripts/gp-sample-failturn" -d '{"calls": [{"say": [{"txt": "a"}]}]}')
say "$wrong"
expect 'did you mean `text`?' "$wrong"

step "Forget everything"
ask -X POST "$control/reset"
scripts=$(ask "$control/scripts")
say " $scripts"
expect '{"scripts":[]}' "$scripts"

printf '\nAll as expected.\n'
