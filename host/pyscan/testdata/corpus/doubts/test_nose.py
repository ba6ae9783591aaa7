def works(): pass
works.__test__ = True  # doubt: dynamic
