"""When a fine-tuning ends, and which of its weights are kept."""

import dataclasses
import functools
from types import SimpleNamespace

from mmgan.evaluation.memorisation import Measures
from mmgan.training.finetune.held_out import HeldOut
from mmgan.training.finetune.stopping import HeldOutEvidence


def test_evidence_says_when_to_stop():
    evidence = HeldOutEvidence()
    assert not evidence.see(0, 0.0, 9.0, 0.0) and evidence.see(10, 0.1, 0.5, 0.0)
    for k in range(20):
        assert not evidence.see(11 + k, 0.2 + k / 100, 0.6, 0.0, nearer=0.1)
    assert str(evidence.verdict(0.5)) == ""  # it has yet to learn
    for k in range(5):
        assert not evidence.see(40 + k, 0.22 + k / 100, 0.495, 0.0)
    assert "step 10" in str(evidence.verdict(0.31)) and str(evidence.verdict(0.26)) == str(evidence.verdict(0.2)) == ""
    assert evidence.see(50, 0.5, 0.48, 0.0) and str(evidence.verdict(0.9)) == ""
    copying = HeldOutEvidence()
    assert copying.see(5, 0.2, None, 0.0) and not copying.see(10, 0.3, None, 0.6)
    assert str(copying.verdict(0.3)) == ""
    copying.see(20, 0.4, None, 0.7)
    assert "copy your files" in str(copying.verdict(0.4)) and "step 5" in str(copying.verdict(0.4))


def test_learning_goes_on_while_held_out_files_come_closer():
    """Variety may fall meanwhile, so that no visit is better on the whole."""
    evidence = HeldOutEvidence()
    evidence.see(10, 0.1, 0.5, 0.0, distance=0.01)
    for k in range(1, 9):
        assert not evidence.see(10 + k, 0.1 + k / 20, 0.6, 0.0, distance=0.01 - k / 100)
    assert str(evidence.verdict(0.5)) == "" and evidence.best_step == 10
    for k in range(1, 6):
        evidence.see(20 + k, 0.5 + k / 20, 0.6, 0.0, distance=-0.07)
    assert "step 10" in str(evidence.verdict(0.75))


def test_a_model_that_makes_one_thing_a_caption_is_not_the_best():
    """It comes as near to a few held-out files as one that varies, which may come later."""
    held_out = SimpleNamespace(first={1: 1}, evidence=HeldOutEvidence(), verdict="")
    found = Measures(0.01, 0.0, 0.0, 0.5, 0.9, caption_match=1.0, variety=0.1, held_out=10)
    weigh = functools.partial(HeldOut._weigh, held_out)
    assert weigh(10, 0.1, {"audio": found})
    assert weigh(20, 0.2, {"audio": dataclasses.replace(found, to_held_out=0.05, variety=0.6)})
    assert not weigh(30, 0.3, {"audio": dataclasses.replace(found, to_held_out=0.9, variety=1.5)})  # wild is no merit
    assert not weigh(40, 0.4, {"audio": dataclasses.replace(found, to_held_out=0.0, variety=0.6, copies=0.2)})
    assert weigh(50, 0.5, {"audio": dataclasses.replace(found, to_held_out=0.0, variety=0.6, copies=0.05)})


def test_a_few_held_out_files_end_nothing():
    """Chance moves a distance to four files more than learning does: weights are chosen by the files learned from."""
    held_out = SimpleNamespace(first={1: 1}, evidence=HeldOutEvidence(), verdict="")
    found = Measures(0.0, 0.9, 0.0, 0.5, 0.9, caption_match=1.0, variety=0.6, held_out=4)
    weigh = functools.partial(HeldOut._weigh, held_out)
    assert weigh(10, 0.1, {"image": found})
    for visit in range(8):
        assert not weigh(20 + visit, 0.3 + visit / 20, {"image": dataclasses.replace(found, to_held_out=-0.1)})
    assert not held_out.verdict and held_out.evidence.since >= 5
    assert weigh(40, 0.9, {"image": dataclasses.replace(found, to_held_out=0.5, to_training=0.1)})
