"""Was saved in the middle of a line."""

def exwire_venue(
