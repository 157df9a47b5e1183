"""A second judge of the cloud half: the service models that AWS and Google publish.

Every request that our code sends and every answer that the simulator gives is held against botocore's service models
and Google's discovery documents. Tests ask for it with the fixture ``judged``.
"""
