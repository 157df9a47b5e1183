"""Kinds of clusters, one folder each; nobody imports them except by name."""
