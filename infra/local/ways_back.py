"""The demo's part on ways back: a contract with a mistake, a preview, a replay, a load that is taken back."""

from pathlib import Path

import show
from emulator import Emulator, Failed
from outcomes import look_up
from partner import Partner, run_scalper, scalper

FEED = "visits"
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: visits
version: {version}
status: active
servers:
  - {{server: inbox, type: s3, location: "s3://inbox/*/visits/**", format: csv}}
schema:
  - name: visits
    customProperties:
      - {{property: onError, value: skip_file_50%, vendor: ingest}}
    properties:
      - {{name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: ward, logicalType: string, {options}: {{maxLength: {length}}}}}
"""
ROWS = "id,ward\n" + "".join(f"{number},{ward}\n" for number, ward in enumerate(["north", "south", "east", "westend"]))


def show_ways_back(running: Emulator, name: str, folder: Path) -> None:
    show.heading("Ways back: a contract with a mistake, a replay, a load that is taken back")
    typo, strict, corrected = (f"{name}.odcs.yaml" for name in ("typo", "strict", "corrected"))
    (folder / typo).write_text(CONTRACT.format(version="1.0.0", options="logicalTypeOption", length=3))
    (folder / strict).write_text(CONTRACT.format(version="1.0.0", options="logicalTypeOptions", length=3))
    (folder / corrected).write_text(CONTRACT.format(version="1.1.0", options="logicalTypeOptions", length=5))

    def command(code: int, *words: str) -> None:
        """Runs an operator's command and shows what it answers; it must end with this exit code."""
        show.step("\n  $ scalper " + " ".join(f"'{word}'" if " " in word else word for word in words))
        run = run_scalper(running, *words, folder=folder)
        for line in (run.stdout + run.stderr).splitlines():
            show.step(f"  {line}".rstrip())
        if run.returncode != code:
            raise Failed(f"scalper {' '.join(words)} ended with {run.returncode}, expected {code}")

    command(1, "contract", "push", typo, "--feed", FEED, "--yes", "--reason", "first version")
    command(0, "contract", "push", strict, "--feed", FEED, "--yes", "--reason", "first version")
    key = scalper(running, "partner", "rotate", name, "--feeds", FEED)["secret"]
    partner = Partner(running.outputs["PartnerApiUrl"], key)
    file = partner.send_file(FEED, "monday.csv", ROWS.encode())["id"]
    expect(running, partner, file, "QUARANTINED")
    show.step(f"\n  {FEED}/monday.csv: QUARANTINED, since the contract says that wards have at most 3 letters")
    command(0, "contract", "diff", strict, corrected)
    command(0, "contract", "push", corrected, "--feed", FEED, "--yes", "--reason", "wards have 5 letters")
    command(0, "replay", "--feed", FEED, "--dry-run")
    command(0, "replay", "--feed", FEED, "--yes", "--reason", "contract corrected")
    expect(running, partner, file, "COMPLETE")
    command(0, "retract", file, "--reason", "the wrong day")
    expect(running, partner, file, "RETRACTED")
    command(0, "retract", file, "--undo", "--reason", "it was right")
    expect(running, partner, file, "COMPLETE")
    command(0, "audit", "--since", "1h", "--limit", "6")


def expect(running: Emulator, partner: Partner, file: str, state: str) -> None:
    """Fails unless the partner and the ledger see the file in this state."""
    partner.wait(file)
    seen = {partner.get(f"/v1/files/{file}").json()["state"], look_up(running, file).state}
    if seen != {state}:
        raise Failed(f"{file} is {seen}, expected {state}")
