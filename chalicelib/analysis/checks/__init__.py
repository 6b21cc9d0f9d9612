"""Checks of the data before a result is believed, such as sample ratio mismatch."""
