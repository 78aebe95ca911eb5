"""Servicers: translate, call a use case, translate."""
