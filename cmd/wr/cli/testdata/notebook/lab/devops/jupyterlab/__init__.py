"""Stands for JupyterLab."""
