"""The connectors that are measured, by name."""

from .airbyte import Airbyte
from .meltano import Meltano
from .ours import Ours
from .perceval import Perceval
from .singer import Singer

CONNECTORS = {one.name: one for one in (Ours, Meltano, Perceval, Singer, Airbyte)}
