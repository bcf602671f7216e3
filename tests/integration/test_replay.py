"""Frames that no honest client sends: each ends where the model says, nothing is lost without a name."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.replay import model, odd_frames, run  # noqa: E402
from tests.replay.node import Node  # noqa: E402


def test_odd_frames_end_where_the_model_says(bench, node):
    del bench, node  # one running node is all that is wanted
    replayed = Node(str(ROOT / "scripts/lab"))
    target, identity = run.target_and_identity(replayed)
    cases = odd_frames.odd_frames(target)
    everything = [frame for frames in cases.values() for frame in frames]
    table = {"all": {"own": model.outcomes(everything, identity)}}
    assert len(table["all"]["own"]) > 15, "the frames are to reach many outcomes"
    problems = run.replay([("all", {"own": everything})], table, replayed, say=lambda *_: None)
    if problems:  # one by one, so that the report names the case
        table = {name: {"own": model.outcomes(frames, identity)} for name, frames in cases.items()}
        problems += run.replay([(n, {"own": f}) for n, f in cases.items()], table, replayed, say=lambda *_: None)
    assert not problems, "\n".join(problems)
