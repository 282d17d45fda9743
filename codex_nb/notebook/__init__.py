"""The IPython surface. Loading it imports IPython and the standard library only."""
