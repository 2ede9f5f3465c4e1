"""What the sensor knows, kept across its end: graphs of objects as bytes, and the files that hold them."""

from pyloader.state.classes import Classes
from pyloader.state.folder import default_folder
from pyloader.state.keeper import Keeper
from pyloader.state.load import load
from pyloader.state.save import save

__all__ = ["Classes", "Keeper", "default_folder", "load", "save"]
