"""Code that every project imports, from the root of the workspace."""
