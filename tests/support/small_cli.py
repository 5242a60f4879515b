"""The mmgan command over blobs, whatever data are named, and small enough for tests: real processes, real files."""

import sys

import torch
from small import MODEL, Blobs, Encoder

from mmgan.cli import main
from mmgan.config import PRESETS
from mmgan.training import train as module


def patch() -> None:
    """From here on this process trains small networks on blobs."""
    torch.set_num_threads(1)
    PRESETS["tiny"] = MODEL
    module.load_dataset = lambda source, **_: Blobs()
    module.TextEncoder.from_pretrained = lambda *_: Encoder()


if __name__ == "__main__":
    patch()
    sys.exit(main(sys.argv[1:]))
