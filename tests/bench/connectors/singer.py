"""GrimoireLab's Perceval. <https://github.com/chaoss/grimoirelab-singer>"""
from .base import Packaged
class Singer(Packaged):
    name = "singer"
    title = "singer-io tap-github 4.0.0"
