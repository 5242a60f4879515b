"""Visitors of the page as a program of their own, since their browsers do not run on the server's processor either.

``python visitors.py URL`` reads lines of JSON, [[prompts], at once or not], and answers each with the seconds that
every visitor waited, as JSON. Each prompt is a new visitor's. It imports next to nothing.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

TIMEOUT = 120


def ask(connection: http.client.HTTPConnection, visitor: int, prompt: str) -> float:
    """One sample as the page asks for it; the seconds until it is there."""
    start = time.perf_counter()
    body = json.dumps({"prompt": prompt, "count": 1, "seed": 0, "truncation": 1, "model": ""})
    headers = {"Content-Type": "application/json", "Cookie": f"mmgan-owner={visitor:032}"}
    connection.request("POST", "/sample/generate", body, headers)
    answer = connection.getresponse().read()
    if b"mm-card" not in answer:
        raise RuntimeError(answer[-300:].decode(errors="replace"))
    return time.perf_counter() - start


def main(url: str) -> None:
    address = urlsplit(url)
    threads, names = ThreadPoolExecutor(64), itertools.count()
    for line in sys.stdin:
        prompts, at_once = json.loads(line)
        # New for each line: a server closes a connection that was idle for seconds.
        connections = [http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT) for _ in prompts]
        waits = list((threads.map if at_once else map)(ask, connections, names, prompts))
        for connection in connections:
            connection.close()
        print(json.dumps(waits), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
