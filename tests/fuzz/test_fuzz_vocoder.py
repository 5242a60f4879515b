"""Spoiled vocoder folders: each is loaded and makes finite sound, or is refused in one sentence."""

import pytest
import torch

from mmgan.errors import MmganError
from mmgan.models.vocoder import Vocoder, VocoderConfig

from .mutate import spoil_bytes, spoil_json

SMALL = VocoderConfig(width=16, hidden=16, blocks=1, phase_bins=8, corrections=1)


@pytest.mark.parametrize(("name", "spoil"), [("config.json", spoil_json), ("model.safetensors", spoil_bytes)])
def test_a_spoiled_vocoder_is_loaded_or_refused(name, spoil, count, tally, tmp_path):
    torch.manual_seed(0)
    Vocoder(SMALL).save_pretrained(tmp_path / "v")
    path = tmp_path / "v" / name
    good = path.read_bytes()
    mel = torch.linspace(-1, 1, 64 * 5).view(1, 64, 5)
    for seed in range(count):
        path.write_bytes(spoil(good, seed))
        try:
            vocoder = Vocoder.from_pretrained(tmp_path / "v")
        except MmganError as error:
            assert "\n" not in str(error), (seed, str(error))
            tally["sentence"] += 1
            continue
        if vocoder.config.audio.bands == 64:
            assert vocoder.vocode(mel).isfinite().all(), seed
        tally["result"] += 1
