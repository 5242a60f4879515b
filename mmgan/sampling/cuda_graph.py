"""A forward pass recorded once as a CUDA graph and replayed: one launch instead of hundreds of small kernels'.

Shapes stay those of the recording, and weights are read where they were then, so moving the network needs another
recording. See torch.cuda.graph and https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3  # passes before the recording, in which cuDNN chooses its kernels
CLOSE = 0.05  # of pictures and mels in about -1..1; in bfloat16 other kernels may round differently

# Held by whoever computes on a card: while one thread records, no other may allocate there.
card = threading.RLock()


class Recorded:
    """``forward`` of tensors on a CUDA device, to be called with others of the same shapes, from any thread."""

    def __init__(self, forward: Callable[..., tuple[Tensor, ...]], *inputs: Tensor):
        self._inputs, self._device = tuple(each.clone() for each in inputs), inputs[0].device
        with torch.cuda.device(self._device):
            self._graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UP):
                    forward(*self._inputs)
            torch.cuda.current_stream().wait_stream(side)
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._outputs = forward(*self._inputs)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What ``forward`` gives for ``inputs``, in tensors of the caller's own."""
        with card, torch.inference_mode(), torch.cuda.device(self._device):
            for mine, given in zip(self._inputs, inputs, strict=True):
                mine.copy_(given)
            self._graph.replay()
            return tuple(each.clone() for each in self._outputs)


def record(forward: Callable[..., tuple[Tensor, ...]], *inputs: Tensor) -> Recorded | None:
    """Records ``forward``; None where that is impossible or a replay gives other results."""
    try:
        with card, torch.inference_mode():
            recorded = Recorded(forward, *inputs)
            pairs = zip(recorded(*inputs), forward(*inputs), strict=True)
            return recorded if all(torch.allclose(a.float(), b.float(), atol=CLOSE) for a, b in pairs) else None
    except RuntimeError:  # it cannot be recorded, or the card lacks the memory
        return None
