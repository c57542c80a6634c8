"""Writes synthetic partner files: good ones, and ones that are wrong in the usual ways.

    python infra/samples/generate.py FOLDER              the files of `make demo`
    python infra/samples/generate.py --rows 1000000 FILE one large CSV of scan reports, for measuring (about 300 MB)

The same `--seed` gives the same bytes. Only Python's standard library is used.
"""

import argparse
import csv
import gzip
import io
import json
import random
from pathlib import Path

import synthetic

SEED = 20261121
# The large file draws each row but its two numbers from this number of different ones: a prime, so that no pattern repeats
# with a power of two, and few enough that writing is bound by the disk.
LARGE_FILE_POOL = 10_007
# Characters of free text in the large file, which make a row of about 300 bytes.
LARGE_FILE_FINDINGS = 125


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rows", type=int, help="write one CSV with this number of rows to PATH instead")
    arguments = parser.parse_args()
    if arguments.rows is not None:
        large_file(arguments.path, arguments.rows, arguments.seed)
        return
    for name, content in samples(arguments.seed).items():
        target = arguments.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        print(f"{target}  {len(content):,} bytes")


def samples(seed: int = SEED) -> dict[str, bytes]:
    """Every sample file by its name."""
    good = reports(seed, 1, 400)
    truncated = gzip.compress(separated(reports(seed + 2, 3001, 400)), mtime=0)
    return {
        "scan-reports-good.csv": separated(good),
        "scan-reports-one-percent-bad.csv": separated(spoiled(seed, reports(seed + 1, 1001, 1000))),
        "scan-reports-broken.csv.gz": truncated[: len(truncated) * 2 // 3],
        "scan-reports-latin1.csv": as_latin1(separated(reports(seed + 3, 4001, 200))),
        "scan-reports-monday.csv": separated(reports(seed + 4, 5001, 50)),
        "scan-reports-tuesday.csv": separated(reports(seed + 5, 5101, 60)),
        "scan-reports-excel.csv": b"\xef\xbb\xbf" + separated(reports(seed + 6, 6001, 80)),
        "patients-first.ndjson.gz": gzip.compress(json_lines(patients(seed + 7, 300)), mtime=0),
        "patients-second.ndjson.gz": gzip.compress(json_lines(patients(seed + 8, 320)), mtime=0),
        "appointments.json": json_document(seed + 9, 40),
        "charges.csv": charges(seed + 10, 120),
        "charges-ten-percent-bad.csv": charges(seed + 11, 120, bad=12),
        "charges-corrected.csv": charges(seed + 11, 120),
        "referrals.csv": referrals(20),
        "no-contract.csv": b"specimen,result\n1,negative\n",
    }


def referrals(count: int) -> bytes:
    rows = [f"REF-{number:06},2026-11-{1 + number % 28:02}" for number in range(count)]
    return "\n".join(["referral_id,requested_on", *rows, ""]).encode()


def as_latin1(content: bytes) -> bytes:
    """The text in Latin-1; the one letter of the samples that it lacks becomes its nearest."""
    return content.decode().replace("ą", "a").encode("latin-1")


def reports(seed: int, first: int, count: int) -> list[dict[str, str]]:
    rng = random.Random(seed)
    return [synthetic.report(rng, first + number) for number in range(count)]


def patients(seed: int, count: int) -> list[dict]:
    rng = random.Random(seed)
    return [synthetic.patient(rng, number) for number in range(1, count + 1)]


def separated(rows: list[dict[str, str] | str]) -> bytes:
    """A CSV of scan reports, CRLF as RFC 4180 has it. A row that is a text is written as it is."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(synthetic.REPORT_COLUMNS)
    for row in rows:
        if isinstance(row, str):
            out.write(row + "\r\n")
        else:
            writer.writerow(row.values())
    return out.getvalue().encode()


def spoiled(seed: int, rows: list[dict[str, str]]) -> list[dict[str, str] | str]:
    """The rows with one in a hundred broken, each in another way."""
    rng = random.Random(seed)
    places = sorted(rng.sample(range(1, len(rows)), len(rows) // 100))
    for place, spoil in zip(places, ways_to_spoil(rows[0]), strict=False):
        rows[place] = spoil(rows[place])
    return rows


def ways_to_spoil(first: dict[str, str]) -> list:
    return [
        lambda row: row | {"study_date": "2026-13-04"},
        lambda row: row | {"modality": "XX"},
        lambda row: row | {"patient_id": ""},
        lambda row: row | {"image_count": "about 300"},
        lambda row: row | {"report_id": first["report_id"]},
        lambda row: row | {"dose_length_product": "12.34567"},
        lambda row: row | {"accession_number": row["accession_number"].lstrip("0")},
        lambda row: ",".join(list(row.values())[:4]),
        lambda row: f'"{row["report_id"]}"x,' + ",".join(list(row.values())[1:13]) + ",Eichwald,none",
        lambda row: row | {"study_time": "24:61:00", "image_count": "-5"},
    ]


def json_lines(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def json_document(seed: int, count: int) -> bytes:
    rng = random.Random(seed)
    plan = {"scanner": "CT1", "appointments": [synthetic.appointment(rng, number) for number in range(count)]}
    return json.dumps({"plan": plan}, indent=1).encode()


def charges(seed: int, count: int, bad: int = 0) -> bytes:
    """A file of charges; in this number of rows, spread evenly, the amount is missing."""
    rng = random.Random(seed)
    rows = [synthetic.charge(rng, number) for number in range(1, count + 1)]
    for number in range(bad):
        rows[number * count // bad][-1] = "to follow"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["Auftrag", "Position", "Leistungsdatum", "Leistung", "Betrag"])
    writer.writerows(rows)
    return out.getvalue().encode("windows-1252")


def large_file(path: Path, rows: int, seed: int) -> None:
    """Scan reports that all are good; free text quoted, every number unique."""
    rng = random.Random(seed)
    pool = [large_row(rng) for _ in range(LARGE_FILE_POOL)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(synthetic.REPORT_COLUMNS) + "\n")
        for start in range(0, rows, 10_000):
            numbers = range(start, min(start + 10_000, rows))
            file.write("".join(f"RPT-{n:08},{n * 7 + 1000:010},{pool[n % LARGE_FILE_POOL]}" for n in numbers))
    print(f"{path}  {path.stat().st_size:,} bytes, {rows:,} rows")


def large_row(rng: random.Random) -> str:
    """A row without its two numbers, with its line end."""
    cells = synthetic.report(rng, 0) | {"findings": synthetic.findings(rng, LARGE_FILE_FINDINGS)}
    plain = [value if "," not in value else f'"{value}"' for value in list(cells.values())[2:-1]]
    text = cells["findings"].replace('"', '""')
    return ",".join(plain) + f',"{text}"\n'


if __name__ == "__main__":
    main()
