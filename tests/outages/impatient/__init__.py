"""A Django app that shortens the time-outs of the app it is installed with."""
