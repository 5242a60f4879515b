"""What is said where the memory, or a caller's setting, is not what mmgan needs."""

import subprocess
import sys

import pytest
import torch

from mmgan.config import TrainingConfig
from mmgan.errors import NO_MEMORY, CheckpointError, MmganError, lacks_memory, within_memory
from mmgan.sampling.pipeline import Pipeline
from mmgan.sharing.zips import MODEL_FILES, export_model
from mmgan.training.trainer import Trainer

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({bytes}, {bytes}))
from mmgan import cli
sys.exit(cli.main(["sample", "a seven", "-n", "1", "-o", {folder!r}]))
"""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        ImportError("libtorch.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_a_lack_of_memory_is_known_by_what_is_raised(error):
    assert lacks_memory(error)
    with pytest.raises(MmganError, match="too little memory") as raised, within_memory():
        raise error
    assert str(raised.value) == str(NO_MEMORY) and not lacks_memory(ValueError("can't allocate memory"))
    try:
        raise ValueError("x") from error
    except ValueError as caused:
        assert lacks_memory(caused)
    with pytest.raises(CheckpointError), within_memory():
        raise CheckpointError("It is damaged; take a fresh copy.")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize("megabytes", [400, 1_200])
def test_within_a_limit_on_memory_the_command_says_so(tmp_path, megabytes):
    code = LIMITED.format(bytes=megabytes << 20, folder=str(tmp_path / "out"))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr.splitlines()[-1:]) == (2, [f"mmgan: {NO_MEMORY}"])
    assert "Traceback" not in ended.stderr


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_a_callers_default_of_64_bits_changes_nothing_of_a_sample(doubles):
    out = Pipeline.from_pretrained("digits", device="cpu")("a handwritten seven", num_samples=5)
    assert out.audio.dtype == out.mels.dtype == "float32" and len(out.images) == 5


def test_a_training_with_a_default_of_64_bits_is_refused(doubles):
    with pytest.raises(MmganError, match="32-bit floats"):
        Trainer(TrainingConfig(), None, None)


def test_what_is_told_from_data_is_what_is_exported(tmp_path):
    import zipfile

    path = export_model("digits", tmp_path / "digits.zip")
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) <= MODEL_FILES
