"""What all tests share: one thread, and no network."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # more fight for the cores with the browser and the other processes
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
