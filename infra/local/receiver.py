"""An operator's own receiver of incidents: a web server on a free loopback port, and its address in the secret of channels."""

import base64
import hashlib
import hmac
import json
import queue
import secrets
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deploy import client
from emulator import Emulator, Failed

# A message takes a second; a build without optimisation, or a busy machine, takes longer.
PATIENCE_SECONDS = 60


class Receiver:
    """Keeps the messages that come with a signature of its secret, in the order in which they come."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self.messages: queue.Queue[dict] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                known = receiver.is_signed(self.headers, body)
                self.send_response(204 if known else 401)
                self.end_headers()
                if known:
                    receiver.messages.put(json.loads(body))

            def log_message(self, *_: object) -> None:
                """Requests are shown by the caller that waits for them."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/incidents"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def is_signed(self, headers, body: bytes) -> bool:
        """Whether one of the signatures is ours (https://www.standardwebhooks.com)."""
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        own = "v1," + base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode()
        return any(hmac.compare_digest(own, each) for each in (headers["webhook-signature"] or "").split())

    def keep_address(self, emulator: Emulator) -> str:
        """Puts address and key where the notifier looks for its channels; the ARN of that secret."""
        secret = "whsec_" + base64.b64encode(self.key).decode()
        channels = {"webhook": {"url": self.url, "secret": secret}}
        return client(emulator, "secretsmanager").create_secret(
            Name=f"channels-{uuid.uuid4().hex[:8]}", SecretString=json.dumps(channels)
        )["ARN"]

    def next(self) -> dict:
        """The next message that came, or comes."""
        try:
            return self.messages.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise Failed(f"no message of an incident within {PATIENCE_SECONDS} s") from None
