"""The benchmarks run and report what they promise, on tiny sizes; nothing here looks at a time."""

import contextlib
import functools
import json
import time
import zlib
from pathlib import Path

import psutil
import pytest
import torch

from mmgan import Pipeline
from mmgan.config import ModelConfig, with_values
from mmgan.models import Generator
from mmgan.models.checkpoint import Model
from mmgan.ui import app
from mmgan.ui.sample.sampler import Sampler
from mmgan.ui.server.flags import Flags

from . import __main__ as command
from . import cuda, growth, hostile, measure, page, sampling, shares, training
from .subjects import Setup, fresh_prompts

SMALL = with_values(ModelConfig(), {
    "image.size": 16, "image.channels": 3, "image.latent": 4, "image.widths": (8, 8),
    "audio.num_samples": 8_192, "audio.bands": 32, "audio.griffin_lim_iterations": 1, "audio.latent": 4,
    "audio.widths": (8, 8), "latent_shared": 4, "style_dim": 16, "critic_features": 16,
})  # fmt: skip


class Encoder:
    """Any text to a direction of its own."""

    def encode(self, prompts):
        rows = [torch.randn(384, generator=torch.Generator().manual_seed(zlib.crc32(p.encode()))) for p in prompts]
        return torch.nn.functional.normalize(torch.stack(rows), dim=1)

    def forget(self):
        pass


@pytest.fixture(scope="module")
def setup():
    setup = Setup(quick=True, presets={"tiny": SMALL, "base": SMALL, "large": SMALL}, batch=4)
    setup.encoder = Encoder()
    setup.pipeline = Pipeline(Model(Generator(SMALL), folder=Path("small")), "cpu", setup.encoder)
    return setup


def test_latency_has_every_stage_and_the_stages_make_the_total(setup):
    part = sampling.latency(setup)
    for kind in ("fresh", "repeated"):
        assert list(part.values[kind]) == list(sampling.STAGES)
    stages = sampling.deliver(setup.pipeline, "a seven")
    assert sum(stages[name] for name in sampling.STAGES[:-1]) == pytest.approx(stages["total"])
    assert part.values["aim_ms"] == 80


def test_batching_compares_both_ways(setup):
    part = sampling.batching(setup)
    assert len(part.values) == 3
    for values in part.values.values():
        assert values["ratio"] == pytest.approx(values["one_by_one_ms"] / values["at_once_ms"])  # of a single round


@contextlib.contextmanager
def served_here(setup, folder):
    """The page in this process, which saves starting one."""
    flags = Flags(port=page.free_port(), runs=folder / "runs")
    demo = app.build(Sampler(load=lambda name: setup.pipeline, models=("digits", "shapes")), flags)
    app.serve(demo, flags)
    url = f"http://127.0.0.1:{flags.port}"
    (folder / "project").write_text(hostile.begin_project(url))
    try:
        yield url, psutil.Process()
    finally:
        demo.close(verbose=False)


def test_visitors_of_the_page_are_answered_both_ways(setup, monkeypatch, tmp_path):
    @contextlib.contextmanager
    def here(setup):
        with served_here(setup, tmp_path) as (url, process):
            yield url, lambda: sum(process.cpu_times()[:2])

    monkeypatch.setattr(page, "served", here)
    values = page.visitors(setup).values
    assert values["ratio"] == pytest.approx(values["one_by_one_ms"] / values["at_once_ms"])
    assert values["at_once_wait_p95_ms"] > 0 and values["one_by_one_wait_p95_ms"] > 0
    assert values["one_by_one_cpu_ms"] > 0  # the server's
    values = page.alone(setup).values
    assert values["ratio"] == pytest.approx(values["page_ms"] / values["pipeline_ms"])


def test_the_page_is_measured_as_a_process_of_its_own(setup, monkeypatch):
    monkeypatch.setattr(page, "_wait_for", lambda url, server: None)
    with page.served(setup) as (_, cpu):
        begun, own = time.monotonic(), time.process_time()
        while cpu() < 0.5 and time.monotonic() < begun + 60:
            time.sleep(0.05)
        assert cpu() >= 0.5 > time.process_time() - own


def test_each_kind_of_hostile_request_is_sent_and_the_other_visitor_measured(setup, monkeypatch):
    tiny = functools.partial(hostile.prepare, allowed=SMALL, table_rows=50, side=60)
    monkeypatch.setattr(hostile, "prepare", lambda folder, *_: tiny(folder))
    monkeypatch.setattr(hostile, "served", lambda folder: served_here(setup, folder))
    monkeypatch.setattr(hostile, "SECONDS", (0.3, 0.3))
    monkeypatch.setattr(hostile, "PAUSE_SECONDS", 0.01)
    part = hostile.hostile(setup)
    assert list(part.values) == list(hostile.KINDS) and len(part.rows) == len(hostile.KINDS)
    for kind, found in part.values.items():
        assert found["errors"] == [] and found["growth_mib"] >= 0, kind
        assert all(found[name] > 0 for name in hostile.AIMS if name != "growth_mib")
    assert part.values["nobody"]["sent"] == 0
    assert all(values["sent"] for kind, values in part.values.items() if kind != "nobody")


def test_a_soak_reports_errors_and_growth():
    part = page._soaked(1, 3, [0.1] * 99 + [5.0], ["HTTPError: 503"], [100.0] * 8 + [130.0] * 4, trained=False)
    assert part.values["growth_mib"] == 30 and part.values["errors"] == 1 and part.values["max_ms"] == 5_000
    assert "DID NOT TRAIN" in str(part) and "HTTPError: 503" in str(part)


def test_training_reports_sizes_and_operations_of_all_three(setup):
    part = training.training(setup)
    ours, one, two = part.values["subjects"].values()
    assert ours["generator_parameters"] == sum(p.numel() for p in Generator(SMALL).parameters())
    assert two["multiply_accumulates_per_pair"] > one["multiply_accumulates_per_pair"] > 0
    assert set(part.values["mmgan_over"]) == set(list(part.values["subjects"])[1:])


def test_operations_of_a_known_network_are_counted():
    layer, rows = torch.nn.Linear(30, 20), torch.randn(5, 30)
    assert training._operations(lambda: layer(rows).sum().backward(), 2) == 2 * 5 * 30 * 20  # forwards, weight gradient


def test_growth_covers_batches_and_presets(setup):
    assert list(growth.sampling_growth(setup).values) == ["1", "4"]
    assert list(growth.training_growth(setup).values) == ["8", "16"]
    assert list(growth.preset_growth(setup).values) == ["tiny", "base"]  # quick leaves out large


def test_shares_add_up_to_the_whole(setup):
    operators, functions = shares.training_shares(setup)
    shown = sum(v["share"] for v in operators.values["operators"].values())
    assert 0 < shown <= operators.values["in_operators"] <= 1
    assert any("trainer.py: step" in name for name in functions.values["functions"])
    assert len(shares.sampling_shares(setup)) == 2


def test_options_of_the_gpu_run_on_the_cpu_too(setup):
    for part in (cuda.gpu_sampling(setup, "cpu"), cuda.gpu_training(setup, "cpu")):
        assert len(part.rows) >= 4
        assert not [values for values in part.values.values() if "failed" in values]
        assert part.rows[0][-1] == 1.0  # plain eager is what others are compared with


def test_a_failing_option_is_reported_and_ends_nothing():
    def prepare():
        raise RuntimeError("CUDA error: no kernel\nlong story")

    found = cuda._measure(prepare, torch.channels_last, 1, "cpu")
    assert cuda._failures({"graph": found}) == ["graph failed: CUDA error: no kernel"]


def test_plain_layout_undoes_channels_last_and_itself():
    maps = torch.randn(2, 8, 4, 4)
    with cuda.plain_layout():
        assert maps.contiguous(memory_format=torch.channels_last).is_contiguous()
    assert maps.contiguous(memory_format=torch.channels_last).is_contiguous(memory_format=torch.channels_last)


def test_rounds_alternate_their_order():
    called = []
    timings = measure.interleave({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 2, warm_up=1)
    assert "".join(called) in ("baabba", "abbaab")
    assert [len(t.wall) for t in timings.values()] == [2, 2]


def test_a_busy_machine_is_named():
    assert "WARNING" in measure.busy_warning({"load_average": 2.5, "cores": 2, "threads": 1})
    assert measure.busy_warning({"load_average": 0.2, "cores": 2, "threads": 2}) is None
    assert measure.busy_warning({"load_average": None, "cores": 2, "threads": 2}) is None


def test_prompts_do_not_repeat():
    prompts = list(fresh_prompts())
    assert len(prompts) == len(set(prompts)) > 5_000


def test_the_command_prints_and_writes(setup, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "Setup", lambda *_: setup)
    target = tmp_path / "speed.json"
    assert command.main(["--quick", "--json", str(target), "batching"]) == 0
    assert "one by one" in capsys.readouterr().out
    report = json.loads(target.read_text())
    assert {"cores", "threads", "load_average"} <= set(report["machine"])
    assert list(report["parts"]) == ["batching"]


def test_the_command_refuses_in_one_sentence(tmp_path, capsys):
    assert command.main(["--model", str(tmp_path / "none"), "--text-encoder", str(tmp_path), "latency"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    with pytest.raises(SystemExit):
        command.main(["speed"])
