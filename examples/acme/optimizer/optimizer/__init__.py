"""Loads trucks."""
