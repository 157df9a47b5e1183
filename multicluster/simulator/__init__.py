"""The offline world: Kubernetes clusters and clouds in one process, for demos and tests.

```python
with World(delays=Delays.none()) as world:
    world.add_eks("gpu-use1")
    os.environ.update(world.env())   # or monkeypatch.setenv for each
```
"""

from __future__ import annotations

from multicluster.simulator.catalogue import FAULTS
from multicluster.simulator.clock import Clock, ManualClock, SystemClock
from multicluster.simulator.delays import Delays
from multicluster.simulator.faults import Delay, Drop, Fault, Faults, Hang, HttpError
from multicluster.simulator.report import CloudReport, Report
from multicluster.simulator.world import World

__all__ = [
    "FAULTS",
    "Clock",
    "CloudReport",
    "Delay",
    "Delays",
    "Drop",
    "Fault",
    "Faults",
    "Hang",
    "HttpError",
    "ManualClock",
    "Report",
    "SystemClock",
    "World",
]
