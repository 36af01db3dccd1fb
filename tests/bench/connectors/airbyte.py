"""GrimoireLab's Perceval. <https://github.com/chaoss/grimoirelab-perceval>"""
from .base import Packaged
class Airbyte(Packaged):
    name = "airbyte"
    title = "Airbyte source-github 2.7.1"
