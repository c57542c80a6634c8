"""`make local`: a local stack from the real template, left running, and how to use it."""

import sys

import emulator as emulators
from deploy import deploy
from emulator import ACCOUNT, REGION, STACK, STATE, Emulator, Failed
from story import FIRST

from generate import samples

SAMPLES = STATE / "samples"


def main() -> None:
    try:
        if (running := emulators.find()) is None or not running.stack:
            running = stand_up()
    except Failed as error:
        sys.exit(str(error))
    print(guide(running))


def stand_up() -> Emulator:
    running = emulators.start()
    try:
        running.outputs, running.stack = deploy(running), STACK
        running.save()
        SAMPLES.mkdir()
        for name, content in samples().items():
            (SAMPLES / name).write_bytes(content)
    except BaseException:
        emulators.stop()
        raise
    return running


def guide(running: Emulator) -> str:
    outputs, sample = running.outputs, FIRST[1]
    return f"""
A stack runs on {running.endpoint}. `make stop` ends it. Its log: {running.folder}/emulator.log

Let the AWS command line talk to it (these are no credentials of anything real):

    export PATH="$PWD/.venv/bin:$PATH" AWS_ENDPOINT_URL={running.endpoint} AWS_DEFAULT_REGION={REGION}
    export AWS_ACCESS_KEY_ID={ACCOUNT} AWS_SECRET_ACCESS_KEY=local
    export SCALPER_STACK={running.stack}

Drop a file, as <partner>/<feed>/<name>:

    aws s3 cp {SAMPLES.relative_to(SAMPLES.parents[2])}/{sample.sample} s3://{outputs["InboxBucketName"]}/{sample.key}

See its outcome (docs/operate.md):

    target/debug/scalper status
    target/debug/scalper show {sample.key}
    target/debug/scalper tail

Or look at it all:

    aws dynamodb scan --table-name {outputs["LedgerTableName"]}
    aws s3 ls --recursive s3://{outputs["QuarantineBucketName"]}/
    aws dynamodb scan --table-name {outputs["RecordsTableName"]} --max-items 3
    aws logs filter-log-events --log-group-name {outputs["ProcessorLogGroupName"]} \\
        --query 'events[].message' --output text

Send a file as a partner does, by API (docs/partners.md):

    export API={outputs["PartnerApiUrl"]}
    export KEY=$(target/debug/scalper --json partner add riverside | python3 -c 'import json, sys; print(json.load(sys.stdin)["secret"])')
    curl -sS -w '\\n' "$API/v1/feeds" -H "x-api-key: $KEY"

Publish a contract of your own, and files of its feed are taken from then on:

    aws s3 cp my-feed.odcs.yaml s3://{outputs["ContractsBucketName"]}/my-feed.odcs.yaml
"""


if __name__ == "__main__":
    main()
