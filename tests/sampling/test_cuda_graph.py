"""What is recorded of a forward pass, on a card that is made up: its graph computes anew where a real one replays."""

import contextlib
import itertools

import pytest
import torch

from mmgan.sampling import cuda_graph

ROWS = 3


class Card:
    """Stands in for torch.cuda. ``replay`` of a graph does what ``self.replay`` says with what was recorded last."""

    def __init__(self, replay):
        self.replay, self.calls = replay, []

    def forward(self, e, z):
        self.calls.append((e, z, out := compute(e, z)))
        return out

    def install(self, monkeypatch, graph=None):
        card, stream = self, type("Stream", (), {"wait_stream": lambda self, other: None})
        graphs = type("Graph", (), {"replay": lambda self: card.replay(*card.recorded)})
        monkeypatch.setattr(torch.cuda, "CUDAGraph", graphs)
        monkeypatch.setattr(torch.cuda, "Stream", stream)
        monkeypatch.setattr(torch.cuda, "current_stream", stream)
        monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
        monkeypatch.setattr(torch.cuda, "device", contextlib.nullcontext)
        monkeypatch.setattr(torch.cuda, "graph", graph or self.graph)

    @contextlib.contextmanager
    def graph(self, graph, capture_error_mode):
        yield
        self.recorded = self.calls[-1]


def compute(e, z):
    return e + z, e * z


def anew(e, z, out):
    for old, new in zip(out, compute(e, z), strict=True):
        old.copy_(new)


def inputs(seed):
    return tuple(torch.randn(2, ROWS, 4, generator=torch.Generator().manual_seed(seed)))


def test_a_replay_gives_what_the_pass_gives_in_tensors_of_the_caller(monkeypatch):
    card = Card(anew)
    card.install(monkeypatch)
    recorded = cuda_graph.record(card.forward, *inputs(0))
    passes = len(card.calls)
    answers = [recorded(*inputs(seed)) for seed in (1, 2)]
    for answer, seed in zip(answers, (1, 2), strict=True):
        assert all(map(torch.equal, answer, compute(*inputs(seed))))
    assert len(card.calls) == passes  # nothing was computed but by the graph
    buffers = {tensor.data_ptr() for tensor in (*card.recorded[:2], *card.recorded[2])}
    assert not buffers & {tensor.data_ptr() for tensor in itertools.chain(*answers, inputs(0))}


def test_what_cannot_be_recorded_is_left_to_be_called(monkeypatch):
    @contextlib.contextmanager
    def graph(*_, **__):
        raise RuntimeError("operation not permitted when stream is capturing")
        yield

    card = Card(anew)
    card.install(monkeypatch, graph)
    assert cuda_graph.record(card.forward, *inputs(0)) is None


@pytest.mark.parametrize(("wrong", "kept"), [(1.0, False), (float("nan"), False), (1e-3, True)])
def test_a_recording_is_believed_where_it_gives_the_same(monkeypatch, wrong, kept):
    def replay(e, z, out):
        anew(e, z, out)
        out[1][0, 0] += wrong

    card = Card(replay)
    card.install(monkeypatch)
    assert (cuda_graph.record(card.forward, *inputs(0)) is not None) == kept
