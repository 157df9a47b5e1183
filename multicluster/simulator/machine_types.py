"""List the machine types of both clouds that a world can rent, with their GPUs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MachineType:
    """A shape: vCPUs, memory in GiB, GPUs, and the accelerator's name as GKE writes it."""

    name: str
    cpus: int
    memory_gib: int
    gpus: int = 0
    accelerator: str = ""

    def capacity(self, *, gpus: int | None = None) -> dict[str, str]:
        """Write the capacity a kubelet reports; ``gpus`` is how many are advertised, 0 before a plugin runs."""
        count = self.gpus if gpus is None else gpus
        plain = {"cpu": str(self.cpus), "memory": f"{self.memory_gib}Gi", "pods": "110", "ephemeral-storage": "100Gi"}
        return {**plain, "nvidia.com/gpu": str(count)} if self.gpus else plain


# vCPUs, GiB and GPUs by name
_AWS = {
    "t3.medium": (2, 4, 0), "t3.large": (2, 8, 0), "m5.large": (2, 8, 0), "m5.xlarge": (4, 16, 0),
    "m6i.large": (2, 8, 0), "c5.large": (2, 4, 0), "g4dn.xlarge": (4, 16, 1), "g4dn.2xlarge": (8, 32, 1),
    "g4dn.4xlarge": (16, 64, 1), "g4dn.8xlarge": (32, 128, 1), "g4dn.12xlarge": (48, 192, 4),
    "g4dn.metal": (96, 384, 8), "g5.xlarge": (4, 16, 1),
    "g5.2xlarge": (8, 32, 1), "g5.4xlarge": (16, 64, 1), "g5.8xlarge": (32, 128, 1), "g5.12xlarge": (48, 192, 4),
    "g5.24xlarge": (96, 384, 4), "g5.48xlarge": (192, 768, 8), "g6.xlarge": (4, 16, 1), "g6.2xlarge": (8, 32, 1),
    "g6.4xlarge": (16, 64, 1), "g6.8xlarge": (32, 128, 1), "g6.12xlarge": (48, 192, 4), "g6.48xlarge": (192, 768, 8),
    "g6e.xlarge": (4, 32, 1), "g6e.2xlarge": (8, 64, 1), "g6e.12xlarge": (48, 384, 4), "g6e.48xlarge": (192, 1536, 8),
    "p3.2xlarge": (8, 61, 1), "p4d.24xlarge": (96, 1152, 8), "p4de.24xlarge": (96, 1152, 8), "p5.4xlarge": (16, 256, 1),
    "p5.48xlarge": (192, 2048, 8), "p5en.48xlarge": (192, 2048, 8), "p6-b200.48xlarge": (192, 2048, 8),
}  # fmt: skip
_GOOGLE = {
    "e2-medium": (2, 4, 0, ""), "e2-standard-4": (4, 16, 0, ""), "n1-standard-4": (4, 15, 0, ""),
    "n1-standard-8": (8, 30, 0, ""), "n2-standard-4": (4, 16, 0, ""), "g2-standard-4": (4, 16, 1, "nvidia-l4"),
    "g2-standard-8": (8, 32, 1, "nvidia-l4"), "g2-standard-12": (12, 48, 1, "nvidia-l4"),
    "g2-standard-16": (16, 64, 1, "nvidia-l4"), "g2-standard-24": (24, 96, 2, "nvidia-l4"),
    "g2-standard-48": (48, 192, 4, "nvidia-l4"), "g2-standard-96": (96, 384, 8, "nvidia-l4"),
    "a2-highgpu-1g": (12, 85, 1, "nvidia-tesla-a100"), "a2-highgpu-8g": (96, 680, 8, "nvidia-tesla-a100"),
    "a2-ultragpu-1g": (12, 170, 1, "nvidia-a100-80gb"), "a2-ultragpu-8g": (96, 1360, 8, "nvidia-a100-80gb"),
    "a3-highgpu-1g": (26, 234, 1, "nvidia-h100-80gb"), "a3-highgpu-8g": (208, 1872, 8, "nvidia-h100-80gb"),
    "a3-megagpu-8g": (208, 1872, 8, "nvidia-h100-mega-80gb"), "a3-ultragpu-8g": (224, 2952, 8, "nvidia-h200-141gb"),
}  # fmt: skip

AWS_TYPES: dict[str, MachineType] = {
    name: MachineType(name=name, cpus=cpus, memory_gib=memory, gpus=gpus) for name, (cpus, memory, gpus) in _AWS.items()
}
GOOGLE_TYPES: dict[str, MachineType] = {
    name: MachineType(name=name, cpus=cpus, memory_gib=memory, gpus=gpus, accelerator=accelerator)
    for name, (cpus, memory, gpus, accelerator) in _GOOGLE.items()
}
