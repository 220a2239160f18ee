#!/usr/bin/env bash
# Tries a running gateway in proxy mode, step by step, as a client would: activates a license, decrypts its proxy key and
# sends requests with it. Needs bash, curl and openssl. Exits with 1 if any step fails.
#
#   LICENSE_KEY=LIC-… ./test-proxy.sh
#
# Set these here, or in the environment:
SERVER_URL="${SERVER_URL:-http://localhost:8080}"
LICENSE_KEY="${LICENSE_KEY:-LIC-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX}"
HARDWARE_ID="${HARDWARE_ID:-test-proxy}"
OPENAI_MODEL="${OPENAI_MODEL:-gpt-4o-mini}"
ANTHROPIC_MODEL="${ANTHROPIC_MODEL:-claude-haiku-4-5}"

set -uo pipefail
export LC_ALL=C
umask 077

SERVER_URL="${SERVER_URL%/}"
failures=0
passed() { printf '✓ %s\n' "$1"; }
failed() { printf '✗ %s\n' "$1"; failures=$((failures + 1)); }
detail() { printf '    %s\n' "$1"; }
finish() {
  if [ "$failures" = 0 ]; then
    printf '\nAll steps passed.\n'
    exit 0
  fi
  printf '\n%s failed.\n' "$failures"
  exit 1
}

for program in curl openssl sed grep od tr head mktemp rm; do
  command -v "$program" >/dev/null && continue
  failed "This script needs $program, which is not installed"
  finish
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# post PATH: sends standard input as JSON. Sets $status; the answer is in $work/body and $work/headers. What holds a key
# goes to curl through a pipe: everybody on the machine can read a program's arguments.
post() {
  : >"$work/body"
  : >"$work/headers"
  status=$(curl -sS -N --connect-timeout 10 --max-time 120 -X POST -H 'Content-Type: application/json' \
    --data-binary @- -D "$work/headers" -o "$work/body" -w '%{http_code}' "$SERVER_URL$1" 2>"$work/trouble") && return
  if [ "$status" = 000 ]; then status='no answer'; else status="$status, but not all of it"; fi
  head -n 1 "$work/trouble" >"$work/body"
}

# Text as it stands inside a JSON string.
escaped() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# field NAME: the (last) string of that name in the answer, as it stands in the JSON.
field() { tr -d '\n' <"$work/body" | sed -nE 's/.*"'"$1"'" *: *"(([^"\\]|\\.)*)".*/\1/p'; }

header() { tr -d '\r' <"$work/headers" | grep -i "^$1:" | sed 's/^[^:]*: *//' | head -n 1; }

hex() { od -An -v -tx1 | tr -d ' \n'; }

# What came back, short enough to read.
answer() { tr -d '\r\n' <"$work/body" | head -c 300; }

# expect STATUS: whether the answer has it; if not, says what came.
expect() {
  [ "$status" = "$1" ] && return
  failed "$2"
  detail "expected $1, got $status: $(answer)"
  return 1
}

printf 'Server:      %s\nHardware ID: %s\n\n' "$SERVER_URL" "$HARDWARE_ID"
case "$LICENSE_KEY" in
  *XXXXX*)
    failed 'Set LICENSE_KEY to a license key (licensify license create makes one)'
    finish
    ;;
esac

# 1. Activate the license on this device.
post /activate \
  < <(printf '{"license_key": "%s", "hardware_id": "%s"}' "$(escaped "$LICENSE_KEY")" "$(escaped "$HARDWARE_ID")")
expect 200 'Activate the license' || finish
passed "Activate the license (tier: $(field tier))"

# 2. Decrypt the proxy key: AES-256-CBC; the key is the first 32 bytes of the license key, padded with zeros.
key=$(printf '%s' "$LICENSE_KEY" | head -c 32 | hex)
while [ "${#key}" -lt 64 ]; do key="${key}00"; done
iv=$(field iv | openssl base64 -d -A | hex)
# openssl takes a raw key as an argument only: on a machine that others use too, it can be seen for a moment.
proxy_key=$(field encrypted_api_key | openssl base64 -d -A | openssl enc -d -aes-256-cbc -K "$key" -iv "$iv" 2>/dev/null | tr -d '\0')
if printf '%s' "$proxy_key" | grep -Eq '^px_[0-9A-Za-z]{40}$'; then
  passed "Decrypt the proxy key (${proxy_key:0:7}…)"
else
  failed 'Decrypt the proxy key'
  detail 'What was decrypted is no proxy key. Is the server in proxy mode (PROXY_MODE=true)?'
  finish
fi

messages='"messages": [{"role": "user", "content": "Say hello."}]'

# envelope PROXY_KEY PROVIDER BODY
envelope() {
  printf '{"proxy_key": "%s", "hardware_id": "%s", "provider": "%s", "body": %s}' \
    "$1" "$(escaped "$HARDWARE_ID")" "$2" "$3"
}

# 3. A plain request to each provider.
post /proxy/openai/v1/chat/completions \
  < <(envelope "$proxy_key" openai "{\"model\": \"$(escaped "$OPENAI_MODEL")\", $messages}")
if expect 200 'OpenAI request'; then
  passed 'OpenAI request'
  detail "$(field content)"
fi

post /proxy/anthropic/v1/messages \
  < <(envelope "$proxy_key" anthropic "{\"model\": \"$(escaped "$ANTHROPIC_MODEL")\", \"max_tokens\": 50, $messages}")
if expect 200 'Anthropic request'; then
  passed 'Anthropic request'
  detail "$(field text)"
fi

# 4. A streamed request: server-sent events, the last of which says that it is complete.
post /proxy/openai/v1/chat/completions \
  < <(envelope "$proxy_key" openai "{\"model\": \"$(escaped "$OPENAI_MODEL")\", \"stream\": true, $messages}")
if expect 200 'Streamed OpenAI request'; then
  events=$(grep -c '^data: {' "$work/body")
  if [ "$events" -gt 0 ] && grep -q '^data: \[DONE\]' "$work/body"; then
    passed "Streamed OpenAI request ($events events)"
  else
    failed 'Streamed OpenAI request'
    detail "the stream is not complete: $(answer)"
  fi
fi

# 5. Every answer to an authenticated request tells what is left of the quota.
limit=$(header X-RateLimit-Limit) remaining=$(header X-RateLimit-Remaining) reset=$(header X-RateLimit-Reset)
if [ -n "$limit" ] && [ -n "$remaining" ] && [ -n "$reset" ]; then
  passed 'Rate limit headers'
else
  failed 'Rate limit headers'
fi
detail "X-RateLimit-Limit: $limit"
detail "X-RateLimit-Remaining: $remaining"
detail "X-RateLimit-Reset: $reset"

# 6. A wrong key is refused.
post /proxy/openai/v1/chat/completions \
  < <(envelope px_wrong openai "{\"model\": \"$(escaped "$OPENAI_MODEL")\", $messages}")
if expect 401 'A wrong proxy key is refused'; then
  passed 'A wrong proxy key is refused'
  detail "$(field error)"
fi

finish
