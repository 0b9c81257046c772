"""MEXC for exwire. What its markets share lies here, each market in a folder of its own."""
