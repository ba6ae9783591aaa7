"""{{.Name}}: say here what it is for."""


def greet(whom: str) -> str:
    """Return a greeting."""
    return f"hello, {whom}"
