"""Visitors of the page as a program of their own, since their browsers do not run on the server's processor either.

``python visitors.py URL`` reads lines of JSON, [[prompts], at once or not], and answers each with the seconds that
every visitor waited, as JSON. It imports next to nothing.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

TIMEOUT = 120


def ask(connection: http.client.HTTPConnection, session: str, prompt: str) -> float:
    """One sample as gradio's clients ask for it, in one session a visitor; the seconds until it is there."""
    start = time.perf_counter()
    body = json.dumps({"data": [prompt, 1, 0, 1.0, ""], "session_hash": session})
    connection.request("POST", "/gradio_api/call/sample", body, {"Content-Type": "application/json"})
    event = json.loads(connection.getresponse().read())["event_id"]
    connection.request("GET", f"/gradio_api/call/sample/{event}")
    answer = connection.getresponse().read()
    if b"event: complete" not in answer:
        raise RuntimeError(answer[-300:].decode(errors="replace"))
    return time.perf_counter() - start


def main(url: str) -> None:
    address = urlsplit(url)
    connections: list[http.client.HTTPConnection] = []
    threads = ThreadPoolExecutor(64)
    for line in sys.stdin:
        prompts, at_once = json.loads(line)
        while len(connections) < len(prompts):
            connections.append(http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT))
        sessions = [f"visitor-{place}" for place in range(len(prompts))]
        waits = (threads.map if at_once else map)(ask, connections, sessions, prompts)
        print(json.dumps(list(waits)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
