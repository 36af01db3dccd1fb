#!/usr/bin/env bash
# Deploys the stack into a real AWS account, copies one organization, breaks something, and takes all of it away but the
# copy's table, which it names. What the tests do with a stand-in, where IAM, throttling and arm64 are real.
#
#   GITHUB_TOKEN=… infra/smoke.sh ORGANIZATION [STACK]
#
# Needs `sam`, `aws`, cargo-lambda and `sei-github` in the PATH, and AWS's usual configuration. Costs some cents. API_URL is another
# GitHub than github.com; ARCHITECTURE another processor than arm64.
set -euo pipefail
cd "$(dirname "$0")/.."
organization="${1:?usage: GITHUB_TOKEN=… infra/smoke.sh ORGANIZATION [STACK]}"
stack="${2:-sei-github-smoke}"
: "${GITHUB_TOKEN:?set GITHUB_TOKEN to a token that may read the organization}"
parameters=("Architecture=${ARCHITECTURE:-arm64}" "ApiUrl=${API_URL:-https://api.github.com}")

step() { printf '\n== %s\n' "$1"; }
output() { aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text; }
# Tries every ten seconds for as many minutes.
within() {
    local ends=$((SECONDS + $1 * 60))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$ends" ] || { echo "not in time: $*" >&2; return 1; }
        sleep 10
    done
}

step "deploying $stack"
sam build --parameter-overrides "${parameters[@]}"
sam deploy --stack-name "$stack" --no-confirm-changeset --no-fail-on-empty-changeset --parameter-overrides "${parameters[@]}"

step "connecting $organization"
sei-github connect --stack "$stack" --no-input --org "$organization" --webhook none
aws lambda invoke --function-name "$(aws cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id Discovery --query StackResourceDetail.PhysicalResourceId --output text)" /dev/stdout

step "waiting for the copy"
whole() { sei-github status --stack "$stack" | grep -Eq '^[1-9][0-9]* repositories: .* complete, 0 not'; }
within 60 whole
sei-github status --stack "$stack"
[ "$(sei-github export repositories --stack "$stack" | wc -l)" -gt 0 ]

step "a dead letter is seen, and thrown away"
# A message that is no job comes there after five tries, hours later: straight to where it ends.
aws sqs send-message --queue-url "$(output DeadLetterQueueUrl)" --message-body 'not a job' > /dev/null
dead() { sei-github dlq list --stack "$stack" | grep -q 'not a job'; }
within 5 dead
sei-github dlq purge --stack "$stack" --yes

step "health, permissions and drift"
sei-github check --stack "$stack"
sei-github verify --stack "$stack"
sei-github doctor --stack "$stack"

step "uninstalling"
table="$(output TableName)"
sei-github uninstall --stack "$stack" --yes
printf '\nall well. The copy stays in the table %s, protected from deletion; to remove it:\n' "$table"
printf '  aws dynamodb update-table --table-name %s --no-deletion-protection-enabled && aws dynamodb delete-table --table-name %s\n' "$table" "$table"
