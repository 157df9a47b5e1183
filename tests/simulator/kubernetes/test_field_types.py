"""What the simulator knows of Kubernetes' types is what the installed client knows."""

from __future__ import annotations

import subprocess
import sys

from multicluster.simulator.kubernetes.field_types import field_types, of_the_client


def test_the_table_of_types_is_current():
    assert field_types() == of_the_client(), "make it anew, as the docstring of field_types.py says"


def test_a_world_loads_no_kubernetes_client():
    code = (
        "import sys\n"
        "from multicluster.simulator import World\n"
        "with World() as world:\n"
        "    plain = world.add_plain('laptop')\n"
        "    plain.create('configmaps', {'metadata': {'name': 'c'}, 'data': {'a': 'b'}})\n"
        "    print('kubernetes' in sys.modules, len(plain.objects('configmaps', 'default')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert ran.stdout.split()[0] == "False"
