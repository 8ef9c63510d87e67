"""The numbers of an audit against the same in float64, from the files alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.merges import ARCHITECTURES, exact_updates, merge_of, plain

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_an_audit_agrees_with_float64(kind: str, dtype: torch.dtype, tmp_path: Path) -> None:
    merge = merge_of(kind, tmp_path, size=0.003)
    folder = merge.written(tmp_path / "merged", dtype)
    audit, _ = merge.audit(folder)
    base = {n: t.numpy() for n, t in plain(merge.base, dtype=torch.float64).state_dict().items()}
    merged = {n: t.double().numpy() for n, t in plain(folder, dtype=dtype).state_dict().items()}
    updates = dict(exact_updates(merge))
    assert {change.name for change in audit.changes} == set(updates)
    for change in audit.changes:
        w, u, m = base[change.name], updates[change.name], merged[change.name]
        norm = np.linalg.norm(u)
        assert change.energy == pytest.approx(norm**2, rel=1e-6)
        assert change.update == pytest.approx(norm / np.linalg.norm(w), rel=1e-6)
        assert change.error == pytest.approx(np.linalg.norm(m - w - u) / norm, rel=1e-6)
        assert change.unmoved == pytest.approx(((m == w) & (u != 0)).sum() / (u != 0).sum(), abs=1e-12)
        assert change.scale == pytest.approx(((m - w) * u).sum() / norm**2, rel=1e-6)
        assert change.rest == pytest.approx(np.linalg.norm(m - w - change.scale * u) / norm, rel=1e-5)
        assert change.error == pytest.approx(change.right_error, rel=1e-3)
