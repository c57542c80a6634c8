"""Sends a file with a client that is generated from the OpenAPI document, as a partner's developer would.

    python infra/local/generated_client.py <address of the API> <API key> <feed>

Prints the answer and what the client reads of the file afterwards, as JSON.
"""

import importlib
import json
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "infra" / "openapi.json"
# Types that the generator does not know by itself are sent as they are.
CONFIG = {
    "content_type_overrides": {
        "text/csv": "application/octet-stream",
        "text/tab-separated-values": "application/octet-stream",
        "application/x-ndjson": "application/octet-stream",
        "application/gzip": "application/octet-stream",
    },
}
FILE = b"accession,patient,modality,scanned_on,dose,note\nAB000001,Ann,CT,,,\n"


def main() -> None:
    api, key, feed = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        # Once as it comes and once with the other types, which send the last one that is named.
        plain = generate(Path(folder), "plain", {})
        typed = generate(Path(folder), "typed", CONFIG)
        print(json.dumps({name: send(name, api, key, feed) for name in (plain, typed)}))


def generate(folder: Path, name: str, config: dict) -> str:
    """Makes a package of this name, which can be imported then."""
    (folder / f"{name}.json").write_text(json.dumps(config))
    command = [
        str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", str(DOCUMENT), "--meta", "none",
        "--output-path", str(folder / name), "--config", str(folder / f"{name}.json"),
    ]
    # The generator formats its output by ruff, which is beside it.
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    made = subprocess.run(command, env={"PATH": path, "HOME": str(folder)}, capture_output=True, text=True, check=False)
    if made.returncode:
        sys.exit(f"openapi-python-client ended with {made.returncode}:\n{made.stdout}{made.stderr}")
    sys.path.insert(0, str(folder))
    return name


def send(package: str, api: str, key: str, feed: str) -> dict:
    client = importlib.import_module(f"{package}.client").AuthenticatedClient(
        base_url=api, token=key, prefix="", auth_header_name="x-api-key",
    )
    send_file = importlib.import_module(f"{package}.api.files.send_file")
    read_file = importlib.import_module(f"{package}.api.files.read_file")
    body = importlib.import_module(f"{package}.types").File(payload=BytesIO(FILE))
    sent = send_file.sync_detailed(feed=feed, client=client, body=body, name=f"{package}.csv")
    if sent.status_code != 202:
        sys.exit(f"{package}: {sent.status_code} {sent.content!r}")
    state = read_file.sync(file=sent.parsed.id, client=client)
    return {"id": sent.parsed.id, "bytes": sent.parsed.bytes_, "name": state.name, "state": str(state.state)}


if __name__ == "__main__":
    main()
