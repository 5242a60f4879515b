"""The web app: one module per tab, and what the tabs share."""

import os

# gradio reads these once, on import. With them nothing asks the network once mmgan is installed.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# Else gradio computes percentiles over the last 10,000 requests at each request, for a page nobody opens.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # all that the page offers is on this machine
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# gradio asks its own address whether it is up; through a proxy that would leave the machine and fail.
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1,localhost"]))
