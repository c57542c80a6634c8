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
    typo, strict, corrected = (folder / f"{name}.odcs.yaml" for name in ("typo", "strict", "corrected"))
    typo.write_text(CONTRACT.format(version="1.0.0", options="logicalTypeOption", length=3))
    strict.write_text(CONTRACT.format(version="1.0.0", options="logicalTypeOptions", length=3))
    corrected.write_text(CONTRACT.format(version="1.1.0", options="logicalTypeOptions", length=5))
    command(running, 1, "contract", "push", typo, "--feed", FEED, "--yes", "--reason", "first version")
    command(running, 0, "contract", "push", strict, "--feed", FEED, "--yes", "--reason", "first version")
    key = scalper(running, "partner", "rotate", name, "--feeds", FEED)["secret"]
    partner = Partner(running.outputs["PartnerApiUrl"], key)
    file = partner.send_file(FEED, "monday.csv", ROWS.encode())["id"]
    expect(running, partner, file, "QUARANTINED")
    show.step(f"\n  {FEED}/monday.csv: QUARANTINED, since the contract says that wards have at most 3 letters")
    command(running, 0, "contract", "diff", strict, corrected)
    command(running, 0, "contract", "push", corrected, "--feed", FEED, "--yes", "--reason", "wards have 5 letters")
    command(running, 0, "replay", "--feed", FEED, "--dry-run")
    command(running, 0, "replay", "--feed", FEED, "--yes", "--reason", "contract corrected")
    expect(running, partner, file, "COMPLETE")
    command(running, 0, "retract", file, "--reason", "the wrong day")
    expect(running, partner, file, "RETRACTED")
    command(running, 0, "retract", file, "--undo", "--reason", "it was right")
    expect(running, partner, file, "COMPLETE")
    command(running, 0, "audit", "--since", "1h", "--limit", "6")


def expect(running: Emulator, partner: Partner, file: str, state: str) -> None:
    """Fails unless the partner and the ledger see the file in this state."""
    partner.wait(file)
    seen = {partner.get(f"/v1/files/{file}").json()["state"], look_up(running, file).state}
    if seen != {state}:
        raise Failed(f"{file} is {seen}, expected {state}")


def command(running: Emulator, code: int, *words: str | Path) -> None:
    """Runs an operator's command and shows what it answers; it must end with this exit code."""
    typed = [word.name if isinstance(word, Path) else word for word in words]
    show.step("\n  $ scalper " + " ".join(f"'{word}'" if " " in word else word for word in typed))
    run = run_scalper(running, *map(str, words))
    for line in (run.stdout + run.stderr).splitlines():
        show.step(f"  {line}".rstrip())
    if run.returncode != code:
        raise Failed(f"scalper {' '.join(typed)} ended with {run.returncode}, expected {code}")
