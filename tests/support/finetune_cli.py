"""The mmgan command with a text encoder that needs no file, for fine-tunings of a few seconds in real processes."""

import sys

from mmgan.cli import main
from mmgan.text.encoder import TextEncoder
from mmgan.training.finetune import command as finetune

if __name__ == "__main__":
    import torch
    from small import Encoder

    torch.set_num_threads(1)
    TextEncoder.from_pretrained = lambda *_: Encoder()
    sys.modules["mmgan.training.trainer"].spread_captions = lambda texts, _: sorted(set(texts))
    finetune.DEFAULTS["batch_size"] = 8
    sys.exit(main(sys.argv[1:]))
