"""The web app: one module per tab, and what the tabs share."""

import os

# Before gradio is imported, which reads these once: nothing is asked of the network after the install.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# At each request gradio would work out percentiles over the last 10,000, for a page that nobody opens.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # whatever the page offers is on this machine
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# gradio asks itself whether it is up; behind a proxy that question would leave the machine and fail.
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1,localhost"]))
